package loop

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// moment is for how many milliseconds a wait may last before Go's scheduler is told of it. A timer that is
// nearer than the kernel's next tick (4 ms at 250 Hz) has the clock set anew for each wait, which on a
// virtual machine costs more than the rest of it: with 2 ms a kept-alive GET cost two percent more.
const moment = 8

// Wait blocks in epoll_wait for a moment, of which Go's scheduler is not told; if nothing comes, the
// goroutine is parked on the porch. The scheduler's own way of waiting in a system call is left out: its
// watchman (sysmon and retake in runtime/proc.go) looks after the place on the processor that such a
// goroutine keeps, every 20 microseconds in the beginning, until it takes it away after 10 ms. That cost a
// worker with a connection for each request a twentieth of its CPU, and one with 50 requests in a second
// 1.5 milliseconds for each.
//
// In the moment the scheduler can still end the wait with a signal, as it does to collect garbage.
func (k *linux) Wait(events []Event, until time.Time) int {
	left := k.left(until)
	n := k.look(len(events), left)
	if n == 0 && left == moment {
		n = k.park(len(events), until)
	}
	return k.translate(events, n)
}

// left is how many milliseconds there are until then; none to look only, a moment at most.
func (k *linux) left(until time.Time) int {
	switch {
	case until.IsZero():
		return moment
	case !until.After(k.now):
		return 0
	}
	left := time.Until(until) + time.Millisecond - 1 // rounded up: never early
	return int(min(max(left/time.Millisecond, 0), moment))
}

// interrupted is what look says if a signal ended it.
const interrupted = -1

// look waits for some milliseconds, takes news of limit descriptors at most, and says of how many.
// Go's scheduler does not know that it waits.
func (k *linux) look(limit, milliseconds int) int {
	// epoll_pwait, as not all architectures have epoll_wait.
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(k.epoll), uintptr(unsafe.Pointer(&k.news)),
		uintptr(min(limit, len(k.news))), uintptr(milliseconds), 0, 0)
	if errno != 0 {
		return interrupted
	}
	return int(n)
}

// park waits on the porch for news of limit descriptors at most.
func (k *linux) park(limit int, until time.Time) int {
	k.limit, k.found = limit, 0
	k.porch.wait(k.peek, until)
	return k.found
}

// peeker makes the function that looks from the porch whether there is news; once, for it is wanted often.
// An interrupted look ends the stay too: what it has not seen brings no further edge.
func (k *linux) peeker() func(uintptr) bool {
	return func(uintptr) bool {
		k.found = k.look(k.limit, 0)
		return k.found != 0
	}
}

// translate copies the first n of the kernel's events, without the bell's.
func (k *linux) translate(events []Event, n int) int {
	m := 0
	for _, e := range k.news[:max(n, 0)] {
		if e.Fd == ringing {
			k.hush()
			continue
		}
		events[m] = Event{Slot: e.Fd, Generation: e.Pad, Bits: translateBits(e.Events)}
		m++
	}
	return m
}

// hush resets the counter of the bell.
func (k *linux) hush() {
	var count [8]byte
	raw(unix.SYS_READ, k.bell, count[:])
}

func translateBits(epoll uint32) Bits {
	const same = unix.EPOLLIN | unix.EPOLLPRI | unix.EPOLLOUT | unix.EPOLLERR | unix.EPOLLHUP
	b := Bits(epoll & same)
	if epoll&unix.EPOLLRDHUP != 0 {
		b |= Done
	}
	return b
}
