package helper

import (
	"errors"
	"runtime"
	"sync"
	"syscall"
)

// The runtime has to have some threads to spare before the first child is started, one more before each of the next, and in the
// end more than ever block at once in what else we do, which is to write logs and to read files. So where there is room for few
// (RLIMIT_NPROC, pids.max) children have their part of it.
const (
	firstThreads = 4
	mostThreads  = 12
)

// forker starts the children of all pools, one after the other, on a thread of its own, which lasts as long as we: when the thread
// that has started a child ends, the kernel takes us for dead and kills it (PR_SET_PDEATHSIG), and a thread of the runtime's may end.
var forker = &forkingThread{calls: make(chan func())}

// A forkingThread is a thread that makes processes.
type forkingThread struct {
	calls   chan func()
	runs    sync.Once
	started int // used on the thread
}

// spawn starts a child on the thread. What it needs is opened there too, so that those that wait for their turn have nothing open.
func (f *forkingThread) spawn(c *Config) (p *process, err error) {
	f.runs.Do(func() { go f.serve() })
	done := make(chan struct{})
	f.calls <- func() {
		defer close(done)
		if n := firstThreads + f.started; n <= mostThreads {
			err = reserveThreads(n)
		}
		if err == nil {
			p, err = spawn(c)
		}
		if err == nil {
			f.started++
		}
	}
	<-done
	return p, err
}

func (f *forkingThread) serve() {
	runtime.LockOSThread()
	for call := range f.calls {
		call()
	}
}

// reserveThreads has the runtime make threads, which it keeps for when it needs some; or returns why that cannot be, as when the user
// has as many processes and threads as he may (RLIMIT_NPROC, pids.max): EAGAIN or ENOMEM. When the runtime needs one later and
// can have none it would end the program, with all its clients. It would here; so before each a process is tried whose program is none.
func reserveThreads(n int) error {
	enough := make(chan struct{})
	var all sync.WaitGroup
	defer all.Wait() // or the next to need a thread had a new one made
	defer close(enough)
	for range n {
		if err := roomForProcess(); err != nil {
			return err
		}
		made := make(chan struct{})
		all.Go(func() {
			runtime.LockOSThread()
			close(made)
			<-enough
			runtime.UnlockOSThread()
		})
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
