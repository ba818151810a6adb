package engine

import (
	"net/netip"

	"exaproxy/dnsasync"
	"exaproxy/engine/loop"
)

// A Probe looks whether a next hop answers: it connects, and hangs up. What comes of it is told to the hop's Peer. It
// belongs to its worker's goroutine, and is a task of its own.
type Probe struct {
	worker *worker
	setup  *setup
	hop    Hop
	waker  *loop.Waker
	timer  *loop.Timer
	lookup *dnsasync.Lookup
	dialer dialer
	begun  bool // connecting has
	over   bool
}

// probeAddresses is how many addresses of a hop a Probe tries at most.
const probeAddresses = 8

// newProbe begins one.
func (w *worker) newProbe(s *setup, h *Hop) *Probe {
	p := &Probe{worker: w, setup: s, hop: *h}
	p.waker = w.loop.NewWaker(p)
	p.timer = w.loop.NewTimer(p.waker)
	p.waker.Wake()
	return p
}

// Run goes on with it.
func (p *Probe) Run() {
	if p.over || !p.begun && !p.resolve() {
		return
	}
	w := p.worker
	fd, done, wake := p.dialer.dial(w.loop, p.waker, w.mayConnect)
	if !done {
		p.timer.Set(wake)
		return
	}
	if fd == nil {
		p.end(PeerUnreached)
		return
	}
	fd.Close()
	p.end(PeerReached)
}

// resolve finds the hop's addresses and begins to connect, and says whether that has begun.
func (p *Probe) resolve() bool {
	addr, err := netip.ParseAddr(string(p.hop.Host))
	if err == nil {
		p.dial(addr)
		return true
	}
	if p.lookup == nil {
		p.lookup = p.setup.resolver.Lookup(string(p.hop.Host), p.waker)
		p.timer.Set(p.setup.config.Timeouts.names())
	}
	answer, done, err := p.lookup.Result()
	switch {
	case !done && p.timer.Expired():
		p.lookup.Cancel()
		err = errLookupLate
	case !done:
		return false
	}
	p.lookup = nil
	if err != nil {
		p.end(PeerUnreached)
		return false
	}
	p.dial(answer.Addrs...)
	return true
}

func (p *Probe) dial(addrs ...netip.Addr) {
	p.begun = true
	p.dialer.begin(addrs, &p.hop, p.setup.config, probeAddresses)
}

// end tells what has come of it.
func (p *Probe) end(what PeerEvent) {
	p.Cancel()
	notice(p.hop.Peer, what)
}

// Cancel ends it without a word.
func (p *Probe) Cancel() {
	p.over = true
	p.lookup.Cancel()
	p.lookup = nil
	p.dialer.release()
	p.timer.Clear()
	p.waker.Retire()
}

// Abort drops a Probe about which we have erred.
func (p *Probe) Abort() { p.end(PeerUnreached) }
