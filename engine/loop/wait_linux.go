package loop

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// rawWait is how many milliseconds a wait may block the thread without Go's scheduler knowing. A timer
// that is nearer than the kernel's next tick (4 ms at 250 Hz) has the clock set anew for each wait, which
// on a virtual machine costs more than the rest of it: with 2 ms a kept-alive GET cost two percent more.
const rawWait = 8

// Wait first blocks in epoll_wait for rawWait milliseconds, by a raw system call; if no event comes, it
// parks the goroutine (see parking). The scheduler's own way of blocking in a system call is not used:
// sysmon (sysmon and retake in Go's runtime/proc.go) wakes every 20 microseconds at first to look after
// the P that such a goroutine keeps, until it takes it away after 10 ms. That cost a worker with a
// connection for each request a twentieth of its CPU, and one with 50 requests a second 1.5 milliseconds
// for each.
//
// The scheduler can still end a raw wait with a signal, as it does to collect garbage.
func (k *linux) Wait(events []Event, until time.Time) int {
	timeout := k.rawTimeout(until)
	n := k.epollWait(len(events), timeout)
	if n == 0 && timeout == rawWait {
		n = k.park(len(events), until)
	}
	return k.translate(events, n)
}

// rawTimeout returns for how many milliseconds to block before parking: 0 to poll only, rawWait at most.
func (k *linux) rawTimeout(until time.Time) int {
	switch {
	case until.IsZero():
		return rawWait
	case !until.After(k.now):
		return 0
	}
	left := time.Until(until) + time.Millisecond - 1 // rounded up: never early
	return int(min(max(left/time.Millisecond, 0), rawWait))
}

// interrupted is what epollWait returns if a signal ended it.
const interrupted = -1

// epollWait waits for some milliseconds, reads limit events at most into k.events, and returns how many.
// Go's scheduler does not know that it blocks.
func (k *linux) epollWait(limit, milliseconds int) int {
	// epoll_pwait, as not all architectures have epoll_wait.
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(k.epoll), uintptr(unsafe.Pointer(&k.events)),
		uintptr(min(limit, len(k.events))), uintptr(milliseconds), 0, 0)
	if errno != 0 {
		return interrupted
	}
	return int(n)
}

// park parks the goroutine until there are events, limit at most, or until the deadline.
func (k *linux) park(limit int, until time.Time) int {
	k.parkLimit, k.parkFound = limit, 0
	k.parking.wait(k.pollParked, until)
	return k.parkFound
}

// newPollParked returns the function that the parked goroutine polls for events with. It is made once, so
// that parking allocates nothing. An interrupted poll ends the parking too: what it has not seen brings no
// further edge.
func (k *linux) newPollParked() func(uintptr) bool {
	return func(uintptr) bool {
		k.parkFound = k.epollWait(k.parkLimit, 0)
		return k.parkFound != 0
	}
}

// translate copies the first n of the kernel's events, without that of the wakeup eventfd.
func (k *linux) translate(events []Event, n int) int {
	m := 0
	for _, e := range k.events[:max(n, 0)] {
		if e.Fd == wakeupSlot {
			k.drainWakeup()
			continue
		}
		events[m] = Event{Slot: e.Fd, Generation: e.Pad, Bits: translateBits(e.Events)}
		m++
	}
	return m
}

// drainWakeup resets the counter of the wakeup eventfd.
func (k *linux) drainWakeup() {
	var count [8]byte
	rawIO(unix.SYS_READ, k.wakeup, count[:])
}

func translateBits(epoll uint32) Bits {
	const same = unix.EPOLLIN | unix.EPOLLPRI | unix.EPOLLOUT | unix.EPOLLERR | unix.EPOLLHUP
	b := Bits(epoll & same)
	if epoll&unix.EPOLLRDHUP != 0 {
		b |= Done
	}
	return b
}
