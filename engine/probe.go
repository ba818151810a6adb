package engine

// A Probe looks whether a next hop answers: it connects, and hangs up. What comes of it is told to the hop's Peer. It
// belongs to its worker's goroutine, and is a task of its own.
type Probe struct {
	reach
	over bool
}

// newProbe begins one.
func (w *worker) newProbe(s *setup, h *Hop) *Probe {
	p := &Probe{}
	p.reach = newReach(s, w, h, p)
	p.waker.Wake()
	return p
}

// Run goes on with it.
func (p *Probe) Run() {
	if p.over {
		return
	}
	switch fd, done := p.connect(); {
	case !done:
	case fd == nil:
		p.end(PeerUnreached)
	default:
		fd.Close()
		p.end(PeerReached)
	}
}

// end tells what has come of it.
func (p *Probe) end(what PeerEvent) {
	p.Cancel()
	notice(p.hop.Peer, what)
}

// Cancel ends it without a word.
func (p *Probe) Cancel() {
	p.over = true
	p.release()
}

// Abort drops a Probe about which we have erred.
func (p *Probe) Abort() { p.end(PeerUnreached) }
