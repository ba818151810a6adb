// Package dnsasync finds the addresses of names, and the names of addresses, without
// blocking: it asks name servers by UDP and TCP on an engine/loop, beside other tasks.
//
// A Resolver belongs to one loop; its methods, and those of its Lookups, are called on that
// loop's goroutine only, and it starts no goroutine. Hosts and Config do
// not change and may be shared by the resolvers of several loops.
//
// Lookup and Reverse return a Lookup: its owner is woken when it is done, calls Result, and
// may Cancel at any time. What needs no name server is
// done when Lookup returns: addresses written as such, names of the hosts file, what is
// cached, what can be no name. Everything else joins the question in flight for the same
// name or becomes one. A question asks for both families at once, a query each. A
// query goes to the name servers in their order, to those that do not answer after the
// others: to the next one when a server is silent
// for Retransmit (doubled in each round), refuses, fails, or sends a malformed reply; by
// TCP when the reply did not fit a datagram. When both families are there, or 50 ms after
// the first, the Lookups are settled and the answer is cached; a family that comes later
// is added to the cache. Close settles open Lookups with an error and closes all descriptors.
//
// Positive answers are cached for the smallest TTL of the records that led to them, within
// MinTTL and MaxTTL, and not at all if that is 0; that there is no such name or address,
// for what the zone's SOA says, within NegativeTTL; that name servers failed, for five
// seconds. A resolver that takes another's place inherits its cache.
//
// A reply is accepted only from the server that was asked, to the port and with the
// identifier that were chosen at random, and if it repeats the question; of its records
// only those count to which the question leads. When more messages come in a server's
// name than it was sent, it is asked from another port, and in the end by TCP. The package does not validate signatures,
// does not ask the roots itself, and knows nothing of proxies; it keeps 64 records of each
// type for a name at most.
//
//	resolver := dnsasync.New(l, dnsasync.Config{Servers: servers, Hosts: hosts})
//	lookup := resolver.Lookup("www.example.com", waker)
//	…
//	answer, done, err := lookup.Result() // in the task that waker wakes
//	if !done {
//		return // it will be woken
//	}
//	if err != nil {
//		return fail(err) // a *dnsasync.Error: no such name, timeout, …
//	}
//	connect(answer.Addrs[0])
package dnsasync
