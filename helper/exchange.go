package helper

import (
	"strconv"
	"time"

	"exaproxy/engine/loop"
)

const (
	readsPerRun = 4        // then others have their turn
	maxKeptOut  = 64 << 10 // bytes of capacity that a child's out buffer keeps once it is written
)

// exchange reads the child's output and then writes its questions, in this order: what is
// there before a question is written cannot be its answer.
func (c *child) exchange() {
	switch err := c.readAnswers(); {
	case !c.answering():
		return
	case err == nil:
		c.waker.Wake() // there may be more
		return
	case err != loop.ErrAgain:
		c.fail("")
		return
	}
	if err := c.writeQuestions(); err != nil {
		c.readAnswers() // it may have answered before it closed its input
		c.fail("")
		return
	}
	c.checkSilence()
}

// assign gives a question to the child, which must have room. The child's next run writes it,
// with all others that it was assigned by then.
func (c *child) assign(q *Question) {
	now := c.pool.loop.Now()
	if c.channels.n == 0 {
		c.startSilenceTimer()
	}
	q.state, q.child, q.assignedAt = assigned, c, now
	q.channel = c.channels.assign(q)
	c.awaited++
	c.exclusive = q.lastChance()
	c.asked++
	c.pool.stats.questions++
	c.appendLine(q)
	q.end = c.queuedBytes
	c.waker.Wake()
}

// appendLine adds the question's line to what is to be written.
func (c *child) appendLine(q *Question) {
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
	c.queuedBytes += uint64(len(c.out) - was)
}

// writeQuestions writes what there is room for in the pipe. The rest waits until there is
// more; that is never more than the questions the child may have in flight.
func (c *child) writeQuestions() error {
	if c.sent == len(c.out) {
		return nil
	}
	n, err := c.questions.Write(c.out[c.sent:])
	c.sent += n
	c.writtenBytes += uint64(n)
	if err == loop.ErrAgain {
		return nil
	}
	if c.sent == len(c.out) {
		c.out, c.sent = c.out[:0], 0
		if cap(c.out) > maxKeptOut {
			c.out = nil
		}
	}
	return err
}

// readAnswers reads and handles what the child has written: until there is nothing now
// (ErrAgain), until its end or failure (another error), until the child is not answering any
// more or has had its share of the loop's time (nil).
func (c *child) readAnswers() error {
	for range readsPerRun {
		n, err := c.answers.Read(c.pool.scratch)
		if err != nil {
			return err
		}
		c.handleOutput(c.pool.scratch[:n])
		if !c.answering() {
			return nil
		}
	}
	return nil
}

// handleOutput handles the lines in what was read, and keeps a partial one.
func (c *child) handleOutput(output []byte) {
	c.startSilenceTimer()
	answered := false
	for c.answering() {
		line, rest, ok := c.in.next(output)
		if len(line) > maxLine || len(c.in.part) > maxLine {
			c.kill("wrote more than " + strconv.Itoa(maxLine) + " bytes without a line end")
			return
		}
		if !ok {
			break
		}
		output = rest
		if c.handleAnswer(line) {
			answered = true
		} else {
			c.handleUnsolicited(line, answered)
		}
	}
	if c.state == draining && c.awaited == 0 {
		c.closeInput()
	}
}

// handleAnswer settles the question that the line answers. It returns false if there is none,
// or none that the child can have read.
func (c *child) handleAnswer(line []byte) bool {
	channel, rest, ok := 0, line, true
	if c.pool.config.numbered() {
		channel, rest, ok = cutNumber(line)
	}
	q := c.channels.at(channel)
	if !ok || q == nil || q.end > c.writtenBytes {
		return false
	}
	c.channels.release(channel)
	c.lastService = c.pool.loop.Now().Sub(q.assignedAt)
	c.answered++
	c.pool.stats.recordAnswer(c.lastService)
	if c.answered == 1 {
		c.pool.recordFirstAnswer()
	}
	if q.state == assigned {
		c.awaited--
		q.settle(rest, nil)
		return true
	}
	if q.stuck {
		c.stuck--
	}
	c.pool.recycle(q)
	return true
}

// handleUnsolicited drops a line that answers nothing. With channel numbers nothing worse can
// come of it. Without, such a line that came a little later would pass for the answer to the
// next question, and so on for ever: the child is replaced, unless it only wrote something
// before the first question, or in the same read as an answer.
func (c *child) handleUnsolicited(line []byte, afterAnswer bool) {
	c.pool.stats.unsolicited++
	if c.pool.config.numbered() {
		c.warnChannel(line)
	} else if c.asked == 0 || afterAnswer {
		c.warnLine(line)
	} else {
		c.fail("wrote a line that nobody asked for: " + quote(line) + "; " + oneForOne)
	}
}

// readyForNext reads what the child has written so far, before it gets a question, and returns
// false if that was a reason to replace it.
func (c *child) readyForNext() bool {
	if c.pool.config.numbered() {
		return true
	}
	if c.answers.Readable() {
		if err := c.readAnswers(); err != nil && err != loop.ErrAgain {
			c.fail("")
		}
	}
	if partial := c.in.partial(); len(partial) > 0 && c.asked > 0 && c.answering() {
		c.fail("wrote half a line that nobody asked for: " + quote(partial) + "; " + oneForOne)
	}
	return c.hasRoom()
}

// abandon marks a question in flight as cancelled.
func (c *child) abandon(q *Question) {
	q.state, q.waker = abandoned, nil
	c.awaited--
	if c.awaited > 0 {
		return
	}
	if c.state == draining {
		c.closeInput()
	} else {
		c.pool.waker.Wake() // it may take a question that wants a child to itself
	}
}

// timeOut is abandon for a question that was not answered in time. Its channel is stuck until
// the answer comes; a child with no other channel is replaced.
func (c *child) timeOut(q *Question) {
	c.late++
	q.stuck = true
	c.stuck++
	waited := c.pool.loop.Now().Sub(q.assignedAt)
	c.abandon(q)
	c.replaceIfStuck(waited)
}

// markStuck marks as stuck the abandoned questions that children have had in flight for as long
// as another question waited in the backlog until its deadline. Cancel was called for them
// rather than Late.
func (p *Pool) markStuck(waited time.Duration) {
	for _, c := range p.children {
		if !c.answering() {
			continue
		}
		for _, q := range c.channels.held {
			if q != nil && q.state == abandoned && !q.stuck && p.loop.Now().Sub(q.assignedAt) >= waited {
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
		if partial := c.in.partial(); len(partial) > 0 {
			cause += ", but for half a line: " + quote(partial)
		}
		c.kill(cause)
	}
}

// startSilenceTimer starts to time the child's silence, or starts again.
func (c *child) startSilenceTimer() {
	if !c.silenceWarned {
		c.timer.Set(c.pool.config.SilenceWarning)
	}
}

// checkSilence warns, once, if the child has been silent for long with a question in flight.
func (c *child) checkSilence() {
	if !c.timer.Expired() {
		return
	}
	c.timer.Clear()
	if c.channels.n > 0 {
		c.silenceWarned = true
		c.reportSilence()
	}
}
