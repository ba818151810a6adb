package helper

import "time"

// capacity is how many questions the child may have in flight now. Lines without numbers are given ahead to one that
// has shown that it writes one line for each, and as long as no child ends of what it is asked or writes a line too many:
// then it is seen which question did it.
func (c *child) capacity() int {
	p := c.pool
	if !p.config.pipelined() {
		return p.config.capacity()
	}
	now := p.loop.Now()
	if c.answered < probation || p.storm.rages(now) || p.doubts.surplusSeen(now) || p.doubts.crashSeen(now) {
		return 1
	}
	return p.config.capacity()
}

// front returns, for a child without channel numbers, the question whose answer comes next: the first that it was
// given of those it has not answered; nil if there is none. Where one is given at a time it may be held back.
func (c *child) front() (first *Question) {
	if !c.pool.config.pipelined() {
		return c.channels.at(0)
	}
	for _, q := range c.channels.held {
		if q != nil && !q.held && (first == nil || q.end < first.end) {
			first = q
		}
	}
	return first
}

// begun is when the child could begin with a question: when it was given it, or when it had answered the one before.
func (c *child) begun(q *Question) time.Time {
	if c.pool.config.pipelined() && c.lastAnswer.After(q.assignedAt) {
		return c.lastAnswer
	}
	return q.assignedAt
}

// givenAhead is how many questions children have that are not the first of theirs.
func (p *Pool) givenAhead() (n int) {
	if !p.config.pipelined() {
		return 0
	}
	for _, c := range p.children {
		n += max(c.channels.n-1, 0)
	}
	return n
}
