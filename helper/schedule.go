package helper

import "golang.org/x/sys/unix"

// humble has a new process wait for its turn: SCHED_BATCH (sched(7)) gives it as much of the processor
// as any other, but it does not push aside whoever wakes it. A helper that did would stop us right
// behind the question that we wrote to it, with others still to write, and every question would cost
// two more switches between processes. It wakes us as before when it answers.
//
// A process that was given another policy than the usual by whoever started us keeps it, and one
// that may not be changed stays as it is.
func humble(pid int) {
	attr, err := unix.SchedGetAttr(pid, 0)
	if err != nil || attr.Policy != unix.SCHED_NORMAL {
		return
	}
	attr.Policy = unix.SCHED_BATCH
	_ = unix.SchedSetAttr(pid, attr, 0)
}
