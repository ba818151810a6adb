package engine

import (
	"net/netip"

	"exaproxy/dnsasync"
	"exaproxy/engine/loop"
)

// A reach makes a connection to a next hop that no request asks for. It belongs to a task of the worker's, whose waker and
// timer it uses.
type reach struct {
	worker *worker
	setup  *setup
	hop    Hop
	waker  *loop.Waker
	timer  *loop.Timer
	lookup *dnsasync.Lookup
	dialer dialer
	begun  bool // connecting has
}

// mostReached is how many addresses of a hop are tried at most.
const mostReached = 8

// newReach is one for a task.
func newReach(s *setup, w *worker, h *Hop, task loop.Task) reach {
	r := reach{worker: w, setup: s, hop: *h}
	r.waker = w.loop.NewWaker(task)
	r.timer = w.loop.NewTimer(r.waker)
	return r
}

// connect goes on, and is done when there is a connection (fd), or none can be had.
func (r *reach) connect() (fd *loop.FD, done bool) {
	if !r.begun {
		if found := r.resolve(); !r.begun {
			return nil, found == nameMissing
		}
	}
	w := r.worker
	fd, done, wake := r.dialer.dial(w.loop, r.waker, w.mayConnect)
	if !done {
		r.timer.Set(wake)
		return nil, false
	}
	r.begun = false
	return fd, true
}

// nameState is how far the looking up of a hop's name is.
type nameState uint8

const (
	nameSought  nameState = iota // it is under way
	nameFound                    // connecting has begun
	nameMissing                  // it leads nowhere
)

// resolve finds the hop's addresses, and begins to connect.
func (r *reach) resolve() nameState {
	if addr, err := netip.ParseAddr(string(r.hop.Host)); err == nil {
		return r.dial(addr)
	}
	if r.lookup == nil {
		r.lookup = r.setup.resolver.Lookup(string(r.hop.Host), r.waker)
		r.timer.Set(r.setup.config.Timeouts.names())
	}
	answer, done, err := r.lookup.Result()
	switch {
	case !done && r.timer.Expired():
		r.lookup.Cancel()
		err = errLookupLate
	case !done:
		return nameSought
	}
	r.lookup = nil
	if err != nil {
		return nameMissing
	}
	return r.dial(answer.Addrs...)
}

func (r *reach) dial(addrs ...netip.Addr) nameState {
	r.begun = true
	r.dialer.begin(addrs, &r.hop, r.setup.config, mostReached)
	return nameFound
}

// release ends it.
func (r *reach) release() {
	r.lookup.Cancel()
	r.lookup = nil
	r.dialer.release()
	r.timer.Clear()
	r.waker.Retire()
}
