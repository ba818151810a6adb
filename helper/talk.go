package helper

import (
	"strconv"
	"time"

	"exaproxy/engine/loop"
)

const (
	readsPerRun = 4        // then others have their turn
	keepOut     = 64 << 10 // bytes that a child's out buffer may keep once it is written
)

// talk hears what the child has said and then writes what it was given, in this order: what
// is there before a question has left cannot be its answer.
func (c *child) talk() {
	switch err := c.hear(); {
	case !c.talks():
		return
	case err == nil:
		c.waker.Wake() // there may be more
		return
	case err != loop.ErrAgain:
		c.lose("")
		return
	}
	if err := c.write(); err != nil {
		c.hear() // it may have answered before it closed its input
		c.lose("")
		return
	}
	c.listen()
}

// give puts a question into the child's hands, which must have room. The child writes it when
// it runs, with all others that it was given by then.
func (c *child) give(q *Question) {
	now := c.pool.loop.Now()
	if c.channels.n == 0 {
		c.expect()
	}
	q.standing, q.child, q.handed = given, c, now
	q.channel = c.channels.take(q)
	c.wanted++
	c.alone = q.lastChance()
	c.asked++
	c.pool.stats.requests++
	c.append(q)
	q.end = c.meant
	c.waker.Wake()
}

// append adds the question's line to what is to be written.
func (c *child) append(q *Question) {
	if c.sent > len(c.out)/2 { // what is written makes room
		c.out = c.out[:copy(c.out, c.out[c.sent:])]
		c.sent = 0
	}
	was := len(c.out)
	if c.pool.config.numbered() {
		c.out = strconv.AppendInt(c.out, int64(q.channel), 10)
		c.out = append(c.out, ' ')
	}
	c.out = append(c.out, q.text...)
	c.out = append(c.out, '\n')
	c.meant += uint64(len(c.out) - was)
}

// write writes what the child takes. What it does not take waits until it does; that is
// never more than the questions it may have in hand.
func (c *child) write() error {
	if c.sent == len(c.out) {
		return nil
	}
	n, err := c.questions.Write(c.out[c.sent:])
	c.sent += n
	c.written += uint64(n)
	if err == loop.ErrAgain {
		return nil
	}
	if c.sent == len(c.out) {
		c.out, c.sent = c.out[:0], 0
		if cap(c.out) > keepOut {
			c.out = nil
		}
	}
	return err
}

// hear reads and heeds what the child has said: until there is nothing now (ErrAgain), until
// its end or failure (another error), until nobody listens any more or it has had its share
// of our time (nil).
func (c *child) hear() error {
	for range readsPerRun {
		n, err := c.answers.Read(c.pool.scratch)
		if err != nil {
			return err
		}
		c.heed(c.pool.scratch[:n])
		if !c.talks() {
			return nil
		}
	}
	return nil
}

// heed takes what was read, as far as it goes.
func (c *child) heed(said []byte) {
	c.expect()
	answered := false
	for c.talks() {
		line, rest, ok := c.in.next(said)
		if len(line) > maxLine || len(c.in.part) > maxLine {
			c.kill("wrote more than " + strconv.Itoa(maxLine) + " bytes without a line end")
			return
		}
		if !ok {
			break
		}
		said = rest
		if c.answer(line) {
			answered = true
		} else {
			c.unasked(line, answered)
		}
	}
	if c.state == leaving && c.wanted == 0 {
		c.leave()
	}
}

// answer settles the question that the line answers. It returns false if there is none, or
// none that the child can have read.
func (c *child) answer(line []byte) bool {
	channel, rest, ok := 0, line, true
	if c.pool.config.numbered() {
		channel, rest, ok = cutNumber(line)
	}
	q := c.channels.at(channel)
	if !ok || q == nil || q.end > c.written {
		return false
	}
	c.channels.release(channel)
	c.took = c.pool.loop.Now().Sub(q.handed)
	c.answered++
	c.pool.stats.answered(c.took)
	if c.answered == 1 {
		c.pool.recovered()
	}
	if q.standing == given {
		c.wanted--
		q.settle(rest, nil)
		return true
	}
	if q.stuck {
		c.stuck--
	}
	c.pool.recycle(q)
	return true
}

// unasked drops a line that answers nothing. With channel numbers nothing worse can come of
// it. Without, such a line that came a moment later would pass for the answer to the next
// question, and so on for ever: the child is replaced, unless it only had something to say
// before the first question, or in the same breath as an answer.
func (c *child) unasked(line []byte, sameBreath bool) {
	c.pool.stats.unasked++
	if c.pool.config.numbered() {
		c.reproachNumber(line)
	} else if c.asked == 0 || sameBreath {
		c.reproachLine(line)
	} else {
		c.lose("wrote a line that nobody asked for: " + quote(line) + "; " + oneForOne)
	}
}

// ready makes sure that what the child has said so far is heard before it gets a question,
// and returns false if that was a reason to let it go.
func (c *child) ready() bool {
	if c.pool.config.numbered() {
		return true
	}
	if c.answers.Readable() {
		if err := c.hear(); err != nil && err != loop.ErrAgain {
			c.lose("")
		}
	}
	if half := c.in.half(); len(half) > 0 && c.asked > 0 && c.talks() {
		c.lose("wrote half a line that nobody asked for: " + quote(half) + "; " + oneForOne)
	}
	return c.room()
}

// drop forgets who asked a question that the child has in hand.
func (c *child) drop(q *Question) {
	q.standing, q.waker = dropped, nil
	c.wanted--
	if c.wanted > 0 {
		return
	}
	if c.state == leaving {
		c.leave()
	} else {
		c.pool.waker.Wake() // it may take a question that wants a child to itself
	}
}

// overdue is drop for a question that was not answered in time. Its channel is stuck until
// the answer comes; a child with no other channel is replaced.
func (c *child) overdue(q *Question) {
	c.late++
	q.stuck = true
	c.stuck++
	waited := c.pool.loop.Now().Sub(q.handed)
	c.drop(q)
	c.replaceIfStuck(waited)
}

// suspect counts as stuck what children have had in hand for so long that another question
// came to its deadline in the backlog. Their askers have gone without saying so.
func (p *Pool) suspect(waited time.Duration) {
	for _, c := range p.children {
		if !c.talks() {
			continue
		}
		for _, q := range c.channels.held {
			if q != nil && q.standing == dropped && !q.stuck && p.loop.Now().Sub(q.handed) >= waited {
				q.stuck = true
				c.stuck++
			}
		}
		c.replaceIfStuck(waited)
	}
}

func (c *child) replaceIfStuck(waited time.Duration) {
	if c.stuck == c.pool.config.capacity() {
		cause := "has not answered for " + waited.Round(time.Millisecond).String()
		if half := c.in.half(); len(half) > 0 {
			cause += ", but for half a line: " + quote(half)
		}
		c.kill(cause)
	}
}

// expect begins to time the child's silence.
func (c *child) expect() {
	if !c.warned {
		c.timer.Set(c.pool.config.Buffering)
	}
}

// listen says, once, that the child has been silent for long with a question in hand.
func (c *child) listen() {
	if !c.timer.Expired() {
		return
	}
	c.timer.Clear()
	if c.channels.n > 0 {
		c.warned = true
		c.reportSilence()
	}
}
