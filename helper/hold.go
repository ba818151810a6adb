package helper

import "time"

const (
	doubtTime   = 10 * time.Minute      // for which answers are doubted after a reason to do so
	doubtAfter  = 2                     // answers within it that were followed by a crash
	surplusHold = 20 * time.Millisecond // how long an answer is held back when a line too many may follow
)

// doubts are the reasons for which a pool does not take a line for an answer at once. An answer that is
// held back occupies its channel, so that its child gets no other question in the place of this one,
// and is asked again if the child crashes meanwhile.
type doubts struct {
	surplus time.Time // when a line came last that answered nothing, without channel numbers
	doubled harm      // lines behind whose answers such a one came
	crashes [doubtAfter]time.Time
	crash   harm // lines behind whose answers a child crashed
}

// surplusSeen reports whether lines may come that answer nothing.
func (d *doubts) surplusSeen(now time.Time) bool { return within(d.surplus, doubtTime, now) }

// within reports whether a time is set, and no longer ago than d.
func within(t time.Time, d time.Duration, now time.Time) bool { return !t.IsZero() && now.Sub(t) <= d }

// hold returns how long an answer to a line is held back that comes now: not at all if the line has nothing
// that answered lines without such consequences do not have.
func (d *doubts) hold(line []byte, a *answered, now time.Time) time.Duration {
	switch {
	case d.crashSeen(now) && !d.crash.proven(line, a):
		return crashWindow
	case d.surplusSeen(now) && !d.doubled.proven(line, a):
		return surplusHold
	}
	return 0
}

// crashSeen reports whether children crash right behind their answers.
func (d *doubts) crashSeen(now time.Time) bool { return within(d.crashes[0], doubtTime, now) }

// recordSurplus records a line too many of a child without channel numbers, and what it had answered before.
func (p *Pool) recordSurplus(c *child) {
	now := p.loop.Now()
	p.doubts.surplus = now
	if q := c.holding(); q != nil {
		p.doubts.doubled.record(now, q.text)
		return
	}
	p.doubts.doubled.record(now, c.last)
	c.last = c.last[:0]
}

// recordCrash records a child that has crashed right behind its answer.
func (p *Pool) recordCrash(c *child) {
	now := p.loop.Now()
	seen := p.doubts.crashSeen(now)
	copy(p.doubts.crashes[:], p.doubts.crashes[1:])
	p.doubts.crashes[doubtAfter-1] = now
	if len(c.loss.held) == 0 { // else it is one of those
		p.doubts.crash.record(now, c.last)
	}
	if !seen && p.doubts.crashSeen(now) {
		p.config.Log.Error(c.String() + ": crashed right behind its answer, as another did before: for " + doubtTime.String() +
			" such answers count for nothing and their questions are asked again. See why it ends")
	}
}

// holdBack keeps an answer for a while before the question is settled with it.
func (c *child) holdBack(q *Question, answer []byte, d time.Duration) {
	q.held = true
	q.answer = append(q.answer[:0], answer...)
	q.heldUntil = c.pool.loop.Now().Add(d)
	if !c.hold.Armed() {
		c.hold.Set(d)
	}
}

// releaseHeld settles the questions whose answers were held back for long enough.
func (c *child) releaseHeld() {
	if !c.hold.Expired() {
		return
	}
	c.hold.Clear()
	now := c.pool.loop.Now()
	for channel, q := range c.channels.held {
		switch {
		case q == nil || !q.held:
		case now.Before(q.heldUntil):
			if !c.hold.Armed() {
				c.hold.Set(q.heldUntil.Sub(now))
			}
		default:
			c.channels.release(channel)
			c.finish(q, q.answer)
		}
	}
	c.closeIfDone()
}

// settleHeld settles a question of a child that has ended with the answer that was held back.
func (c *child) settleHeld(q *Question) {
	if q.state == abandoned {
		c.pool.recycle(q)
		return
	}
	q.settle(q.answer, nil)
}
