package loop

import (
	"fmt"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// linux is the Kernel of this machine: epoll(7), with an eventfd to be rung by.
//
// System calls that cannot block are made without telling Go's scheduler (RawSyscall),
// which would hand the loop's place on the processor to another goroutine and back. Only
// Wait may block; wait_linux.go has it.
type linux struct {
	epoll   int
	bell    int // eventfd
	now     time.Time
	news    [maxEvents]unix.EpollEvent
	iov     [64]unix.Iovec
	message unix.Msghdr

	porch porch
	peek  func(uintptr) bool // from the porch
	limit int                // what it may take
	found int                // what it took
}

const ringing = -1 // the slot of the bell

// Linux returns the kernel of this machine, for one loop.
func Linux() (Kernel, error) {
	k := &linux{epoll: -1, bell: -1, now: time.Now()}
	k.peek = k.peeker()
	if err := k.open(); err != nil {
		k.Release()
		return nil, fmt.Errorf("open the event queue: %w", err)
	}
	return k, nil
}

func (k *linux) open() (err error) {
	if k.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	if k.bell, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return os.NewSyscallError("eventfd", err)
	}
	if err := k.register(k.bell, unix.EPOLLIN|unix.EPOLLET, ringing, 0); err != nil {
		return os.NewSyscallError("epoll_ctl", err)
	}
	return k.porch.open(k.epoll)
}

// Release closes the event queue and the bell.
func (k *linux) Release() {
	k.porch.close()
	for _, sys := range [...]*int{&k.epoll, &k.bell} {
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

// Ring writes to the eventfd. Its counter cannot overflow: a write that would is refused,
// and then the bell rings already.
func (k *linux) Ring() {
	one := [8]byte{7: 1}
	unix.Write(k.bell, one[:])
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
	return control(k.epoll, unix.EPOLL_CTL_ADD, sys, &e)
}

func (k *linux) Unwatch(sys int) error { return control(k.epoll, unix.EPOLL_CTL_DEL, sys, nil) }

func control(epoll, op, sys int, e *unix.EpollEvent) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(epoll), uintptr(op), uintptr(sys),
		uintptr(unsafe.Pointer(e)), 0, 0)
	return result(errno)
}

func (k *linux) Read(sys int, kind Kind, p []byte) (int, error) {
	if kind.socket() {
		return k.receive(sys, p)
	}
	n, err := raw(unix.SYS_READ, sys, p)
	if err == unix.EIO && kind == Terminal {
		return 0, nil // the other side of a pseudo-terminal is closed
	}
	return n, err
}

// receive is read for sockets, on a shorter way through the kernel.
func (k *linux) receive(sys int, p []byte) (int, error) {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(sys), start(p), uintptr(len(p)), 0, 0, 0)
		if errno != unix.EINTR {
			return count(n, errno)
		}
	}
}

func (k *linux) Write(sys int, kind Kind, p []byte) (int, error) {
	if !kind.socket() {
		return raw(unix.SYS_WRITE, sys, p)
	}
	for { // send, so that a broken connection is an error and not a signal
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(sys), start(p), uintptr(len(p)), unix.MSG_NOSIGNAL, 0, 0)
		if errno != unix.EINTR {
			return count(n, errno)
		}
	}
}

func (k *linux) Writev(sys int, kind Kind, p [][]byte) (int, error) {
	n := 0
	for len(p) > 0 {
		iov, taken, size := k.gather(p)
		p = p[taken:]
		m, err := k.writev(sys, kind, iov)
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

func (k *linux) writev(sys int, kind Kind, iov []unix.Iovec) (int, error) {
	if len(iov) == 0 {
		return 0, nil
	}
	trap, to, flags := uintptr(unix.SYS_WRITEV), unsafe.Pointer(&iov[0]), uintptr(len(iov))
	if kind.socket() {
		k.message.Iov = &iov[0]
		k.message.SetIovlen(len(iov))
		trap, to, flags = unix.SYS_SENDMSG, unsafe.Pointer(&k.message), unix.MSG_NOSIGNAL
	}
	n, _, errno := unix.RawSyscall(trap, uintptr(sys), uintptr(to), flags)
	for errno == unix.EINTR {
		n, _, errno = unix.RawSyscall(trap, uintptr(sys), uintptr(to), flags)
	}
	clear(iov) // the kernel keeps nobody's buffers in memory
	return count(n, errno)
}

func (k *linux) Close(sys int) error {
	_, _, errno := unix.RawSyscall(unix.SYS_CLOSE, uintptr(sys), 0, 0)
	return result(errno) // not again after EINTR: close(2)
}

// raw makes a system call of the shape of read and write, that does not block.
func raw(trap uintptr, sys int, p []byte) (int, error) {
	for {
		n, _, errno := unix.RawSyscall(trap, uintptr(sys), start(p), uintptr(len(p)))
		if errno != unix.EINTR {
			return count(n, errno)
		}
	}
}

func start(p []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(p))) }

func count(n uintptr, errno syscall.Errno) (int, error) {
	if errno != 0 {
		return 0, result(errno)
	}
	return int(n), nil
}

func result(errno syscall.Errno) error {
	switch errno {
	case 0:
		return nil
	case unix.EAGAIN:
		return ErrAgain
	}
	return errno
}
