package loop

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"time"
)

const (
	// maxPasses bounds a turn, so that the kernel is asked again soon whatever tasks do.
	maxPasses = 8
	// maxEvents is how many events are read from the kernel at a time.
	maxEvents = 512
)

// A Loop runs tasks on one goroutine: the one that calls Run or Turn. All that it gives
// out (descriptors, listeners, timers, wakers) belongs to that goroutine too. Only Post
// and Stop may be called from elsewhere.
type Loop struct {
	kernel  Kernel
	now     time.Time
	events  []Event
	woken   []*Waker // queued for the next pass
	later   []*Waker // queued for the next turn
	running []*Waker // the pass that runs now, or the last one's slice
	table   table
	timers  wheel
	mailbox mailbox
	stopped atomic.Bool
	onPanic func(fault any, t Task)
	current Task      // that runs now, or ran last
	yielded time.Time // when the scheduler last had a chance to run others

	activity Activity
}

// New returns a loop on a kernel, which it owns from now on.
func New(k Kernel) (*Loop, error) {
	if k == nil {
		return nil, fmt.Errorf("make a loop: no kernel")
	}
	l := &Loop{kernel: k, now: k.Now(), events: make([]Event, maxEvents)}
	l.timers.start = l.now
	return l, nil
}

// OnPanic has Run survive panics: f is called with what a task panicked with, on the stack of the panic,
// and the other tasks run on. t is the task; nil if it was a posted function. Call it before Run.
func (l *Loop) OnPanic(f func(fault any, t Task)) { l.onPanic = f }

// Run turns until Stop.
func (l *Loop) Run() {
	l.yielded = l.now
	for !l.stopped.Load() {
		l.turns()
	}
}

// turns turns until Stop, or until a task panics.
func (l *Loop) turns() {
	if l.onPanic != nil {
		defer l.survive()
	}
	for !l.stopped.Load() {
		before := l.now
		l.Turn(true)
		l.yield(before)
	}
}

// survive queues again what the panic of a task has kept from running.
func (l *Loop) survive() {
	fault := recover()
	if fault == nil {
		return
	}
	rest := l.mailbox.unfinished()
	for _, f := range rest {
		l.Post(f)
	}
	for i, w := range l.running {
		if w != nil {
			l.running[i] = nil
			l.woken = append(l.woken, w)
		}
	}
	l.onPanic(fault, l.current)
}

// yieldInterval is how long turns may follow each other until other goroutines may run. A turn that lasts
// longer has as a rule been parked in Wait, where they could; if not, sysmon preempts it.
const yieldInterval = 8 * time.Millisecond

// yield lets Go's scheduler run other goroutines before sysmon would preempt this one, which it does with
// a signal after 10 ms (sysmon and retake in runtime/proc.go).
func (l *Loop) yield(before time.Time) {
	if l.now.Sub(before) > yieldInterval {
		l.yielded = l.now
	} else if l.now.Sub(l.yielded) > yieldInterval {
		l.yielded = l.now
		runtime.Gosched()
	}
}

// Turn reads the kernel's events once, waiting for them if it may and there is nothing
// else to do; wakes the tasks that they concern; and runs the woken until none is left or
// the pass limit is reached. It returns whether anything happened. Unless it did, no task
// is queued.
func (l *Loop) Turn(wait bool) bool {
	until := l.now // poll
	if wait && len(l.woken)+len(l.later) == 0 {
		until = l.timers.next()
	}
	n := l.kernel.Wait(l.events, until)
	l.now = l.kernel.Now() // one clock reading a turn
	l.timers.now = l.now.Sub(l.timers.start)
	l.activity.turned(n)
	for _, e := range l.events[:n] {
		l.table.dispatch(e)
	}
	some := l.mailbox.runPosted()
	some = l.timers.expire() || some
	l.woken = append(l.woken, l.later...)
	clear(l.later)
	l.later = l.later[:0]
	some = len(l.woken) > 0 || some
	for pass := 0; pass < maxPasses && len(l.woken) > 0; pass++ {
		l.runWoken()
	}
	return n > 0 || some
}

// runWoken runs one pass: the tasks that are queued now. Those woken meanwhile run in the next.
func (l *Loop) runWoken() {
	l.running, l.woken = l.woken, l.running[:0]
	for i, w := range l.running {
		l.running[i] = nil
		l.current = w.task
		w.run()
	}
	l.running = l.running[:0]
	l.current = nil
}

// Kernel returns what the loop was made with.
func (l *Loop) Kernel() Kernel { return l.kernel }

// Watched is how many descriptors the loop watches.
func (l *Loop) Watched() int { return len(l.table.slots) - len(l.table.free) }

// Now returns the time at which the present turn began. Timers count from it.
func (l *Loop) Now() time.Time { return l.now }

// Close releases what the kernel holds for the loop. It is called when Run has returned,
// and does not close descriptors: their owners do.
func (l *Loop) Close() {
	l.mailbox.close()
	l.kernel.Release()
}

// A table says which descriptor an event is about. A slot's generation changes when its
// descriptor is closed, so that events of one that was closed earlier in the same batch,
// or whose number is used again, are ignored.
type table struct {
	slots []slot
	free  []int32
}

type slot struct {
	fd         *FD
	generation int32
}

// add gives fd a slot, and returns the generation.
func (t *table) add(fd *FD) (generation int32) {
	if n := len(t.free); n > 0 {
		fd.slot, t.free = t.free[n-1], t.free[:n-1]
	} else {
		fd.slot = int32(len(t.slots))
		t.slots = append(t.slots, slot{})
	}
	s := &t.slots[fd.slot]
	s.fd = fd
	return s.generation
}

func (t *table) remove(fd *FD) {
	s := &t.slots[fd.slot]
	s.fd = nil
	s.generation++
	t.free = append(t.free, fd.slot)
}

func (t *table) dispatch(e Event) {
	if s := &t.slots[e.Slot]; s.fd != nil && s.generation == e.Generation {
		s.fd.handle(e.Bits)
	}
}
