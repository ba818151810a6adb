package helper

import (
	"time"

	"exaproxy/engine/loop"
)

const (
	stableAfter      = 10 * time.Second       // a child that lived so long may be replaced at once
	minRestartDelay  = 100 * time.Millisecond // before the next start when one ended early
	maxRestartDelay  = 30 * time.Second       // what the delay grows to, doubling
	maxProvokedDelay = 400 * time.Millisecond // the same if the child had read a question
	alarmThreshold   = 3                      // early exits without an answer between, before it is logged that the pool is failing

	minGrace = time.Minute      // for a child to begin to read its input
	maxGrace = 16 * time.Minute // what that grows to, doubling, while children do not
)

// health is what a pool learns from children that end early. Those that end together, as they
// do when the program cannot run at all, count as one.
type health struct {
	timer      *loop.Timer // armed: nothing may be started before it expires
	earlyExits int         // since a new child answered
	unprovoked int         // of them, those of children that had read no question
	failing    bool        // no child lives long enough to answer
	slowStarts int         // children that were replaced because they did not get ready, since one did

	alarm   loop.Limiter // of logging that as an error
	alarmed bool         // it was logged, since a new child answered
	covered bool         // then others answered
}

// grace is how long a child has to begin to read its input.
func (h *health) grace() time.Duration { return min(minGrace<<min(h.slowStarts, 16), maxGrace) }

// recordSlowStart has the next children be given longer.
func (h *health) recordSlowStart() { h.slowStarts++ }

// recordRiskyLoss delays the next start by as little as is needed not to be busy with starting.
func (h *health) recordRiskyLoss() {
	if !h.timer.Armed() {
		h.timer.Set(minRestartDelay)
	}
}

// recordEarlyExit delays the next start: for the longer the more children have ended early. A question that
// had been read is the likelier cause, and then the delay stays short, since others are waiting.
func (h *health) recordEarlyExit(provoked bool) {
	if h.timer.Armed() {
		return
	}
	most := maxRestartDelay
	if provoked {
		most = maxProvokedDelay
	} else {
		h.unprovoked++
	}
	h.timer.Set(min(minRestartDelay<<min(h.earlyExits, 16), most))
	h.earlyExits++
}

// mayStart reports whether a child may be started now. While children end early that were not asked
// anything, one is tried at a time.
func (p *Pool) mayStart() bool {
	if p.health.timer.Armed() {
		return false
	}
	if p.health.unprovoked < alarmThreshold {
		return true
	}
	for _, c := range p.children {
		if c.untested() {
			return false
		}
	}
	return true
}

// recordLoss records the loss of an active child, and whether a risky question was to blame: that
// delays nobody for long.
func (p *Pool) recordLoss(c *child, risky bool) {
	if c.loss.early {
		// one that we have ended for what it did with questions starts as well as any
		p.health.recordEarlyExit(c.loss.provoked || c.loss.cause != "" && c.asked > 0)
	} else if risky {
		p.health.recordRiskyLoss()
	}
	p.storm.cost = p.storm.cost || c.loss.provoked
}

// recordReady records that a child has begun to read its input.
func (p *Pool) recordReady(c *child) {
	p.health.slowStarts = 0
	if p.storm.cost {
		now := p.loop.Now()
		p.storm.cost, p.storm.rest = false, now.Add(restFactor*now.Sub(c.startTime))
	}
	p.takeOver()
}

// hasWorkingChild reports whether a child is serving that has answered before.
func (p *Pool) hasWorkingChild() bool {
	for _, c := range p.children {
		if c.state == serving && c.answered > 0 {
			return true
		}
	}
	return false
}

// recordFirstAnswer records that a new child has answered for the first time: what the others are to wait for
// because children ended is no longer so.
func (p *Pool) recordFirstAnswer() {
	if p.health.timer.Armed() && p.health.earlyExits > 1 {
		p.health.timer.Set(minRestartDelay)
	}
	p.health.earlyExits, p.health.unprovoked = 0, 0
	p.health.failing, p.health.covered = false, false
	if p.health.alarmed {
		p.health.alarmed = false
		p.reportRecovery()
	}
}
