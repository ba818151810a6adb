package loop

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// parking parks the goroutine of a loop that has nothing to do, so that it holds neither a thread nor a P
// and sysmon sleeps. It is an outer epoll, which Go's netpoller watches as a file, and in which the loop's
// own epoll is registered, but only while the goroutine is parked. Were it always registered, each edge
// would have to pass through all three and wake the netpoller's thread: a kept-alive GET would cost a
// seventh more CPU, and its 99th percentile half as much time again.
type parking struct {
	inner    int // the loop's epoll
	outer    int // owned by file
	file     *os.File
	conn     syscall.RawConn // of file
	deadline bool            // the file has one
}

// open makes the outer epoll for the loop's.
func (p *parking) open(inner int) error {
	outer, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(outer, true); err != nil { // else os.File would not be polled
		unix.Close(outer)
		return os.NewSyscallError("fcntl", err)
	}
	p.inner, p.outer, p.file = inner, outer, os.NewFile(uintptr(outer), "outer epoll")
	if err := p.file.SetReadDeadline(time.Time{}); err != nil {
		return err // the netpoller does not accept it
	}
	p.conn, err = p.file.SyscallConn()
	return err
}

func (p *parking) close() {
	if p.file != nil {
		p.file.Close()
	}
	p.file, p.conn = nil, nil
}

// wait parks the goroutine until the inner epoll has events and poll has found them, or until the deadline;
// zero is none. If it cannot, for want of memory, it returns at once.
func (p *parking) wait(poll func(uintptr) bool, until time.Time) {
	if wanted := !until.IsZero(); wanted || p.deadline {
		p.deadline = wanted
		p.file.SetReadDeadline(until)
	}
	e := unix.EpollEvent{Events: unix.EPOLLIN}
	if epollCtl(p.outer, unix.EPOLL_CTL_ADD, p.inner, &e) != nil {
		return
	}
	p.conn.Read(poll)
	epollCtl(p.outer, unix.EPOLL_CTL_DEL, p.inner, nil)
}
