package helper

import (
	"errors"
	"os"
	"runtime"
	"sync"
	"syscall"
)

// reservedThreads is how many threads the runtime has to have before the first child is started, beside those that it has
// then: more than ever block at once in what else we do, which is to write logs and to read files.
const reservedThreads = 24

// forker starts the children of all pools, one after the other, on a thread of its own, which lasts as long as we: when the thread
// that has started a child ends, the kernel takes us for dead and kills it (PR_SET_PDEATHSIG), and a thread of the runtime's may end.
var forker = &forkingThread{calls: make(chan func())}

// A forkingThread is a thread that makes processes.
type forkingThread struct {
	mu    sync.Mutex
	runs  bool
	calls chan func()
}

// start is os.StartProcess on the thread.
func (f *forkingThread) start(path string, argv []string, attr *os.ProcAttr) (started *os.Process, err error) {
	if err = f.run(); err != nil {
		return nil, err
	}
	done := make(chan struct{})
	f.calls <- func() {
		defer close(done)
		started, err = os.StartProcess(path, argv, attr)
	}
	<-done
	return started, err
}

// run starts the thread if it does not run yet; and before it the reserve.
func (f *forkingThread) run() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.runs {
		return nil
	}
	if err := reserveThreads(reservedThreads); err != nil {
		return err
	}
	f.runs = true
	go f.serve()
	return nil
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
	defer close(enough)
	for range n {
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
