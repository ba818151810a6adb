package helper

import (
	"fmt"
	"os"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// openTerminal makes a pseudo-terminal for a child's standard output, which makes its stdio
// write every line at once. Nothing else of the child is a terminal: the questions come
// through a pipe, so that there is no echo, no limit to a line's length, and no character
// that means something to a terminal.
func openTerminal() (ours int, theirs *os.File, err error) {
	near, far, err := pty.Open()
	if err != nil {
		return -1, nil, fmt.Errorf("open a pseudo-terminal: %w", err)
	}
	defer near.Close()
	if err = setRawOutput(int(far.Fd())); err == nil { // Fd makes it blocking, which the child needs
		ours, err = unix.FcntlInt(near.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	}
	if err != nil {
		far.Close()
		return -1, nil, fmt.Errorf("set up a pseudo-terminal: %w", err)
	}
	return nonblocking(ours, far)
}

// plain has the terminal pass on what is written as it is (no OPOST: a line feed stays one
// byte) and send nothing back (no ECHO).
func setRawOutput(sys int) error {
	t, err := unix.IoctlGetTermios(sys, unix.TCGETS)
	if err != nil {
		return os.NewSyscallError("ioctl TCGETS", err)
	}
	t.Oflag &^= unix.OPOST
	t.Lflag &^= unix.ECHO | unix.ECHONL
	return os.NewSyscallError("ioctl TCSETS", unix.IoctlSetTermios(sys, unix.TCSETS, t))
}
