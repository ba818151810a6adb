package loop

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A porch is where a loop waits that has nothing to do: a second event queue, which Go's own poller
// watches, and in which the loop's event queue is a descriptor like any other, but only while the
// loop is there. If it were always there, each edge would have to climb through all queues and wake the
// poller's thread: a kept-alive GET would cost a seventh more CPU, and its 99th percentile half as much
// time again.
//
// The goroutine that is parked here holds neither a thread nor a place on the processor, and Go's
// watchman sleeps.
type porch struct {
	queue int // the loop's
	outer int // owned by file
	file  *os.File
	door  syscall.RawConn
	timed bool // the file has a deadline
}

// open makes the porch of an event queue.
func (p *porch) open(queue int) error {
	outer, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(outer, true); err != nil { // else os.File would not be polled
		unix.Close(outer)
		return os.NewSyscallError("fcntl", err)
	}
	p.queue, p.outer, p.file = queue, outer, os.NewFile(uintptr(outer), "porch")
	if err := p.file.SetReadDeadline(time.Time{}); err != nil {
		return err // Go's poller does not take it
	}
	p.door, err = p.file.SyscallConn()
	return err
}

func (p *porch) close() {
	if p.file != nil {
		p.file.Close()
	}
	p.file, p.door = nil, nil
}

// wait parks the goroutine until something came to the queue and peek says that it was there, or
// until the deadline, which zero time is none. If it cannot, for want of memory, it returns at once.
func (p *porch) wait(peek func(uintptr) bool, until time.Time) {
	if timed := !until.IsZero(); timed || p.timed {
		p.timed = timed
		p.file.SetReadDeadline(until)
	}
	news := unix.EpollEvent{Events: unix.EPOLLIN}
	if control(p.outer, unix.EPOLL_CTL_ADD, p.queue, &news) != nil {
		return
	}
	p.door.Read(peek)
	control(p.outer, unix.EPOLL_CTL_DEL, p.queue, nil)
}
