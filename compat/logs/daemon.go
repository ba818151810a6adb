package logs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"exaproxy/compat/account"
	"exaproxy/compat/conf"
)

// A daemonLog gives lines to a program of logfile_daemon, in Squid's words for it, by a socket that is its standard input
// and output:
//
//	r3          so many old files are kept
//	b0          1 under buffered_logs on
//	Ltext       a line of the log
//	F           what was given is to be written
//	R           it is time to rotate
//
// The end of its input is the end of its log. Its argument is the path of the log. One that ends is started anew, and gets
// what it may not have written once more.
type daemonLog struct {
	program string
	path    string
	keep    int
	buffer  bool
	owner   *account.User
	errors  string // the path of cache.log, where it writes what it has to complain of; "": nowhere

	child *os.Process
	to    *os.File
	out   []byte // what the child is to read next
	of    int    // how many bytes of lines that is
}

// chunk is how many bytes of lines are put in Squid's words at a time.
const chunk = 64 << 10

// start starts the program. It runs as the user whom the proxy becomes.
func (o *daemonLog) start() error {
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	theirs := os.NewFile(uintptr(ends[1]), o.program)
	defer theirs.Close()
	unix.SetNonblock(ends[0], true)
	ours := os.NewFile(uintptr(ends[0]), o.program)
	complaints := o.complaints()
	defer complaints.Close()
	o.child, err = os.StartProcess(o.program, []string{filepath.Base(o.program), o.path}, &os.ProcAttr{
		Files: []*os.File{theirs, theirs, complaints}, Env: os.Environ(), Sys: o.attributes()})
	if err != nil {
		ours.Close()
		o.child = nil
		return fmt.Errorf("logfile_daemon %s: %s", o.program, conf.SystemText(err))
	}
	o.to = ours
	o.out, o.of = fmt.Appendf(nil, "r%d\nb%d\nF\n", o.keep, boolDigit(o.buffer)), 0
	return nil
}

func boolDigit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// attributes are with whose rights the program runs. It has a session of its own, so that nobody's terminal ends it.
func (o *daemonLog) attributes() *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setsid: true}
	if u := o.owner; u != nil && u.UID != 0 && os.Geteuid() == 0 {
		a.Credential = &syscall.Credential{Uid: u.UID, Gid: u.GID, Groups: []uint32{u.GID}}
	}
	return a
}

// complaints is its standard error.
func (o *daemonLog) complaints() *os.File {
	if o.errors != "" && standardStream(o.errors) == nil {
		if file, err := o.owner.Append(o.errors); err == nil {
			return file
		}
	}
	file, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil // the program gets a closed one
	}
	return file
}

// greet says what the program has to know before there is a line.
func (o *daemonLog) greet() error {
	if o.to != nil {
		o.to.SetWriteDeadline(time.Now().Add(pipeTimeout))
		o.write() // the first line tells if it has ended
	}
	return nil
}

func (o *daemonLog) put(lines []byte) (n int, err error) {
	if o.to != nil && hasLeft(o.to) {
		o.end()
		return 0, o.hasEnded(nil)
	}
	if o.to == nil {
		if err := o.start(); err != nil {
			return 0, err
		}
	}
	o.to.SetWriteDeadline(time.Now().Add(pipeTimeout))
	for {
		if err := o.write(); err != nil {
			return n, err
		}
		n, o.of = n+o.of, 0
		if n == len(lines) {
			return n, nil
		}
		o.say(lines[n:])
	}
}

// say puts lines in the program's words.
func (o *daemonLog) say(lines []byte) {
	o.of = whole(lines, chunk)
	for lines = lines[:o.of]; len(lines) > 0; {
		n := lineLength(lines)
		o.out = append(append(o.out, 'L'), lines[:n]...)
		lines = lines[n:]
	}
	o.out = append(o.out, "F\n"...)
}

// write writes what the program is to read. One that has ended is to be started anew.
func (o *daemonLog) write() error {
	n, err := o.to.Write(o.out)
	o.out = append(o.out[:0], o.out[n:]...)
	if err == nil || isLate(err) {
		return err
	}
	o.end()
	return o.hasEnded(err)
}

// hasEnded is what is logged of a program that is to be started anew.
func (o *daemonLog) hasEnded(err error) error {
	if err == nil {
		return fmt.Errorf("logfile_daemon %s has ended, and is started anew", o.program)
	}
	return fmt.Errorf("logfile_daemon %s has ended, and is started anew: %w", o.program, err)
}

func (o *daemonLog) rotate() {
	if o.to == nil {
		return
	}
	o.out = append(o.out, "R\nF\n"...)
	o.greet()
}

func (o *daemonLog) lost() int { return 0 }

func (o *daemonLog) close() {
	if o.to == nil {
		return
	}
	o.to.SetWriteDeadline(time.Now().Add(pipeTimeout))
	if len(o.out) > 0 {
		o.write()
	}
	o.end()
}

// end ends the program: it sees the end of its input, and after a while signals.
func (o *daemonLog) end() {
	if o.to == nil {
		return
	}
	o.to.Close()
	for _, sig := range []syscall.Signal{0, syscall.SIGTERM, syscall.SIGKILL} {
		if sig != 0 {
			o.child.Signal(sig)
		}
		if o.ended() {
			break
		}
	}
	o.child.Release()
	o.to, o.child, o.out, o.of = nil, nil, nil, 0
}

// ended waits half a second for the program's end.
func (o *daemonLog) ended() bool {
	for range 50 {
		pid, err := unix.Wait4(o.child.Pid, nil, unix.WNOHANG, nil)
		if pid == o.child.Pid || errors.Is(err, unix.ECHILD) {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}
