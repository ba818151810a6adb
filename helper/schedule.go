package helper

import "golang.org/x/sys/unix"

// setBatchScheduling gives a new process the policy SCHED_BATCH (sched(7)): it gets as much of the
// processor as any other, but does not preempt whoever wakes it. A helper that did would stop us right
// behind the question that we wrote to it, with others still to write, and every question would cost
// two more context switches. When it answers it still wakes us at once.
//
// A process that has inherited another policy than the usual one keeps it, and so does one that may
// not be changed.
func setBatchScheduling(pid int) {
	attr, err := unix.SchedGetAttr(pid, 0)
	if err != nil || attr.Policy != unix.SCHED_NORMAL {
		return
	}
	attr.Policy = unix.SCHED_BATCH
	_ = unix.SchedSetAttr(pid, attr, 0)
}
