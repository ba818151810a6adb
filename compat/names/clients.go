package names

import (
	"errors"
	"net/netip"
	"time"

	"exaproxy/compat/lru"
	"exaproxy/dnsasync"
	"exaproxy/engine"
	"exaproxy/engine/loop"
)

// A Policy gives one worker's clients their names: that of the hosts file at once, else the one that the owner of the
// address claims by a PTR record, when it is known. As in Squid it is not confirmed by looking it up again.
// It belongs to the worker's goroutine. A nil Policy knows no names.
type Policy struct {
	resolver *dnsasync.Resolver
	loop     *loop.Loop

	known lru.Cache[netip.Addr, clientName]
	asked map[netip.Addr]*question
}

// A clientName is what is known of an address.
type clientName struct {
	name  string // "": it has none
	until time.Time
}

const (
	mostKnown = 1 << 14 // addresses that are remembered
	mostAsked = 256     // that are looked up at a time; who comes then is looked up later
	// leastKept is how long an answer counts at least, as in Squid (negative_dns_ttl), so that a name server which
	// forbids to keep it is not asked for each request.
	leastKept = time.Minute
	forever   = 10 * 365 * 24 * time.Hour
)

// NewPolicy makes the policy of one worker, nil if names of clients are not to be looked up.
func NewPolicy(s *Settings, services engine.Services) *Policy {
	if !s.ClientNames || services.Resolver == nil {
		return nil
	}
	return &Policy{resolver: services.Resolver, loop: services.Loop, asked: make(map[netip.Addr]*question),
		known: lru.Cache[netip.Addr, clientName]{Most: mostKnown}}
}

// Tell has a request know the name of the client that logs are told of, as far as it is known.
func (p *Policy) Tell(r *engine.Request) {
	if p == nil || r.Connection == nil {
		return
	}
	if c := r.TellClient(); c != r.Connection.Client {
		r.ToldName = p.name(c.Addr())
	} else {
		r.Connection.ClientName = p.name(c.Addr())
	}
}

// name is the name of an address as far as it is known. If it is not, it is looked up. A name that has become old
// is told until there is an answer.
func (p *Policy) name(addr netip.Addr) string {
	addr = addr.Unmap().WithZone("")
	n, ok := p.known.Get(addr)
	if (!ok || !p.loop.Now().Before(n.until)) && p.asked[addr] == nil && len(p.asked) < mostAsked {
		p.ask(addr)
		n, _ = p.known.Get(addr)
	}
	return n.name
}

// A question is an address that is looked up. It is a task of the loop.
type question struct {
	policy *Policy
	addr   netip.Addr
	waker  *loop.Waker
	lookup *dnsasync.Lookup
}

func (p *Policy) ask(addr netip.Addr) {
	q := &question{policy: p, addr: addr}
	q.waker = p.loop.NewWaker(q)
	q.lookup = p.resolver.Reverse(addr, q.waker)
	p.asked[addr] = q
	q.Run()
}

// Run looks for the answer. That name servers have failed says nothing of the name.
func (q *question) Run() {
	answer, done, err := q.lookup.Result()
	if !done {
		return
	}
	q.end()
	n, _ := q.policy.known.Get(q.addr)
	var why *dnsasync.Error
	switch {
	case err == nil:
		n.name = hostName(answer.Names)
	case errors.As(err, &why) && (why.Kind == dnsasync.NoSuchName || why.Kind == dnsasync.NoAddress):
		n.name = ""
	}
	ttl := max(answer.TTL, leastKept)
	if answer.TTL < 0 {
		ttl = forever
	}
	n.until = q.policy.loop.Now().Add(ttl)
	q.policy.known.Put(q.addr, n)
}

// hostName is the first name that is not written like an address; the resolver gives names that hosts may have.
func hostName(names []string) string {
	for _, name := range names {
		if _, err := netip.ParseAddr(name); err != nil {
			return name
		}
	}
	return ""
}

func (q *question) end() {
	q.lookup.Cancel()
	q.waker.Retire()
	delete(q.policy.asked, q.addr)
}

// Close ends what is looked up.
func (p *Policy) Close() {
	if p == nil {
		return
	}
	for _, q := range p.asked {
		q.end()
	}
}
