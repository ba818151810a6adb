package engine

import (
	"runtime/debug"
	"time"

	"exaproxy/engine/loop"
)

// faultsEvery is how often the stack of a fault of ours is logged: whoever has found an input that
// makes us panic could fill the disk with it.
const faultsEvery = 10 * time.Second

// faults limits what is logged of faults of ours.
type faults struct {
	logged   time.Time // the last one
	unlogged int       // since then
}

// report logs a fault with the stack of the panic, on which it is called, unless one was logged a
// moment ago.
func (f *faults) report(w *worker, what string, fault any, attrs ...any) {
	now := w.loop.Now()
	if !f.logged.IsZero() && now.Sub(f.logged) < faultsEvery {
		f.unlogged++
		return
	}
	attrs = append(attrs, "fault", fault, "stack", string(debug.Stack()))
	if f.unlogged > 0 {
		attrs = append(attrs, "more since the last message", f.unlogged)
	}
	f.logged, f.unlogged = now, 0
	w.log.Error(what, attrs...)
}

// An aborter is a task that can end what it is about after it panicked, so that nobody waits for it.
type aborter interface{ Abort() }

// taskPanicked makes a fault of ours in any task of the loop cost that task alone. Those that serve
// clients recover by themselves.
func (w *worker) taskPanicked(fault any, t loop.Task) {
	w.faults.report(w, "a fault of ours; please report it", fault)
	if a, ok := t.(aborter); ok {
		defer func() { recover() }() // it was reported, and leaves what it left
		a.Abort()
	}
}
