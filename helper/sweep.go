package helper

import (
	"syscall"
	"time"
)

// sweepEvery is how often it is looked whether anybody is left of a group.
const sweepEvery = 20 * time.Millisecond

// leftOthers reports whether others are left of the group that the process has led, which was reaped. Its number is
// nobody else's as long as the group has members; where another process has it, it was given away since.
func (p *process) leftOthers() bool {
	return syscall.Kill(-p.os.Pid, 0) == nil && syscall.Kill(p.os.Pid, 0) == syscall.ESRCH
}

// Sweep terminates what is left of the group, and kills it after the grace of Kill, or exitTimeout. What is there
// a while later has ended, and nobody reaps it.
func (p *process) Sweep() {
	syscall.Kill(-p.os.Pid, syscall.SIGTERM)
	began, grace := time.Now(), exitTimeout
	for time.Since(began) < grace+killAgain && p.leftOthers() {
		if wanted := time.Duration(p.grace.Swap(-1)); wanted >= 0 {
			grace = min(grace, time.Since(began)+wanted)
		}
		if time.Since(began) >= grace {
			syscall.Kill(-p.os.Pid, syscall.SIGKILL)
		}
		time.Sleep(sweepEvery)
	}
}
