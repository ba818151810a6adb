package dnsasync

import (
	"net/netip"
	"time"

	"exaproxy/engine/loop"
)

// A Lookup is a name whose addresses, or an address whose names, are wanted. It belongs to
// whoever asked, who calls Result when woken, and need not be closed.
type Lookup struct {
	loop     *loop.Loop
	waker    *loop.Waker
	question *question // that it waits for; nil: none
	index    int       // in the question's list
	whole    bool      // waits for all families
	entry    *entry    // the outcome; nil: not known yet
	began    time.Time
	took     time.Duration
	cached   bool
}

// An Answer is what a Lookup found. Its slices belong to the resolver and never change;
// the caller does not change them either.
type Answer struct {
	// Addrs are the addresses of a name. Those of the family that is preferred, or else whose answer came first,
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
	// Cached: no name server was asked for this Lookup.
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
		answer.TTL = max(e.expires.Sub(l.loop.Now()), 0)
	}
	if e.err != nil {
		return answer, true, e.err
	}
	return answer, true, nil
}

// Cancel ends the waiting for the answer: the waker will not be woken. The question goes
// on, as its answer may be wanted again soon. On a nil Lookup, and on one that is done or
// was cancelled, Cancel does nothing.
func (l *Lookup) Cancel() {
	if l == nil || l.question == nil {
		return
	}
	l.question.remove(l)
}

// settle gives the Lookup its answer and wakes its owner.
func (l *Lookup) settle(e *entry) {
	l.question = nil
	l.entry = e
	l.took = l.loop.Now().Sub(l.began)
	l.waker.Wake()
}

// A doneLookup is a Lookup that is done from the start, with an entry of its own and room for
// the address of a literal. They are allocated by the block, for literals are frequent.
type doneLookup struct {
	entry entry
	addr  [1]netip.Addr
}

const lookupBlock = 16

// newDoneLookup returns one that never expires, without an outcome.
func (r *Resolver) newDoneLookup() *doneLookup {
	if len(r.block) == 0 {
		r.block = make([]doneLookup, lookupBlock)
	}
	d := &r.block[0]
	r.block = r.block[1:]
	d.entry.hit = Lookup{loop: r.loop, entry: &d.entry, cached: true}
	return d
}

func (r *Resolver) literalLookup(addr netip.Addr) *Lookup {
	d := r.newDoneLookup()
	d.addr[0] = addr
	d.entry.addrs = d.addr[:]
	return &d.entry.hit
}

// foundLookup is for what needs no cache, as the names of the hosts file.
func (r *Resolver) foundLookup(addrs []netip.Addr, names []string) *Lookup {
	d := r.newDoneLookup()
	d.entry.addrs, d.entry.names = addrs, names
	return &d.entry.hit
}

func (r *Resolver) failedLookup(err *Error) *Lookup {
	d := r.newDoneLookup()
	d.entry.err = err
	return &d.entry.hit
}
