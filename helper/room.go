package helper

import (
	"errors"
	"runtime"
	"sync"
	"syscall"
)

// oneStart has children started one after the other, or several would find the same room.
var oneStart sync.Mutex

// spareThreads is how many threads the runtime has to have that nothing needs, before a child is started: the child's
// goroutine keeps one, and the others are for what else blocks until the next is started.
const spareThreads = 4

// roomForThreads has the runtime make threads to spare; or returns why none can be made, as when the user has as many processes
// and threads as he may (RLIMIT_NPROC, pids.max): EAGAIN or ENOMEM. The runtime would not ask but end the program when it needs
// one, with all its clients. So before each a process is tried whose program is none.
func roomForThreads() error {
	enough := make(chan struct{})
	defer close(enough)
	for range spareThreads {
		if err := roomForProcess(); err != nil {
			return err
		}
		made := make(chan struct{})
		go func() {
			runtime.LockOSThread()
			close(made)
			<-enough
			runtime.UnlockOSThread()
		}()
		<-made
	}
	return nil
}

// roomForProcess starts nothing, and returns an error if that fails for want of room.
func roomForProcess() error {
	const noProgram = "/"
	_, err := syscall.ForkExec(noProgram, []string{noProgram}, &syscall.ProcAttr{})
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.ENOMEM) {
		return err
	}
	return nil
}
