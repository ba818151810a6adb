package helper

import (
	"strconv"

	"exaproxy/engine/canary"
	"exaproxy/engine/loop"
)

const (
	readsPerRun = 4        // then others have their turn
	probation   = 3        // answers of a new child for which it is checked that it has read the question
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
	if err := c.writeQuestions(); err != nil || c.readsNoMore() {
		c.answers.Recheck()
		c.readAnswers() // it may have answered before it closed its input
		if c.answering() {
			c.fail("")
			c.loss.input = true
		}
		return
	}
	c.releaseHeld()
	c.checkDeadlines()
	c.checkSilence()
	c.checkFlushing()
}

// readsNoMore reports whether the child has closed its input with a question in it, which it will never read.
func (c *child) readsNoMore() bool {
	return c.channels.n > 0 && c.questions != c.answers && c.questions.Broken() && c.questions.Unread() > 0
}

// assign gives a question to the child, which must have room. The child's next run writes it,
// with all others that it was assigned by then.
func (c *child) assign(q *Question) {
	now := c.pool.loop.Now()
	if c.channels.n == 0 {
		c.startSilenceTimer()
		c.spoke = false
	}
	q.state, q.child, q.assignedAt = assigned, c, now
	q.channel = c.channels.assign(q)
	c.awaited++
	c.exclusive = q.risky
	if q.talk != nil && !q.follows {
		c.reserve(q.talk)
	}
	c.ventures = q.unknown || c.ventures && c.awaited > 1
	if c.pool.config.Timeout > 0 && !c.deadline.Armed() {
		c.deadline.Set(c.pool.config.Timeout)
	}
	if c.answered == 0 {
		c.timeFirstAnswer()
	}
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
		canary.Spoil(c.out[len(c.out):], canary.ChildInput, uint64(c.number))
	}
	was := len(c.out)
	if c.pool.config.numbered() {
		c.out = strconv.AppendInt(c.out, int64(q.channel), 10)
		c.out = append(c.out, ' ')
	}
	c.out = append(c.out, q.text...)
	if c.pool.config.Framing == nil {
		c.out = append(c.out, '\n')
	}
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
		c.out, c.sent = canary.Again(c.out, canary.ChildInput, uint64(c.number)), 0
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
		canary.Spoil(c.pool.scratch[:n:n], canary.ChildOutput, uint64(c.number))
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
		line, rest, ok, err := c.next(output)
		if len(line) > maxLine || len(c.in.part) > maxLine {
			c.provoked = true
			c.kill("wrote more than " + strconv.Itoa(maxLine) + " bytes " + c.pool.config.endless())
			return
		}
		if err != nil {
			c.garbled(line, err)
			break
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
	if c.answered == 0 && c.answering() && len(c.in.partial()) > 0 && c.hasReadNothing() {
		c.dropPartial()
	}
	c.closeIfDone()
}

// hasReadNothing reports whether the child has yet to read the beginning of its first question.
func (c *child) hasReadNothing() bool {
	return c.writtenBytes == 0 || uint64(c.questions.Unread()) >= c.writtenBytes
}

// handleAnswer settles the question that the line answers, or holds the answer back. It returns false if
// there is none, or none that the child can have read.
func (c *child) handleAnswer(line []byte) bool {
	rest, ok := line, true
	var q *Question
	if c.pool.config.numbered() {
		var channel int
		channel, rest, ok = cutNumber(line)
		q = c.channels.at(channel)
	} else {
		q = c.front()
	}
	if !ok || q == nil || q.held || q.end > c.writtenBytes || c.unread(q) {
		return false
	}
	now := c.pool.loop.Now()
	c.lastService, c.lastAnswer = now.Sub(c.begun(q)), now
	if d := c.pool.doubts.hold(q.text, c.pool.answered, now); d > 0 && q.state == assigned {
		c.holdBack(q, rest, d)
		return true
	}
	c.channels.release(q.channel)
	c.finish(q, rest)
	return true
}

// unread reports whether the child cannot have read the question that it seems to answer. Without
// channel numbers that shows that the line is another's, and is worth a system call with a new child
// and where such lines were seen.
func (c *child) unread(q *Question) bool {
	p := &c.pool.config
	return !p.numbered() && (c.watched() || p.pipelined() || p.Framing != nil) && q.end > c.readBytes()
}

// watched reports whether system calls are spent on seeing that the child writes one line for each question.
func (c *child) watched() bool {
	return c.answered < probation || c.pool.doubts.surplusSeen(c.pool.loop.Now())
}

// finish ends a question in flight, which has left its channel, with its answer.
func (c *child) finish(q *Question, answer []byte) {
	c.answered++
	c.spoke = false
	c.pool.stats.recordAnswer(c.lastService)
	c.pool.recordAnswer(c, q)
	if c.answered == 1 {
		c.pool.recordFirstAnswer()
		c.pool.recordFlushed(c)
	}
	c.dismiss(q, answer, nil)
}

// dismiss settles a question in flight, which has left its channel, unless nobody waits for it.
func (c *child) dismiss(q *Question, answer []byte, err error) {
	if q.state == assigned {
		c.awaited--
		q.settle(answer, err)
		return
	}
	if q.stuck {
		c.stuck--
	}
	c.pool.recycle(q)
}

// handleUnsolicited drops a line that answers nothing. With channel numbers nothing worse can
// come of it. Without, such a line that came a little later would pass for the answer to the
// next question, and so on for ever: the child is replaced, unless it only wrote something
// before its first answer, or in the same read as an answer.
func (c *child) handleUnsolicited(line []byte, afterAnswer bool) {
	c.pool.stats.unsolicited++
	switch {
	case c.state == warming:
		c.pool.warnBanner(c, line)
	case c.pool.config.numbered():
		c.warnChannel(line)
		c.recordSpoken()
	case c.answered == 0 && !afterAnswer && !c.holds(): // a question in flight is not read yet
		c.pool.warnBanner(c, line)
	default:
		c.pool.recordSurplus(c)
		if afterAnswer {
			c.warnLine(line)
			return
		}
		c.fail("wrote a line that nobody asked for: " + quote(line) + "; " + oneForOne)
	}
}

// holds reports whether the child, which has no channel numbers, has given an answer that is held back.
func (c *child) holds() bool {
	return c.holding() != nil
}

// holding returns a question whose answer is held back; nil if there is none.
func (c *child) holding() *Question {
	for _, q := range c.channels.held {
		if q != nil && q.held {
			return q
		}
	}
	return nil
}

// dropPartial drops the beginning of a line that a child has written before it was ready or has read anything.
func (c *child) dropPartial() {
	if partial := c.in.partial(); len(partial) > 0 {
		c.pool.warnBanner(c, partial)
		c.in.drop()
	}
}

// readyForNext reads what the child has written so far, before it gets a question, and returns
// false if that was a reason to replace it.
func (c *child) readyForNext() bool {
	return c.pool.config.numbered() || c.quiet() && c.hasRoom()
}

// quiet reads what a child without channel numbers has written so far, and returns false if that was a reason to
// replace it.
func (c *child) quiet() bool {
	if c.watched() {
		c.answers.Recheck()
	}
	if c.answers.Readable() {
		if err := c.readAnswers(); err != nil && err != loop.ErrAgain {
			c.fail("")
		}
	}
	if partial := c.in.partial(); len(partial) > 0 && c.asked > 0 && c.channels.n == 0 && c.answering() {
		c.fail("wrote half a line that nobody asked for: " + quote(partial) + "; " + oneForOne)
	}
	return c.answering()
}

// abandon marks a question in flight as cancelled.
func (c *child) abandon(q *Question) {
	q.state, q.waker = abandoned, nil
	if !c.answering() {
		return // its answer is held back until it is known how the child ended
	}
	c.awaited--
	if c.awaited > 0 {
		return
	}
	if c.closeIfDone(); c.state == serving {
		c.pool.waker.Wake() // it may take a question that wants a child to itself
	}
}

// startSilenceTimer starts to time the child's silence, or starts again.
func (c *child) startSilenceTimer() {
	if !c.silenceWarned && c.state != warming {
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
