package helper

import (
	"time"

	"exaproxy/engine/loop"
)

const (
	longLife   = 10 * time.Second       // a child that lived so long may be replaced at once
	firstDelay = 100 * time.Millisecond // before the next start when one lived briefly
	lastDelay  = 30 * time.Second       // and what the delay grows to, doubling
	alarming   = 3                      // early deaths without an answer between, before the pool is called sick
)

// health is what a pool learns from early deaths. Children that die together, as they do
// when the program cannot run at all, count as one.
type health struct {
	timer *loop.Timer // armed: nothing may be started before it expires
	early int         // waves of early deaths since a new child answered
	sick  bool        // it was said, loudly
}

// failed notes that a child died early.
func (h *health) failed() {
	if h.timer.Armed() {
		return
	}
	h.timer.Set(min(firstDelay<<min(h.early, 16), lastDelay))
	h.early++
}

// forgive forgets all deaths.
func (h *health) forgive() {
	h.timer.Clear()
	h.early = 0
}

// mayStart says whether a child may be started now. While children die at once, one is tried
// at a time.
func (p *Pool) mayStart() bool {
	if p.health.timer.Armed() {
		return false
	}
	if p.health.early < alarming {
		return true
	}
	for _, c := range p.children {
		if c.unproven() {
			return false
		}
	}
	return true
}

// lost notes the death of an active child, whose place is free.
func (p *Pool) lost(c *child) {
	if c.loss.early {
		p.health.failed()
	}
}

// proven says whether a child is at work that has shown that it can answer.
func (p *Pool) proven() bool {
	for _, c := range p.children {
		if c.state == serving && c.answered > 0 {
			return true
		}
	}
	return false
}

// recovered notes that a new child has answered for the first time.
func (p *Pool) recovered() {
	p.health.early = 0
	if p.health.sick {
		p.health.sick = false
		p.reportRecovery()
	}
}
