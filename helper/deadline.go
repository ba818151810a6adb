package helper

import "time"

// checkDeadlines settles the questions that the child has had for longer than Config.Timeout. Their
// channels are stuck until their answers come; a child whose channels are all stuck is replaced.
// Questions that nobody waits for any more count too.
func (c *child) checkDeadlines() {
	if !c.deadline.Expired() {
		return
	}
	c.deadline.Clear()
	if c.pool.config.pipelined() {
		c.checkFront()
		return
	}
	timeout, now := c.pool.config.Timeout, c.pool.loop.Now()
	hangs := c.hangs(now)
	if c.spares = hangs && c.awaited > 1 && c.pool.config.Retries > 0; c.spares {
		c.replaceLate()
		return
	}
	var next time.Time // when the oldest of the others was assigned
	for channel, q := range c.channels.held {
		switch {
		case q == nil || q.stuck || q.held:
		case now.Sub(q.assignedAt) >= timeout:
			c.timeOut(channel, q)
		case next.IsZero() || q.assignedAt.Before(next):
			next = q.assignedAt
		}
	}
	if !next.IsZero() {
		c.deadline.Set(timeout - now.Sub(next))
	}
	if hangs {
		c.replaceLate()
		return
	}
	c.replaceIfStuck()
}

// hangs reports whether the child, with a question that is late, has answered nobody for half of that time, and so is not
// asked again: it may have answered others before it came to the one that it hangs of. Of several who wait for it some are not to blame.
func (c *child) hangs(now time.Time) bool {
	p, late := &c.pool.config, false
	for _, q := range c.channels.held {
		late = late || q != nil && !q.stuck && !q.held && now.Sub(q.assignedAt) >= p.Timeout
	}
	return p.Spare && p.numbered() && late && now.Sub(c.lastAnswer) >= p.Timeout/2
}

// timeOut settles a question that is late, and leaves another in its channel that waits for its answer.
func (c *child) timeOut(channel int, q *Question) {
	c.stuck++
	if q.state == abandoned {
		q.stuck = true
		return
	}
	c.late++
	c.pool.stats.late++
	left := c.pool.newQuestion()
	left.text = append(left.text[:0], q.text...)
	left.state, left.stuck, left.child, left.channel = abandoned, true, c, channel
	left.end, left.serial, left.assignedAt = q.end, q.serial, q.assignedAt
	c.channels.held[channel] = left
	c.awaited--
	q.settle(nil, ErrLate)
}

func (c *child) replaceIfStuck() {
	if c.stuck == c.pool.config.capacity() {
		c.replaceLate()
		return
	}
	c.closeIfDone()
}

// checkFront is checkDeadlines for questions that are answered in their order: the first is being answered, and those
// behind it wait for it.
func (c *child) checkFront() {
	q := c.front()
	if q == nil {
		return
	}
	left := c.pool.config.Timeout - c.pool.loop.Now().Sub(c.begun(q))
	if left > 0 {
		c.deadline.Set(left)
		return
	}
	c.timeOut(q.channel, q)
	c.replaceLate()
}

// replaceLate replaces a child that answers nothing in time.
func (c *child) replaceLate() {
	cause := "has not answered for " + c.pool.config.Timeout.Round(time.Millisecond).String()
	if partial := c.in.partial(); len(partial) > 0 {
		cause += ", but for half a line: " + quote(partial)
	}
	c.provoked = true
	c.kill(cause)
}
