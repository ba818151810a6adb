package helper

import (
	"fmt"
	"time"

	"exaproxy/engine/loop"
)

// exitTimeout is how long a child may live on after the end of its input, and then after SIGTERM.
const exitTimeout = 5 * time.Second

// childState is where a child is in its life.
type childState uint8

const (
	starting childState = iota // its goroutine spawns it → warming, exited
	warming                    // its process runs, and does not read its input yet → serving, exiting
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
	terminal  bool // it has one for its output
	state     childState
	waker     *loop.Waker
	timer     *loop.Timer // warming: the grace; serving, draining: its silence; exiting: exitTimeout
	deadline  *loop.Timer // of the oldest question in flight, with Config.Timeout
	hold      *loop.Timer // when the answers that are held back are looked at
	look      *loop.Timer // when it is looked at whether it keeps its first answer back
	process   Process
	startTime time.Time

	questions, answers *loop.FD // may be the same
	channels           channels
	awaited            int           // questions in flight that were not cancelled
	stuck              int           // questions in flight that were late
	exclusive          bool          // the question in flight is risky, and is to stay the only one
	ventures           bool          // a question in flight is unknown while children die
	provoked           bool          // a question in flight is to blame for what it is replaced for
	talk               *Conversation // that it is reserved for
	last               []byte        // the line that it answered last, until it is known that it has survived that
	out                []byte        // lines of questions
	sent               int           // bytes of out that are written

	queuedBytes, writtenBytes uint64 // of all questions so far: appended to out, and written

	in lines

	asked, answered, late uint64
	lastService           time.Duration // time that the last answer took
	lastAnswer            time.Time     // when it came
	silenceWarned         bool
	spoke                 bool  // it has written a line since it has read a question, which answered none and was dropped
	looks                 int   // whether it keeps its first answer back, since it has the question
	spares                bool  // each of its questions has another chance, alone
	innocent              bool  // its questions are not to blame for its being replaced
	loss                  *loss // nil: none, or we ended it
	terminated            bool  // since it did not end after the end of its input
}

// start starts a child.
func (p *Pool) start() {
	p.started++
	p.active++
	c := &child{pool: p, number: p.started, startTime: p.loop.Now(), terminal: p.terminal.wants()}
	c.waker = p.loop.NewWaker(c)
	c.timer, c.deadline = p.loop.NewTimer(c.waker), p.loop.NewTimer(c.waker)
	c.hold, c.look = p.loop.NewTimer(c.waker), p.loop.NewTimer(c.waker)
	p.children = append(p.children, c)
	go c.runProcess()
}

// runProcess is the child's goroutine: it spawns the process, waits for its end, and ends what it has left behind. It
// reads nothing of the child or the pool but what never changes.
func (c *child) runProcess() {
	config := c.pool.config
	config.PTY = PTYOff
	if c.terminal {
		config.PTY = PTYOn
	}
	process, err := config.Spawn.Spawn(&config, c.number)
	if err != nil {
		c.pool.loop.Post(func() { c.startFailed(err) })
		return
	}
	c.pool.loop.Post(func() { c.startSucceeded(process) })
	end := process.Wait(func() { c.pool.loop.Post(c.becomeReady) })
	c.pool.loop.Post(func() { c.processExited(end) })
	if end.Left {
		process.Sweep()
		c.pool.loop.Post(func() { c.pool.forgetLeft(c) })
	}
}

// startFailed records that there is no process.
func (c *child) startFailed(err error) {
	p := c.pool
	p.active--
	c.loss = &loss{early: true}
	p.recordLoss(c, false)
	c.reportStartFailed(err)
	c.failTrial()
	c.remove()
	p.dispatch()
}

// startSucceeded watches the new process, which is given nothing before it reads its input.
func (c *child) startSucceeded(process Process) {
	c.process = process
	c.startTime = c.pool.loop.Now()
	c.state = warming
	c.timer.Set(c.pool.health.grace())
	if err := c.watch(); err != nil {
		c.kill(err.Error())
	}
	c.waker.Wake()
	c.pool.replaceObsolete()
	c.pool.dispatch()
}

// becomeReady puts a process to work that reads its input now. Whatever it has written before is no
// answer, half a line included.
func (c *child) becomeReady() {
	if c.state != warming {
		return
	}
	c.answers.Recheck() // of what it wrote a moment ago the loop has not heard yet
	if err := c.readAnswers(); err != nil && err != loop.ErrAgain {
		c.fail("")
	}
	if c.state == warming { // it has not been replaced
		c.dropPartial()
		c.timer.Clear()
		c.state = serving
		c.pool.recordReady(c)
	}
	c.waker.Wake()
	c.pool.dispatch()
}

// watch gives the process's descriptors to the loop.
func (c *child) watch() (err error) {
	l, output := c.pool.loop, loop.Pipe
	if c.terminal {
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
	case warming:
		c.warmUp()
		c.pool.dispatch()
	case serving, draining:
		c.exchange()
		c.pool.dispatch()
	case exiting:
		c.discard()
		if c.timer.Expired() {
			c.timer.Clear()
			c.reportNotExiting()
			c.terminated = true
			c.process.Kill(c.pool.patience)
		}
	case starting, exited:
	}
}

// warmUp drops what the child writes before it reads its input, and replaces it when that takes too long.
func (c *child) warmUp() {
	if c.timer.Expired() {
		c.pool.health.recordSlowStart()
		c.kill(fmt.Sprintf("has not begun to read its input for %v", c.pool.loop.Now().Sub(c.startTime).Round(time.Second)))
		return
	}
	switch err := c.readAnswers(); {
	case err == nil:
		c.waker.Wake() // there may be more
	case err != loop.ErrAgain:
		c.fail("")
	}
}

// retire ends the child once it has answered the questions in flight. One of a superseded pool, which was
// never asked, has nothing to tidy up, and may be long before it reads that its input has ended: it is terminated.
func (c *child) retire() {
	if c.state == warming && c.pool.superseded {
		defer c.process.Kill(c.pool.patience)
	}
	if c.state == serving || c.state == warming {
		c.pool.active--
		c.state = draining
	}
	c.closeIfDone()
}

// closeIfDone ends the child's input if it takes no more questions and nobody waits for it.
func (c *child) closeIfDone() {
	if c.state == draining && c.awaited == 0 && c.talk == nil {
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
	c.timer.Set(c.pool.patience)
	c.waker.Wake()
}

// hasten has a child that is ending have no more than the pool's patience.
func (c *child) hasten() {
	switch {
	case c.state != exiting:
	case c.timer.Armed():
		c.timer.Set(c.pool.patience)
	default:
		c.process.Kill(c.pool.patience)
	}
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

// Abort ends a child about which we have erred.
func (c *child) Abort() { c.kill("met a fault of ours") }

// remove takes the child out of the pool.
func (c *child) remove() {
	c.state = exited
	c.timer.Clear()
	c.deadline.Clear()
	c.hold.Clear()
	c.look.Clear()
	c.waker.Retire()
	c.pool.removeChild(c)
}

// hasRoom reports whether the child can take an ordinary question.
func (c *child) hasRoom() bool {
	return c.state == serving && c.channels.n < c.capacity() && !(c.exclusive && c.awaited > 0) &&
		c.talk == nil && c != c.pool.keptFree && !c.distrusted()
}

// untested reports whether the child has yet to answer its first question.
func (c *child) untested() bool { return c.comesUp() || c.state == serving && c.answered == 0 }

// comesUp reports whether the child is to become ready.
func (c *child) comesUp() bool { return c.state == starting || c.state == warming }

// answering reports whether the child's output is read for lines.
func (c *child) answering() bool {
	return c.state == warming || c.state == serving || c.state == draining
}

// String names the child in messages.
func (c *child) String() string {
	if c.process == nil {
		return fmt.Sprintf("%s #%d", c.pool.config.Name, c.number)
	}
	return fmt.Sprintf("%s #%d (pid %d)", c.pool.config.Name, c.number, c.process.PID())
}
