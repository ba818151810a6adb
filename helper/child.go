package helper

import (
	"fmt"
	"time"

	"exaproxy/engine/loop"
)

// exitTimeout is how long a child may live on after the end of its input.
const exitTimeout = 5 * time.Second

// childState is where a child is in its life.
type childState uint8

const (
	starting childState = iota // its goroutine spawns it → serving, exited
	serving                    // it takes questions → draining, exiting
	draining                   // it takes no more, and answers those in flight → exiting
	exiting                    // we have closed its input, or it has closed its output → exited
	exited                     // its process has ended
)

// A child is a process that answers lines. It is a task of the loop with two descriptors,
// questions out and answers in, and has one goroutine, for what blocks: runProcess.
type child struct {
	pool      *Pool
	number    int
	state     childState
	waker     *loop.Waker
	timer     *loop.Timer // serving, draining: its silence; exiting: exitTimeout
	process   Process
	startTime time.Time

	questions, answers *loop.FD // may be the same
	channels           channels
	awaited            int    // questions in flight that were not cancelled
	stuck              int    // questions in flight that were late
	exclusive          bool   // the question in flight is to stay the only one
	out                []byte // lines of questions
	sent               int    // bytes of out that are written

	queuedBytes, writtenBytes uint64 // of all questions so far: appended to out, and written

	in lines

	asked, answered, late uint64
	lastService           time.Duration // time that the last answer took
	silenceWarned         bool
	lineWarnings          warningLimiter // about lines that answer nothing
	loss                  *loss          // nil: none, or we ended it
}

// loss is how a child was lost that the pool did not let go, and what became of its questions.
type loss struct {
	cause          string // why we ended it; "": it ended by itself
	lifetime       time.Duration
	again, givenUp int  // questions that are asked again, and that were settled with ErrLost
	early          bool // a replacement might end the same way at once
}

// start starts a child.
func (p *Pool) start() {
	p.started++
	p.active++
	c := &child{pool: p, number: p.started, startTime: p.loop.Now()}
	c.waker = p.loop.NewWaker(c)
	c.timer = p.loop.NewTimer(c.waker)
	p.children = append(p.children, c)
	go c.runProcess()
}

// runProcess is the child's goroutine: it spawns the process and waits for its end. It reads
// nothing of the child or the pool but what never changes.
func (c *child) runProcess() {
	process, err := c.pool.config.Spawn.Spawn(&c.pool.config, c.number)
	if err != nil {
		c.pool.loop.Post(func() { c.startFailed(err) })
		return
	}
	c.pool.loop.Post(func() { c.startSucceeded(process) })
	how := process.Wait()
	c.pool.loop.Post(func() { c.processExited(how) })
}

// startFailed records that there is no process.
func (c *child) startFailed(err error) {
	p := c.pool
	p.active--
	c.loss = &loss{early: true}
	p.recordLoss(c)
	c.reportStartFailed(err)
	c.remove()
	p.dispatch()
}

// startSucceeded puts the new process to work.
func (c *child) startSucceeded(process Process) {
	c.process = process
	c.startTime = c.pool.loop.Now()
	c.state = serving
	if err := c.watch(); err != nil {
		c.kill(err.Error())
	}
	c.waker.Wake()
	c.pool.dispatch()
}

// watch gives the process's descriptors to the loop.
func (c *child) watch() (err error) {
	l, output := c.pool.loop, loop.Pipe
	if c.pool.config.PTY {
		output = loop.Terminal
	}
	q, a := c.process.Questions(), c.process.Answers()
	if q == a {
		c.answers, err = l.Watch(a, loop.Stream, c.waker)
		c.questions = c.answers
	} else if c.answers, err = l.Watch(a, output, c.waker); err == nil {
		c.questions, err = l.Watch(q, loop.Pipe, c.waker)
	}
	if c.questions == nil {
		l.Kernel().Close(q)
	}
	if c.answers == nil && q != a {
		l.Kernel().Close(a)
	}
	return err
}

// Run does what can be done now; the child's waker calls it.
func (c *child) Run() {
	switch c.state {
	case serving, draining:
		c.exchange()
		c.pool.dispatch()
	case exiting:
		c.discard()
		if c.timer.Expired() {
			c.timer.Clear()
			c.reportNotExiting()
			c.process.Kill()
		}
	case starting, exited:
	}
}

// retire ends the child once it has answered the questions in flight.
func (c *child) retire() {
	if c.state == serving {
		c.pool.active--
		c.state = draining
	}
	if c.state == draining && c.awaited == 0 {
		c.closeInput()
	}
}

// closeInput ends the child's input. What it still writes is read and thrown away, so that it
// does not die of SIGPIPE while it tidies up.
func (c *child) closeInput() {
	c.state = exiting
	c.recycleAbandoned()
	if c.questions == c.answers {
		c.questions.CloseWrite()
	} else {
		c.questions.Close()
	}
	c.timer.Set(exitTimeout)
	c.waker.Wake()
}

// discard reads what the child writes after the end of its input.
func (c *child) discard() {
	if !c.answers.Open() {
		return
	}
	for range readsPerRun {
		_, err := c.answers.Read(c.pool.scratch)
		if err == loop.ErrAgain {
			return
		}
		if err != nil {
			c.answers.Close()
			return
		}
	}
	c.waker.Wake()
}

// fail closes both pipes of a child that has ended (cause "") or that must not be asked again.
// Its questions go back to the backlog and another child may be started in its place.
func (c *child) fail(cause string) {
	if !c.answering() {
		return
	}
	served := c.state == serving
	c.state = exiting
	c.loss = &loss{cause: cause, lifetime: c.pool.loop.Now().Sub(c.startTime)}
	c.requeue()
	harmful := c.answered == 0 || c.loss.again+c.loss.givenUp > 0 || cause != ""
	c.loss.early = harmful && c.loss.lifetime < stableAfter
	c.questions.Close()
	c.answers.Close()
	c.timer.Set(exitTimeout)
	if cause != "" {
		c.reportReplaced()
	}
	if served {
		c.pool.active--
		c.pool.recordLoss(c)
	}
	c.pool.waker.Wake()
}

// kill is fail for a child that may ignore the end of its input.
func (c *child) kill(cause string) {
	if c.answering() {
		c.fail(cause)
		c.timer.Clear()
		c.process.Kill()
	}
}

// closeQuestions settles the questions in flight, for a pool that does not drain.
func (c *child) closeQuestions() {
	for _, q := range c.channels.empty() {
		if q.state == assigned {
			q.settle(nil, ErrClosed)
		} else {
			c.pool.recycle(q)
		}
	}
	c.awaited, c.stuck = 0, 0
	c.retire()
}

// requeue returns the questions in flight to the backlog, or settles those that have ended too
// many children. A question that was not written to the end is not to blame.
func (c *child) requeue() {
	var again []*Question
	for _, q := range c.channels.empty() {
		if q.state == abandoned {
			c.pool.recycle(q)
			continue
		}
		if q.end <= c.writtenBytes {
			q.losses++
		}
		q.child = nil
		if q.losses > c.pool.config.Retries {
			c.loss.givenUp++
			c.pool.stats.lost++
			q.settle(nil, ErrLost)
		} else {
			again = append(again, q)
		}
	}
	c.loss.again = len(again)
	c.awaited, c.stuck = 0, 0
	c.pool.backlog.putBack(again)
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
func (c *child) processExited(how string) {
	if c.answering() {
		c.readAnswers()
		c.fail("")
	}
	c.questions.Close()
	c.answers.Close()
	c.reportEnd(how)
	c.remove()
	c.pool.dispatch()
}

// remove takes the child out of the pool.
func (c *child) remove() {
	c.state = exited
	c.timer.Clear()
	c.waker.Retire()
	c.pool.removeChild(c)
}

// hasRoom reports whether the child can take a question.
func (c *child) hasRoom() bool {
	return c.state == serving && c.channels.n < c.pool.config.capacity() && !(c.exclusive && c.awaited > 0)
}

// accepts reports whether the child can take this question; nil is any.
func (c *child) accepts(q *Question) bool {
	return c.hasRoom() && (c.awaited == 0 || q == nil || !q.lastChance())
}

// untested reports whether the child has yet to answer its first question.
func (c *child) untested() bool {
	return c.state == starting || c.state == serving && c.answered == 0
}

// answering reports whether answers are expected of the child.
func (c *child) answering() bool { return c.state == serving || c.state == draining }

// String names the child in messages.
func (c *child) String() string {
	if c.process == nil {
		return fmt.Sprintf("%s #%d", c.pool.config.Name, c.number)
	}
	return fmt.Sprintf("%s #%d (pid %d)", c.pool.config.Name, c.number, c.process.PID())
}
