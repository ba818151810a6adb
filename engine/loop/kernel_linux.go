package loop

import (
	"fmt"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// linux is the Kernel of this machine: epoll(7), with an eventfd(2) for Wakeup.
//
// System calls that cannot block are made by RawSyscall, so that Go's scheduler does not
// hand the P to another goroutine and back. Only Wait may block; wait_linux.go has it.
type linux struct {
	epoll   int
	wakeup  int // eventfd
	now     time.Time
	events  [maxEvents]unix.EpollEvent
	iov     [64]unix.Iovec
	message unix.Msghdr

	parking    parking
	pollParked func(uintptr) bool // what the parked goroutine polls with
	parkLimit  int                // events that it may read
	parkFound  int                // events that it has read
}

const wakeupSlot = -1

// Linux returns the kernel of this machine, for one loop.
func Linux() (Kernel, error) {
	k := &linux{epoll: -1, wakeup: -1, now: time.Now()}
	k.pollParked = k.newPollParked()
	if err := k.open(); err != nil {
		k.Release()
		return nil, fmt.Errorf("open epoll: %w", err)
	}
	return k, nil
}

func (k *linux) open() (err error) {
	if k.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	if k.wakeup, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return os.NewSyscallError("eventfd", err)
	}
	if err := k.register(k.wakeup, unix.EPOLLIN|unix.EPOLLET, wakeupSlot, 0); err != nil {
		return os.NewSyscallError("epoll_ctl", err)
	}
	return k.parking.open(k.epoll)
}

// Release closes both epolls and the eventfd.
func (k *linux) Release() {
	k.parking.close()
	for _, sys := range [...]*int{&k.epoll, &k.wakeup} {
		if *sys >= 0 {
			unix.Close(*sys)
		}
		*sys = -1
	}
}

func (k *linux) Now() time.Time {
	k.now = time.Now()
	return k.now
}

// Wakeup adds to the counter of the eventfd. It cannot overflow: a write that would is
// refused, and then the descriptor is readable already.
func (k *linux) Wakeup() {
	one := [8]byte{7: 1}
	unix.Write(k.wakeup, one[:])
}

const everyEdge = unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLPRI | unix.EPOLLET

func (k *linux) Watch(sys int, slot, generation int32) error {
	return k.register(sys, everyEdge, slot, generation)
}

func (k *linux) WatchListener(sys int, slot, generation int32) error {
	return k.register(sys, unix.EPOLLIN|unix.EPOLLEXCLUSIVE, slot, generation)
}

func (k *linux) register(sys int, bits uint32, slot, generation int32) error {
	// The kernel hands back these 64 bits. Go forbids to hide a pointer in them.
	e := unix.EpollEvent{Events: bits, Fd: slot, Pad: generation}
	return epollCtl(k.epoll, unix.EPOLL_CTL_ADD, sys, &e)
}

func (k *linux) Unwatch(sys int) error { return epollCtl(k.epoll, unix.EPOLL_CTL_DEL, sys, nil) }

func epollCtl(epoll, op, sys int, e *unix.EpollEvent) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(epoll), uintptr(op), uintptr(sys),
		uintptr(unsafe.Pointer(e)), 0, 0)
	return errnoError(errno)
}

func (k *linux) Read(sys int, t Type, p []byte) (int, error) {
	if t.socket() {
		return k.receive(sys, p)
	}
	n, err := rawIO(unix.SYS_READ, sys, p)
	if err == unix.EIO && t == Terminal {
		return 0, nil // the other side of a pseudo-terminal is closed
	}
	return n, err
}

// receive is read for sockets, by a shorter path in the kernel.
func (k *linux) receive(sys int, p []byte) (int, error) {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(sys), address(p), uintptr(len(p)), 0, 0, 0)
		if errno != unix.EINTR {
			return ioResult(n, errno)
		}
	}
}

func (k *linux) Write(sys int, t Type, p []byte) (int, error) {
	if !t.socket() {
		return rawIO(unix.SYS_WRITE, sys, p)
	}
	for { // send, so that a broken connection is an error and not a signal
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(sys), address(p), uintptr(len(p)), unix.MSG_NOSIGNAL, 0, 0)
		if errno != unix.EINTR {
			return ioResult(n, errno)
		}
	}
}

func (k *linux) Writev(sys int, t Type, p [][]byte) (int, error) {
	n := 0
	for len(p) > 0 {
		iov, taken, size := k.gather(p)
		p = p[taken:]
		m, err := k.writev(sys, t, iov)
		n += m
		if err != nil || m < size {
			return n, err
		}
	}
	return n, nil
}

// gather points the iovec at the first slices that are not empty, as many as it has room for.
func (k *linux) gather(p [][]byte) (iov []unix.Iovec, taken, size int) {
	iov = k.iov[:0]
	for taken < len(p) && len(iov) < len(k.iov) {
		if s := p[taken]; len(s) > 0 {
			iov = append(iov, unix.Iovec{Base: &s[0]})
			iov[len(iov)-1].SetLen(len(s))
			size += len(s)
		}
		taken++
	}
	return iov, taken, size
}

func (k *linux) writev(sys int, t Type, iov []unix.Iovec) (int, error) {
	if len(iov) == 0 {
		return 0, nil
	}
	trap, to, flags := uintptr(unix.SYS_WRITEV), unsafe.Pointer(&iov[0]), uintptr(len(iov))
	if t.socket() {
		k.message.Iov = &iov[0]
		k.message.SetIovlen(len(iov))
		trap, to, flags = unix.SYS_SENDMSG, unsafe.Pointer(&k.message), unix.MSG_NOSIGNAL
	}
	n, _, errno := unix.RawSyscall(trap, uintptr(sys), uintptr(to), flags)
	for errno == unix.EINTR {
		n, _, errno = unix.RawSyscall(trap, uintptr(sys), uintptr(to), flags)
	}
	clear(iov) // so that k keeps no buffers from being collected
	return ioResult(n, errno)
}

func (k *linux) Unread(sys int, t Type) (int, error) {
	request := uint(unix.TIOCINQ) // FIONREAD, which of a pipe is the same at both ends
	if t.socket() {
		request = unix.TIOCOUTQ // SIOCOUTQ
	}
	return unix.IoctlGetInt(sys, request)
}

func (k *linux) Close(sys int) error {
	_, _, errno := unix.RawSyscall(unix.SYS_CLOSE, uintptr(sys), 0, 0)
	return errnoError(errno) // not again after EINTR: close(2)
}

// rawIO makes a system call with the arguments of read and write, on a descriptor that does not block.
func rawIO(trap uintptr, sys int, p []byte) (int, error) {
	for {
		n, _, errno := unix.RawSyscall(trap, uintptr(sys), address(p), uintptr(len(p)))
		if errno != unix.EINTR {
			return ioResult(n, errno)
		}
	}
}

func address(p []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(p))) }

func ioResult(n uintptr, errno syscall.Errno) (int, error) {
	if errno != 0 {
		return 0, errnoError(errno)
	}
	return int(n), nil
}

func errnoError(errno syscall.Errno) error {
	switch errno {
	case 0:
		return nil
	case unix.EAGAIN:
		return ErrAgain
	}
	return errno
}
