package helpertest

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"exaproxy/engine"
	"exaproxy/engine/loop"
	"exaproxy/helper"
)

// Options are how a program is tried.
type Options struct {
	Patience time.Duration // for an answer
	Start    time.Duration // for the program to read its input
	Log      *slog.Logger  // what the proxy would say in cache.log
	Progress func(Progress)
	Kernel   func() (loop.Kernel, error) // nil: loop.Linux
}

// Progress is how far a trial is.
type Progress struct {
	Answered, Asked int
	Ready           bool // a process has begun to read its input
}

// Check says why a program cannot be started.
func Check(argv []string) error { return helper.Check(argv) }

// A workshop is a pool of a program's processes on a loop, for one caller that turns it.
type workshop struct {
	program *Program
	options *Options
	loop    *loop.Loop
	pool    *helper.Pool
	talk    Talk
	faults  Faults
	asked   bool // something, so far

	waker    *loop.Waker
	limit    *loop.Timer
	told     time.Time
	progress Progress
}

// open starts the processes. c is the program's configuration, with what is to be different for the trial.
func open(p *Program, o *Options, c helper.Config) (*workshop, error) {
	if err := helper.Check(c.Argv); err != nil {
		return nil, err
	}
	makeKernel := o.Kernel
	if makeKernel == nil {
		makeKernel = loop.Linux
	}
	kernel, err := makeKernel()
	if err != nil {
		return nil, err
	}
	w := &workshop{program: p, options: o}
	if w.loop, err = loop.New(kernel); err != nil {
		return nil, err
	}
	w.waker = w.loop.NewWaker(w)
	w.limit = w.loop.NewTimer(w.waker)
	c.Observe, c.Log = w.observe, o.Log
	w.pool = helper.NewPool(w.loop, c)
	w.talk = p.Talk(engine.Services{Loop: w.loop, Log: o.Log, Workers: 1})
	return w, nil
}

// observe counts what the pool says of its processes.
func (w *workshop) observe(kind, text string) {
	if kind == "ended" && !w.asked {
		kind = atStart
	}
	w.faults.add(kind, text)
}

// ask puts a question.
func (w *workshop) ask(q Question) *helper.Question {
	w.asked = true
	return w.pool.Ask(q.Line(), w.waker)
}

// Run implements loop.Task: the loop turns once more.
func (w *workshop) Run() {}

// progressEvery is how often it is told how far it is.
const progressEvery = 500 * time.Millisecond

// until turns the loop until something is so, or for as long as a limit; then it returns false.
func (w *workshop) until(so func() bool, limit time.Duration) bool {
	end := w.loop.Now().Add(limit)
	defer w.limit.Clear()
	for !so() {
		now := w.loop.Now()
		if !now.Before(end) {
			return false
		}
		w.limit.Set(min(end.Sub(now), progressEvery))
		w.loop.Turn(true)
		w.tell()
	}
	return true
}

// tell tells how far it is, now and then.
func (w *workshop) tell() {
	if now := w.loop.Now(); w.options.Progress != nil && now.Sub(w.told) >= progressEvery {
		w.told = now
		ready, _ := w.pool.Serving()
		w.progress.Ready = ready > 0
		w.options.Progress(w.progress)
	}
}

// errNotReady is why a trial cannot begin, or go on.
var errNotReady = errors.New("no process of the program begins to read its input")

// ready waits for n processes, that the first question finds them as the proxy's would.
func (w *workshop) ready(n int) error {
	ended := func() bool { return w.faults.has("start") || w.faults.count(atStart) >= mostDeaths }
	up := func() bool { serving, _ := w.pool.Serving(); return serving >= n || ended() }
	switch {
	case !w.until(up, w.options.Start):
		err := fmt.Errorf("%w within %v", errNotReady, w.options.Start)
		w.faults.add(notRead, err.Error())
		return err
	case ended():
		return fmt.Errorf("%w: %s", errNotReady, w.faults[len(w.faults)-1].First)
	}
	return nil
}

// mostDeaths is how many processes may end before a trial does.
const mostDeaths = 3

// endTime is how long processes have to end, which are terminated and killed meanwhile.
const endTime = 12 * time.Second

// close ends the processes, and waits for them.
func (w *workshop) close() {
	w.pool.Close(false)
	w.until(w.pool.Closed, endTime)
	w.waker.Retire()
	w.loop.Close()
}
