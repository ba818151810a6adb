// Package loop runs tasks on one goroutine: an event loop over descriptors, timers and
// messages from elsewhere.
//
// A worker calls Run on its goroutine, and everything the loop gives out is used there
// and nowhere else; only Post and Stop may be called from other goroutines. Each worker
// has a loop of its own, and loops share nothing but listening descriptors.
//
// A Loop is made on a Kernel, turns until Stop, and is closed when Run has returned. One
// turn reads the kernel's events once, remembers on each FD what they report, wakes the
// owners, runs what was posted, wakes the owners of timers that expired, and then runs
// the tasks that were woken, and those that these wake, in up to eight passes. There are
// no callbacks with arguments: a woken task looks for itself what has changed.
// Descriptors are reported once per change (edge-triggered), and FD remembers it. From
// that follows the one rule: wait for a descriptor only after it returned ErrAgain.
//
// The package never starts a goroutine, never blocks except in Wait, never logs, and
// knows no protocol above TCP and UDP. It does not recover panics of tasks: who wants to
// survive them recovers in the task.
//
//	type echo struct{ fd *loop.FD; buf [4096]byte }
//
//	func (e *echo) Run() {
//		for {
//			n, err := e.fd.Read(e.buf[:])
//			if err == loop.ErrAgain {
//				return // woken again when there is more
//			} else if err != nil {
//				e.fd.Close()
//				return
//			}
//			e.fd.Write(e.buf[:n]) // a real one keeps what is not written
//		}
//	}
package loop
