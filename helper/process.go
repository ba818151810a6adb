package helper

import (
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	exitPollInterval = 500 * time.Millisecond // looking for the end of a process, on kernels that do not report it
	killAgain        = time.Second            // between two times SIGKILL, for those that are born meanwhile
	maxStderrReads   = 32                     // reads of standard error at a time

	lookAfter  = time.Millisecond       // the first look whether a process waits for input; then ever more seldom
	maxLook    = 50 * time.Millisecond  // between two looks
	blindReady = 200 * time.Millisecond // for which a process that counts as ready cannot be looked at

	// asleepReady is for how long in all a process that holds its input has to sleep to count as ready: some
	// look for a line now and then and never wait for one. A shorter sleep is that of a program which starts.
	// What it works meanwhile counts for nothing, since that takes as long as the machine is busy.
	asleepReady = 15 * time.Second
)

// looks are as many as look at processes in /proc at a time, where each may have to wait, on a thread, until the process is there.
var looks = make(chan struct{}, 4)

// A process is a Process of this machine. Its goroutine, the one in Wait, waits for three
// things at once: standard error, the process's end, and Kill or Look. Until the process is ready it also looks
// at it every now and then. It holds no thread while it waits.
type process struct {
	os                         *os.Process
	questions, answers, stderr int
	awaited                    awaited // also woken by Kill and Look
	log                        lineWriter
	input                      inputWatch
	started                    time.Time
	looked                     time.Time     // when it was looked at last
	slept                      time.Duration // for which it was seen asleep
	blind                      time.Time     // since when it cannot be looked at, if blindLooks is not 0
	blindLooks                 int           // in a row
	ready                      func()        // nil: it was called
	killed                     bool
	killAt                     time.Time                  // when to send SIGKILL
	grace                      atomic.Int64               // that Kill was called with; negative: it was not
	seen                       atomic.Pointer[func(bool)] // that Look was called with
	buf                        [4096]byte
}

func (p *process) Questions() int { return p.questions }
func (p *process) Answers() int   { return p.answers }
func (p *process) PID() int       { return p.os.Pid }

// Kill has the process's goroutine terminate it, and kill it if that does not help. That
// goroutine alone sends signals, since it knows that the process is not reaped yet and its PID
// not another's.
func (p *process) Kill(grace time.Duration) {
	p.grace.Store(int64(grace))
	p.awaited.wake()
}

// Look has the process's goroutine look at it.
func (p *process) Look(seen func(reading bool)) {
	p.seen.Store(&seen)
	p.awaited.wake()
}

// Wait copies what the process writes to its standard error until it ends. Processes that it has left
// behind may still hold its descriptors; no more of their standard error is read than is there at that
// moment. ready is called once, when the process is seen to be ready for its input.
func (p *process) Wait(ready func()) Ending {
	p.ready, p.started = ready, time.Now()
	p.looked = p.started
	if err := p.os.WithHandle(func(pidfd uintptr) { p.watch(int(pidfd)) }); err != nil {
		p.watch(-1) // before Linux 5.4
	}
	p.copyStderr()
	p.log.flush()
	if p.killed {
		p.signal(syscall.SIGKILL) // and with it what is left of its group
	}
	unix.Close(p.stderr)
	state, err := p.os.Wait()
	p.awaited.close()
	if err != nil {
		return Ending{How: err.Error(), Failed: !p.killed}
	}
	return Ending{How: state.String(), Failed: !p.killed && crashed(state.Sys().(syscall.WaitStatus)), Left: p.leftOthers()}
}

// crashed reports whether a process ended by a fault of its own, and was not asked to end: by a signal
// that administrators send, or by a status with which shells tell of one.
func crashed(s syscall.WaitStatus) bool {
	number := s.ExitStatus() - 128
	if s.Signaled() {
		number = int(s.Signal())
	}
	switch syscall.Signal(number) {
	case syscall.SIGTERM, syscall.SIGKILL, syscall.SIGINT, syscall.SIGHUP:
		return false
	}
	return s.Signaled() || s.ExitStatus() != 0
}

// lookAgain calls ready if the process has become so, and returns when to look again; negative: never.
func (p *process) lookAgain() time.Duration {
	if p.ready == nil || p.killed {
		return -1
	}
	looks <- struct{}{}
	seen := p.input.look()
	<-looks
	if seen == waiting || p.staysBlind(seen) || p.staysAsleep(seen) {
		p.ready()
		p.ready = nil
		return -1
	}
	return min(max(time.Since(p.started)/8, lookAfter), maxLook)
}

// staysAsleep reports whether the process has slept for long.
func (p *process) staysAsleep(seen sighting) bool {
	now := time.Now()
	if seen == asleep {
		p.slept += min(now.Sub(p.looked), 4*maxLook) // nobody knows what it did between looks that are farther apart
	}
	p.looked = now
	return p.slept >= asleepReady
}

// staysBlind reports whether the process cannot be looked at, for some time. One that starts another program
// or ends cannot for a moment.
func (p *process) staysBlind(seen sighting) bool {
	if seen != unknown {
		p.blindLooks = 0
		return false
	}
	if p.blindLooks++; p.blindLooks == 1 {
		p.blind = time.Now()
	}
	return p.blindLooks > 3 && time.Since(p.blind) >= blindReady
}

// watch returns when the process has ended. Without a pidfd (-1) it polls for that.
func (p *process) watch(pidfd int) {
	polls := pidfd < 0 || p.awaited.add(pidfd) != nil
	for stderr := true; !p.ended(); {
		p.awaited.wait(p.patience(polls, p.lookAgain()))
		if stderr && !p.copyStderr() {
			stderr = false
			p.awaited.remove(p.stderr)
		}
		p.obey()
		if p.killed && !time.Now().Before(p.killAt) {
			p.signal(syscall.SIGKILL)
			p.killAt = time.Now().Add(killAgain)
		}
	}
}

// obey does what Kill and Look have asked for.
func (p *process) obey() {
	if seen := p.seen.Swap(nil); seen != nil {
		looks <- struct{}{}
		reads := p.input.onlyReads()
		<-looks
		(*seen)(reads)
	}
	grace := time.Duration(p.grace.Swap(-1))
	if grace < 0 {
		return
	}
	if at := time.Now().Add(grace); !p.killed || at.Before(p.killAt) {
		p.killAt = at
	}
	if !p.killed {
		p.killed = true
		p.signal(syscall.SIGTERM)
	}
}

// patience returns how long the goroutine may wait, and no longer than until if that is not negative; negative: for ever.
func (p *process) patience(polls bool, until time.Duration) time.Duration {
	if p.killed {
		until = max(time.Until(p.killAt), 0)
	}
	if polls && (until < 0 || until > exitPollInterval) {
		until = exitPollInterval
	}
	return until
}

// ended reports whether the process has ended, and does not reap it.
func (p *process) ended() bool {
	var about unix.Siginfo
	err := unix.Waitid(unix.P_PID, p.os.Pid, &about, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	return err != nil && err != unix.EINTR || about.Signo != 0
}

// copyStderr copies what waits on standard error, and returns false at its end.
func (p *process) copyStderr() bool {
	for range maxStderrReads {
		n, err := unix.Read(p.stderr, p.buf[:])
		switch {
		case n > 0:
			p.log.write(p.buf[:n])
		case err == unix.EAGAIN:
			return true
		case err != unix.EINTR:
			return false
		}
	}
	return true
}

// signal sends a signal to the process and those it has started: a shell that runs the real
// helper would die alone. Children lead a session, and so a group, of their own.
func (p *process) signal(s syscall.Signal) {
	if syscall.Kill(-p.os.Pid, s) != nil {
		syscall.Kill(p.os.Pid, s)
	}
}
