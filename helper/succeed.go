package helper

// Succeed has p take the place of old, without a moment in which nobody answers. Until the first child
// of p is ready, what is asked of p is put to old, if that has a ready child. From then on it is the
// other way round: old is closed, answers what it has in flight, and what waits for it or is asked of it
// goes to p. Both belong to the same loop. If no child of p ever gets ready, old goes on for ever. If old
// is itself to take the place of another and is not ready, p takes its place, and old ends at once.
func (p *Pool) Succeed(old *Pool) {
	old.successor, p.old = p, old
	old.superseded = old.old != nil && !old.hasReadyChild()
	if old.superseded {
		p.old, old.old = old.old, nil
		p.old.successor = p
	}
	p.answered, p.poison, p.storm = old.answered, old.poison, storm{deadly: old.storm.deadly, death: old.storm.death, least: old.storm.least}
	p.inheritTerminals(old)
	p.target = max(p.target, 1) // or it would never take over
	if old.superseded {
		old.Close(true)
	}
	if p.hasReadyChild() {
		p.takeOver()
	}
	p.dispatch()
}

// takeOver ends the pool that this one succeeds.
func (p *Pool) takeOver() {
	if old := p.old; old != nil {
		p.old = nil
		old.Close(true)
	}
}

// taker returns the pool that a question is put to which is asked of p.
func (p *Pool) taker() *Pool {
	if p.closing && p.successor != nil {
		p.successor = p.successor.last() // so that those between are forgotten
		return p.successor.taker()
	}
	if p.old != nil && !p.hasReadyChild() {
		if old := p.old.readyOne(); old != nil {
			return old
		}
	}
	return p
}

// last returns the pool that has no successor which has taken over.
func (p *Pool) last() *Pool {
	for p.closing && p.successor != nil {
		p = p.successor
	}
	return p
}

// readyOne returns the youngest pool, of p and those that it succeeds, which has a ready child.
func (p *Pool) readyOne() *Pool {
	for ; p != nil && !p.closing; p = p.old {
		if p.hasReadyChild() {
			return p
		}
	}
	return nil
}

func (p *Pool) hasReadyChild() bool {
	for _, c := range p.children {
		if c.state == serving {
			return true
		}
	}
	return false
}

// handOver puts what waits for a child to the successor.
func (p *Pool) handOver() {
	to := p.successor.taker()
	if to.Closed() {
		return
	}
	moved := p.backlog.n+p.risky.n > 0
	for _, queue := range []*backlog{&p.backlog, &p.risky} {
		for queue.n > 0 {
			q := queue.pop()
			to.serial++
			q.pool, q.serial = to, to.serial
			to.waiting(q).push(q)
		}
	}
	if moved {
		to.waker.Wake()
	}
}
