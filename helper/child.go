package helper

import (
	"fmt"
	"time"

	"exaproxy/engine/loop"
)

// patience is how long a child may live on after the end of its input.
const patience = 5 * time.Second

// life is where a child is in its life.
type life uint8

const (
	starting life = iota // its goroutine spawns it → serving, gone
	serving              // it takes questions → leaving, ending
	leaving              // it takes no more, and answers those in hand → ending
	ending               // it was told, or has said itself, that this is the end → gone
	gone                 // its process has ended
)

// A child is a process that answers lines. It is a task of the loop with two descriptors,
// questions out and answers in, and has one goroutine, for what blocks: live.
type child struct {
	pool    *Pool
	number  int
	state   life
	waker   *loop.Waker
	timer   *loop.Timer // serving, leaving: its silence; ending: our patience
	process Process
	born    time.Time

	questions, answers *loop.FD // may be the same
	channels           channels
	wanted             int    // questions in hand whose asker has not gone
	stuck              int    // questions in hand that were late
	alone              bool   // the question in hand is to stay the only one
	out                []byte // lines given
	sent               int    // of them, bytes written
	meant, written     uint64 // bytes of all lines ever given, and written
	in                 lines

	asked, answered, late uint64
	took                  time.Duration // the last answer
	warned                bool          // of its silence
	reproach              reproach
	loss                  *loss // nil: none, or it was let go
}

// loss is how a child was lost that was not let go, and what became of its questions.
type loss struct {
	cause          string // why we ended it; "": it ended by itself
	lived          time.Duration
	again, givenUp int  // questions that are asked again, and that were settled with ErrLost
	early          bool // a replacement might end the same way at once
}

// start begins the life of a child.
func (p *Pool) start() {
	p.born++
	p.active++
	c := &child{pool: p, number: p.born, born: p.loop.Now()}
	c.waker = p.loop.NewWaker(c)
	c.timer = p.loop.NewTimer(c.waker)
	p.children = append(p.children, c)
	go c.live()
}

// live is the child's goroutine: it spawns the process and waits for its end, and touches
// nothing of the child or the pool but what never changes.
func (c *child) live() {
	process, err := c.pool.config.Spawn.Spawn(&c.pool.config, c.number)
	if err != nil {
		c.pool.loop.Post(func() { c.stillborn(err) })
		return
	}
	c.pool.loop.Post(func() { c.started(process) })
	how := process.Wait()
	c.pool.loop.Post(func() { c.ended(how) })
}

// stillborn notes that there is no process.
func (c *child) stillborn(err error) {
	p := c.pool
	p.active--
	c.loss = &loss{early: true}
	p.lost(c)
	c.reportStillborn(err)
	c.bury()
	p.dispatch()
}

// started puts the new process to work.
func (c *child) started(process Process) {
	c.process = process
	c.born = c.pool.loop.Now()
	c.state = serving
	if err := c.watch(); err != nil {
		c.kill(err.Error())
	}
	c.waker.Wake()
	c.pool.dispatch()
}

// watch gives the process's descriptors to the loop.
func (c *child) watch() (err error) {
	l, kind := c.pool.loop, loop.Pipe
	if c.pool.config.PTY {
		kind = loop.Terminal
	}
	q, a := c.process.Questions(), c.process.Answers()
	if q == a {
		c.answers, err = l.Watch(a, loop.Stream, c.waker)
		c.questions = c.answers
	} else if c.answers, err = l.Watch(a, kind, c.waker); err == nil {
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
	case serving, leaving:
		c.talk()
		c.pool.dispatch()
	case ending:
		c.discard()
		if c.timer.Expired() {
			c.timer.Clear()
			c.reportStaying()
			c.process.Kill()
		}
	case starting, gone:
	}
}

// retire lets the child go once it has answered what is in its hands.
func (c *child) retire() {
	if c.state == serving {
		c.pool.active--
		c.state = leaving
	}
	if c.state == leaving && c.wanted == 0 {
		c.leave()
	}
}

// leave ends the child's input. What it still says is read and thrown away, so that it need
// not die of SIGPIPE while it tidies up.
func (c *child) leave() {
	c.state = ending
	c.release()
	if c.questions == c.answers {
		c.questions.CloseWrite()
	} else {
		c.questions.Close()
	}
	c.timer.Set(patience)
	c.waker.Wake()
}

// discard reads what the child says when nobody listens any more.
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

// lose ends the conversation with a child that has gone (cause "") or that must not be asked
// again. Its questions are given back and its place is free.
func (c *child) lose(cause string) {
	if !c.talks() {
		return
	}
	served := c.state == serving
	c.state = ending
	c.loss = &loss{cause: cause, lived: c.pool.loop.Now().Sub(c.born)}
	c.giveBack()
	harmful := c.answered == 0 || c.loss.again+c.loss.givenUp > 0 || cause != ""
	c.loss.early = harmful && c.loss.lived < longLife
	c.questions.Close()
	c.answers.Close()
	c.timer.Set(patience)
	if cause != "" {
		c.reportReplaced()
	}
	if served {
		c.pool.active--
		c.pool.lost(c)
	}
	c.pool.waker.Wake()
}

// kill is lose for a child that may not heed the end of its input.
func (c *child) kill(cause string) {
	if c.talks() {
		c.lose(cause)
		c.timer.Clear()
		c.process.Kill()
	}
}

// abandon settles what is in the child's hands, for a pool that does not drain.
func (c *child) abandon() {
	for _, q := range c.channels.empty() {
		if q.standing == given {
			q.settle(nil, ErrClosed)
		} else {
			c.pool.recycle(q)
		}
	}
	c.wanted, c.stuck = 0, 0
	c.retire()
}

// giveBack returns the questions in hand to the backlog, or settles those that have ended too
// many children. A question that was not written to the end is not to blame.
func (c *child) giveBack() {
	var again []*Question
	for _, q := range c.channels.empty() {
		if q.standing == dropped {
			c.pool.recycle(q)
			continue
		}
		if q.end <= c.written {
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
	c.wanted, c.stuck = 0, 0
	c.pool.backlog.putBack(again)
}

// release recycles questions in hand that nobody waits for.
func (c *child) release() {
	for _, q := range c.channels.empty() {
		c.pool.recycle(q)
	}
	c.stuck = 0
}

// ended notes that the process has ended. What it wrote before may still wait to be read. The
// end of that output is not waited for: it does not come as long as some other process, which
// the child has left behind, holds the pipe.
func (c *child) ended(how string) {
	if c.talks() {
		c.hear()
		c.lose("")
	}
	c.questions.Close()
	c.answers.Close()
	c.reportEnd(how)
	c.bury()
	c.pool.dispatch()
}

// bury forgets the child.
func (c *child) bury() {
	c.state = gone
	c.timer.Clear()
	c.waker.Retire()
	c.pool.forget(c)
}

// room says whether the child can take a question.
func (c *child) room() bool {
	return c.state == serving && c.channels.n < c.pool.config.capacity() && !(c.alone && c.wanted > 0)
}

// fits says whether the child can take this question; nil is any.
func (c *child) fits(q *Question) bool {
	return c.room() && (c.wanted == 0 || q == nil || !q.lastChance())
}

// unproven says that it is not known yet whether the child can answer.
func (c *child) unproven() bool {
	return c.state == starting || c.state == serving && c.answered == 0
}

// talks says whether answers are expected of the child.
func (c *child) talks() bool { return c.state == serving || c.state == leaving }

// String names the child in messages.
func (c *child) String() string {
	if c.process == nil {
		return fmt.Sprintf("%s #%d", c.pool.config.Name, c.number)
	}
	return fmt.Sprintf("%s #%d (pid %d)", c.pool.config.Name, c.number, c.process.PID())
}
