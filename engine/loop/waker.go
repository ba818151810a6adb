package loop

// A Task is what a loop runs. Run looks at what the task is about, does what can be done
// now, and returns; it must not block, and it may be run for nothing.
type Task interface{ Run() }

// A Waker queues its task. Descriptors, timers and other tasks wake a task only by its
// waker, and it does not carry what changed.
//
// It is used on the loop's goroutine only.
type Waker struct {
	loop   *Loop
	task   Task // nil: retired
	queued bool
}

// NewWaker returns a waker for the task.
func (l *Loop) NewWaker(t Task) *Waker { return &Waker{loop: l, task: t} }

// Wake queues the task, once: a task that is queued already stays where it is. A task
// that is woken while tasks run, be it by itself, runs in the next pass.
// On a nil Waker it does nothing.
func (w *Waker) Wake() {
	if w == nil || w.queued || w.task == nil {
		return
	}
	w.queued = true
	w.loop.woken = append(w.loop.woken, w)
}

// WakeNextTurn queues the task behind what the kernel is asked for next: for one that has had its share, and has
// more to do. Wake would have it run up to eight times before others hear of what has happened to them.
func (w *Waker) WakeNextTurn() {
	if w == nil || w.queued || w.task == nil {
		return
	}
	w.queued = true
	w.loop.later = append(w.loop.later, w)
}

// Retire forgets the task: it is never run again, even if it is queued now.
// On a nil Waker it does nothing.
func (w *Waker) Retire() {
	if w != nil {
		w.task = nil
	}
}

// run runs the task of a waker that was queued.
func (w *Waker) run() {
	w.queued = false // first, so that a task may wake itself
	if w.task != nil {
		w.task.Run()
	}
}
