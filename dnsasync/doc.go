// Package dnsasync finds the addresses of names, and the names of addresses, without
// making anybody wait: it asks name servers by UDP and TCP on an engine/loop, as other
// tasks do their work there.
//
// A Resolver belongs to one loop; its methods, and those of the Lookups it gives out, are
// called on that loop's goroutine only, and it starts no goroutine. Hosts and Config do
// not change and may be shared by the resolvers of several loops.
//
// Lookup and Reverse return a Lookup, which is held in the hand: its owner is woken when
// it is done, looks at Result, and may Cancel at any time. What needs no name server is
// done when Lookup returns: addresses written as such, names of the hosts file, what the
// cache knows, what can be no name. Everything else joins the question in flight for the
// same name or becomes one. A question asks for both families at once, a query each. A
// query goes to the name servers in their order: to the next one when a server is silent
// for Retransmit (doubled in each round), refuses, fails, or talks nonsense; by TCP when
// the reply did not fit a datagram. When both families are there, or 50 ms after the
// first, the Lookups are settled and the cache remembers; a family that comes later is
// added to the cache. Close settles what is open with an error and closes all descriptors.
//
// Positive answers are remembered for the smallest TTL of the records that led to them,
// within MinTTL and MaxTTL, and not at all if that is 0; that there is no such name or
// address, for what the zone's SOA says, within NegativeTTL; that name servers failed,
// for five seconds.
//
// It believes little: a reply must come from the server that was asked, to the port and
// with the identifier that were chosen at random, and repeat the question; of its records
// only those count to which the question leads. It never validates signatures, never asks
// the roots itself, and has never heard of proxies; no message makes it keep more than 64
// records of each type for a name.
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
