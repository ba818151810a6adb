package helper

import (
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// awaited are the descriptors of a process that its goroutine waits for: in an epoll of their own, which Go's netpoller watches
// as a file, so that the goroutine holds no thread. Others may call wake.
type awaited struct {
	epoll int // owned by file
	file  *os.File
	conn  syscall.RawConn // of file
	woken atomic.Bool     // since the last wait
}

func (a *awaited) open() (err error) {
	if a.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	unix.SetNonblock(a.epoll, true) // else os.File would not be polled
	a.file = os.NewFile(uintptr(a.epoll), "epoll of a helper")
	if err = a.file.SetReadDeadline(time.Time{}); err != nil {
		return err // the netpoller does not accept it
	}
	a.conn, err = a.file.SyscallConn()
	return err
}

func (a *awaited) close() { a.file.Close() }

// add awaits that there is something to read of a descriptor, also what is there already.
func (a *awaited) add(fd int) error {
	e := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(a.epoll, unix.EPOLL_CTL_ADD, fd, &e))
}

// remove awaits it no more.
func (a *awaited) remove(fd int) { unix.EpollCtl(a.epoll, unix.EPOLL_CTL_DEL, fd, nil) }

// wake ends the wait that is on, or the next. It is harmless once all is closed.
func (a *awaited) wake() {
	a.woken.Store(true)
	a.file.SetReadDeadline(time.Unix(1, 0))
}

// wait returns when there is something to read, when it was woken, or after some time; if that is negative, never for that.
func (a *awaited) wait(most time.Duration) {
	var deadline time.Time
	if most >= 0 {
		deadline = time.Now().Add(most)
	}
	a.file.SetReadDeadline(deadline)
	if !a.woken.Swap(false) { // who wakes it from here on sets the deadline after us
		a.conn.Read(a.any)
	}
}

// any reports whether there is something to read.
func (a *awaited) any(uintptr) bool {
	var events [1]unix.EpollEvent
	n, err := unix.EpollWait(a.epoll, events[:], 0)
	return n > 0 || err != nil && err != unix.EINTR
}
