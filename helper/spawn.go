package helper

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A Spawner starts children. Spawn is called on the goroutine of the n-th child, counted from
// 1, and may block. It must not change c.
type Spawner interface {
	Spawn(c *Config, n int) (Process, error)
}

// A Process is a child that runs.
//
// Wait blocks until it has ended, and returns how; it is called once, on the child's goroutine. As soon
// as the process waits for its first question it calls ready, once. All else is called on the loop's, and must not block.
type Process interface {
	Questions() int // descriptor to write to, non-blocking; the loop takes it over
	Answers() int   // descriptor to read from, likewise; it may be the same, a socket's
	PID() int
	Wait(ready func()) Ending

	// Kill ends it, and its group, by force after grace; harmless once it has ended, and when repeated, as with less grace.
	Kill(grace time.Duration)
	// Sweep ends what it has left behind in its group, as Kill would. It blocks until nothing is left, and is
	// called on the child's goroutine, after Wait.
	Sweep()
	// Look has the child's goroutine look whether the process, with all that it has started, does nothing but wait for
	// its next line, and call seen.
	Look(seen func(reading bool))
}

// An Ending is how a process has ended.
type Ending struct {
	How    string // "exit status 1", "signal: killed"
	Failed bool   // by a fault of its own: not by Kill or another's wish, not with status 0
	Left   bool   // others of its group are still there
}

// processSpawner is the Spawner of this machine.
type processSpawner struct{}

// Spawn starts the program with nothing of ours but descriptors 0, 1 and 2, in a session of
// its own. Should we be killed, the kernel kills it (PR_SET_PDEATHSIG; but for a program that changes its user).
func (processSpawner) Spawn(c *Config, _ int) (Process, error) {
	process, err := forker.spawn(c)
	switch {
	case errors.Is(err, syscall.EAGAIN):
		return nil, fmt.Errorf("start %s: %w: there may be no more processes and threads (ulimit -u, TasksMax=, pids.max)", c.Name, err)
	case err != nil:
		return nil, fmt.Errorf("start %s: %w", c.Name, err) // not a nil *process
	}
	return process, nil
}

func spawn(c *Config) (p *process, err error) {
	p = &process{log: lineWriter{to: c.Stderr, limit: c.stderrLimit}}
	p.grace.Store(-1)
	var pipes pipes
	defer pipes.closeTheirs()
	if err = pipes.open(c.PTY == PTYOn); err == nil {
		err = p.awaited.open()
	}
	if err == nil {
		err = p.awaited.add(pipes.stderr)
	}
	if err == nil {
		p.os, err = startProgram(c, pipes.theirs[:])
	}
	if err != nil {
		pipes.closeOurs()
		p.awaited.close()
		return nil, err
	}
	p.questions, p.answers, p.stderr = pipes.questions, pipes.answers, pipes.stderr
	p.input = newInputWatch(p.os.Pid, p.questions, int(pipes.theirs[1].Fd()))
	return p, nil
}

// startProgram starts the program of c.
func startProgram(c *Config, files []*os.File) (*os.Process, error) {
	if len(c.Argv) == 0 {
		return nil, Check(c.Argv)
	}
	path, err := filepath.Abs(c.Argv[0]) // the child changes to c.Dir before it looks
	if err != nil {
		return nil, err
	}
	// What was left open when we were started would be open in the child too. Before Linux 5.11
	// it is.
	unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC)
	attr := &os.ProcAttr{
		Dir: c.Dir, Env: c.Env, Files: files,
		Sys: &syscall.SysProcAttr{Setsid: true, Credential: c.Credential, Pdeathsig: syscall.SIGKILL},
	}
	started, err := os.StartProcess(path, c.Argv, attr)
	if errors.Is(err, syscall.ENOEXEC) { // a script without "#!" is the shell's, as in execvp(3)
		started, err = os.StartProcess("/bin/sh", append([]string{"sh", path}, c.Argv[1:]...), attr)
	}
	if err != nil {
		return nil, explain(c, err)
	}
	setBatchScheduling(started.Pid)
	return started, nil
}

// explain returns why a program could not be started, more precisely than the kernel if it can:
// ENOENT is also what a missing interpreter or directory gives.
func explain(c *Config, err error) error {
	if better := Check(c.Argv); better != nil {
		return better
	}
	if _, better := os.Stat(c.Dir); better != nil && c.Dir != "" {
		return better
	}
	return err
}

// pipes connect us and a child.
type pipes struct {
	theirs                     [3]*os.File // standard input, output, error; blocking
	questions, answers, stderr int         // our ends; non-blocking
}

// open makes the pipes. Every end is close-on-exec: the child gets duplicates of its own.
func (p *pipes) open(terminal bool) (err error) {
	p.questions, p.answers, p.stderr = -1, -1, -1
	if p.questions, p.theirs[0], err = pipeTo(); err != nil {
		return err
	}
	if p.stderr, p.theirs[2], err = pipeFrom(); err != nil {
		return err
	}
	if terminal {
		p.answers, p.theirs[1], err = openTerminal()
	} else {
		p.answers, p.theirs[1], err = pipeFrom()
	}
	return err
}

// pipeTo makes a pipe to the child.
func pipeTo() (ours int, theirs *os.File, err error) {
	read, write, err := pipe()
	if err != nil {
		return -1, nil, err
	}
	return nonblocking(write, os.NewFile(uintptr(read), "stdin"))
}

// pipeFrom makes a pipe from the child.
func pipeFrom() (ours int, theirs *os.File, err error) {
	read, write, err := pipe()
	if err != nil {
		return -1, nil, err
	}
	return nonblocking(read, os.NewFile(uintptr(write), "stdout"))
}

func pipe() (read, write int, err error) {
	var ends [2]int
	err = unix.Pipe2(ends[:], unix.O_CLOEXEC)
	return ends[0], ends[1], os.NewSyscallError("pipe2", err)
}

// nonblocking makes our end non-blocking. The other is the child's, and it must block there:
// few programs know what to do about EAGAIN.
func nonblocking(ours int, theirs *os.File) (int, *os.File, error) {
	if err := unix.SetNonblock(ours, true); err != nil {
		unix.Close(ours)
		theirs.Close()
		return -1, nil, os.NewSyscallError("fcntl", err)
	}
	return ours, theirs, nil
}

// closeTheirs closes the child's ends, of which it has duplicates by now.
func (p *pipes) closeTheirs() {
	for _, f := range p.theirs {
		f.Close() // os.File does nothing on nil
	}
}

func (p *pipes) closeOurs() {
	for _, sys := range []int{p.questions, p.answers, p.stderr} {
		if sys >= 0 {
			unix.Close(sys)
		}
	}
}
