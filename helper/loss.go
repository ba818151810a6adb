package helper

import (
	"errors"
	"time"
)

// ErrRemembered settles a question whose line ended children not long ago, and was given up for it.
var ErrRemembered = errors.New("ask helper: helpers have ended of this very line in the last 10 minutes, and nobody was asked")

// A loss is how a child was lost that the pool did not let go, and what became of its questions.
type loss struct {
	cause          string // why we ended it; "": it ended by itself
	lifetime       time.Duration
	again, givenUp int  // questions that are asked again, and that were settled with ErrLost
	early          bool // a replacement might end the same way at once
	provoked       bool // a question had been read
	input          bool // the child has closed its input
	afterAnswer    bool // no question was in flight, and the last answer was very recent
	held           []*Question
}

// crashWindow is how soon after an answer a child must end for the answer to be doubted.
const crashWindow = 100 * time.Millisecond

// fail closes both pipes of a child that has ended (cause "") or that must not be asked again.
// Its questions are asked again, and another child may be started in its place.
func (c *child) fail(cause string) {
	if !c.answering() {
		return
	}
	active := c.state != draining
	unproved := c.answered == 0
	c.loss = &loss{cause: cause, lifetime: c.pool.loop.Now().Sub(c.startTime)}
	risky := c.requeue()
	c.state = exiting
	harmful := unproved || c.loss.again+c.loss.givenUp > 0 || cause != ""
	c.loss.early = harmful && !risky && !c.innocent && c.loss.lifetime < stableAfter
	c.questions.Close()
	c.answers.Close()
	c.timer.Set(c.pool.patience)
	if cause != "" {
		c.reportReplaced()
	}
	if active {
		c.pool.active--
		c.pool.recordLoss(c, risky)
	}
	c.failTrial()
	c.pool.waker.Wake()
}

// kill is fail for a child that may ignore the end of its input.
func (c *child) kill(cause string) {
	if c.answering() {
		c.fail(cause)
		c.timer.Clear()
		c.process.Kill(c.pool.patience)
	}
}

// requeue has the questions in flight asked again, or settles those that have ended too many
// children. It returns whether a risky one was to blame.
func (c *child) requeue() (risky bool) {
	now := c.pool.loop.Now()
	var suspects []*Question
	if !c.innocent {
		suspects = c.suspects()
	}
	c.loseConversation()
	if len(suspects) > 0 && (c.loss.cause == "" || c.provoked) {
		c.loss.provoked = true
		risky = c.pool.recordDeath(suspects, now)
	}
	c.loss.afterAnswer = len(suspects) == 0 && c.answeredBefore(now)
	var again []*Question
	for _, q := range c.channels.empty() {
		switch {
		case q.held && c.loss.cause == "":
			c.loss.held = append(c.loss.held, q) // until it is known how the process ended
		case q.held && !c.pool.config.pipelined():
			c.settleHeld(q)
		case q.state == abandoned:
			c.pool.recycle(q)
		default:
			q.held = false // it may be another's answer
			again = append(again, q)
		}
	}
	c.awaited, c.stuck = 0, 0
	c.pool.askAgain(again, c.loss)
	return risky
}

// suspects are the questions that the child has read and not answered: one that it has not read to its
// end is not to blame for its end; nor is, of those that are answered in their order, any but the first.
func (c *child) suspects() (all []*Question) {
	read, front := c.readBytes(), c.front()
	for _, q := range c.channels.held {
		if q != nil && !q.held && q.end <= read && (q == front || !c.pool.config.pipelined()) {
			if q.losses++; c.spares {
				q.losses = max(q.losses, c.pool.config.Retries)
			}
			all = append(all, q)
		}
	}
	return all
}

// readBytes is how many bytes of questions the child has read.
func (c *child) readBytes() uint64 {
	return c.writtenBytes - min(uint64(c.questions.Unread()), c.writtenBytes)
}

// answeredBefore reports whether the child has answered so recently that its end is part of that.
func (c *child) answeredBefore(now time.Time) bool {
	return !c.lastAnswer.IsZero() && now.Sub(c.lastAnswer) <= crashWindow
}

// askAgain puts back questions that were lost with a child, or gives them up.
func (p *Pool) askAgain(lost []*Question, l *loss) {
	var ordinary, risky []*Question
	for _, q := range lost {
		q.child = nil
		switch {
		case q.follows:
			l.givenUp++
			p.giveUp(q)
			continue
		case q.losses > p.config.Retries:
			l.givenUp++
			p.giveUp(q)
			continue
		case q.risky:
			risky = append(risky, q)
		default:
			ordinary = append(ordinary, q)
		}
		l.again++
	}
	p.backlog.putBack(ordinary)
	p.putRisky(risky)
	p.judgeAll()
}

// giveUp settles a question that was lost with its child, and remembers its line if that has ended too many.
func (p *Pool) giveUp(q *Question) {
	p.stats.lost++
	if q.losses > p.config.Retries {
		p.poison.remember(q.text, p.loop.Now())
	}
	q.settle(nil, ErrLost)
}

// lose settles a question with ErrLost, or with ErrRemembered if it was asked of nobody.
func (p *Pool) lose(q *Question) {
	p.stats.lost++
	if q.losses == 0 {
		q.settle(nil, ErrRemembered)
		return
	}
	q.settle(nil, ErrLost)
}

// closeQuestions settles the questions in flight, for a pool that does not drain.
func (c *child) closeQuestions() {
	all := c.channels.empty()
	if c.loss != nil {
		all = append(all, c.loss.held...)
		c.loss.held = nil
	}
	for _, q := range all {
		if q.state == assigned {
			q.settle(nil, ErrClosed)
		} else {
			c.pool.recycle(q)
		}
	}
	c.awaited, c.stuck = 0, 0
	if c.talk != nil {
		c.talk.leave(ErrClosed)
	}
	c.retire()
}

// recycleAbandoned recycles the questions in flight, all of which are abandoned.
func (c *child) recycleAbandoned() {
	for _, q := range c.channels.empty() {
		c.pool.recycle(q)
	}
	c.stuck = 0
}

// processExited handles the end of the process. What it wrote before may still wait to be read.
// The end of that output is not waited for: it does not come as long as some other process,
// which the child has left behind, holds the pipe.
func (c *child) processExited(end Ending) {
	if c.answering() {
		c.answers.Recheck() // its end is told apart from its output
		c.readAnswers()
		c.fail("")
	}
	c.questions.Close()
	c.answers.Close()
	if c.loss != nil {
		c.judgeHeld(end.Failed)
	}
	c.reportEnd(end.How)
	if end.Left {
		c.pool.left = append(c.pool.left, c)
	}
	c.remove()
	c.pool.dispatch()
}

// judgeHeld decides on the answers that were held back until it was known how the process ended: if it
// crashed they were none.
func (c *child) judgeHeld(failed bool) {
	crashed := failed && c.loss.cause == ""
	if crashed && c.loss.afterAnswer {
		c.pool.recordCrash(c)
	}
	var again []*Question
	for _, q := range c.loss.held {
		if crashed && q.state == assigned {
			q.losses++
			q.held, q.risky, q.blamed = false, true, true
			c.pool.doubts.crash.record(c.pool.loop.Now(), q.text)
			again = append(again, q)
		} else {
			c.settleHeld(q)
		}
	}
	c.loss.held = nil
	c.pool.askAgain(again, c.loss)
}
