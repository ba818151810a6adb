package dnsasync

import (
	"net/netip"
	"time"

	"exaproxy/engine/loop"
)

// A Lookup is a name, or an address, whose counterpart somebody wants. It is in the hand
// of whoever asked, who calls Result when woken. It needs no giving back.
type Lookup struct {
	resolver *Resolver
	waker    *loop.Waker
	question *question // it waits for, at place in its list; nil: for none
	place    int
	entry    *entry // what came of it; nil: not known yet
	began    time.Time
	took     time.Duration
	cached   bool
}

// An Answer is what a Lookup found. Its slices belong to the resolver and never change;
// the caller does not change them either.
type Answer struct {
	// Addrs are the addresses of a name. Those of the family whose answer came first
	// are first, third, fifth and so on, as Squid tries them, and within a family they
	// are in the order of the name server's answer; those of a hosts file are in the
	// order of the file.
	Addrs []netip.Addr
	// Names are the names of an address.
	Names []string
	// TTL is for how long the answer remains good. Negative: for ever.
	TTL time.Duration
	// Took is the time between the asking and the answer.
	Took time.Duration
	// Cached says that no name server was asked for this Lookup.
	Cached bool
}

// Result returns the answer once there is one. Before that done is false, and the waker
// will be woken. err is an *Error; the Answer then has no more than times in it.
func (l *Lookup) Result() (answer Answer, done bool, err error) {
	e := l.entry
	if e == nil {
		return Answer{}, false, nil
	}
	answer = Answer{Addrs: e.addrs, Names: e.names, TTL: -1, Took: l.took, Cached: l.cached}
	if !e.expires.IsZero() {
		answer.TTL = max(e.expires.Sub(l.resolver.loop.Now()), 0)
	}
	if e.err != nil {
		return answer, true, e.err
	}
	return answer, true, nil
}

// Cancel says that nobody wants the answer any more: the waker will not be woken. The
// question goes on, for others who may want it soon. On a nil Lookup, and on one that is
// done or was cancelled, Cancel does nothing.
func (l *Lookup) Cancel() {
	if l == nil || l.question == nil {
		return
	}
	l.question.leave(l)
}

// settle gives the Lookup its answer and tells its owner.
func (l *Lookup) settle(e *entry) {
	l.question = nil
	l.entry = e
	l.took = l.resolver.loop.Now().Sub(l.began)
	l.waker.Wake()
}

// A known is an entry that is made for one Lookup, which is done from the start, with
// room for the address of a literal. They are made by the block, for literals are
// frequent.
type known struct {
	entry entry
	addr  [1]netip.Addr
}

const knownBlock = 16

// known returns one that never expires. What it says is for the caller to fill in.
func (r *Resolver) known() *known {
	if len(r.block) == 0 {
		r.block = make([]known, knownBlock)
	}
	k := &r.block[0]
	r.block = r.block[1:]
	k.entry.hit = Lookup{resolver: r, entry: &k.entry, cached: true}
	return k
}

func (r *Resolver) literal(addr netip.Addr) *Lookup {
	k := r.known()
	k.addr[0] = addr
	k.entry.addrs = k.addr[:]
	return &k.entry.hit
}

// found is for what needs no cache, as the names of the hosts file.
func (r *Resolver) found(addrs []netip.Addr, names []string) *Lookup {
	k := r.known()
	k.entry.addrs, k.entry.names = addrs, names
	return &k.entry.hit
}

func (r *Resolver) refusal(err *Error) *Lookup {
	k := r.known()
	k.entry.err = err
	return &k.entry.hit
}
