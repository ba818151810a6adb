package engine

import (
	"runtime/debug"
	"time"

	"exaproxy/engine/loop"
)

// faultsEvery is how often the stack of a fault of ours is logged: whoever has found an input that
// makes us panic could fill the disk with it.
const faultsEvery = 10 * time.Second

// reportFault logs a fault of ours with the stack of the panic, on which it is called, unless one was
// logged a moment ago.
func (w *worker) reportFault(what string, fault any, attrs ...any) {
	suppressed, ok := w.faults.Allow(w.loop.Now(), faultsEvery)
	if !ok {
		return
	}
	attrs = append(attrs, "fault", fault, "stack", string(debug.Stack()))
	if suppressed > 0 {
		attrs = append(attrs, "more since the last message", suppressed)
	}
	w.log.Error(what, attrs...)
}

// An aborter is a task that can end what it is about after it panicked, so that nobody waits for it.
type aborter interface{ Abort() }

// taskPanicked makes a fault of ours in any task of the loop cost that task alone. Those that serve
// clients recover by themselves.
func (w *worker) taskPanicked(fault any, t loop.Task) {
	w.reportFault("a fault of ours; please report it", fault)
	if a, ok := t.(aborter); ok {
		defer func() { recover() }() // it was reported, and leaves what it left
		a.Abort()
	}
}
