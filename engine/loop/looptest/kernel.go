package looptest

import (
	"net/netip"
	"sync"
	"testing"
	"time"

	"exaproxy/engine/loop"
)

// A Kernel is a loop.Kernel in memory, for one Loop.
type Kernel struct {
	tb         testing.TB
	mu         sync.Mutex
	changed    sync.Cond // Wait has something to look at
	now        time.Time
	wakeup     bool
	released   bool
	open       []*descriptor // by number; nil: not in use
	ready      []*descriptor // that have an edge to report, in order
	ports      map[netip.AddrPort]*Port
	datagram   map[netip.AddrPort]*DatagramPort
	addresses  map[netip.AddrPort]condition
	own        map[netip.Addr]bool // of the machine
	allocated  uint16              // ports so far
	acceptErr  error               // what Accept fails with
	acceptErrs int                 // how many times

	connectErr  error    // what Connect fails with
	connectErrs int      // how many times
	spurious    bool     // wake-ups are
	moved       []string // what tasks did meanwhile
}

// firstDescriptor is the number of the first one, as in a program that has its standard
// files open.
const firstDescriptor = 3

// NewKernel returns a kernel without any descriptors, at noon of some day. tb is failed by Settle and Rest, and by
// opening a port twice; an example, which has none, passes nil.
func NewKernel(tb testing.TB) *Kernel {
	k := &Kernel{
		tb:        tb,
		now:       time.Date(2030, time.January, 1, 12, 0, 0, 0, time.UTC),
		open:      make([]*descriptor, firstDescriptor),
		ports:     map[netip.AddrPort]*Port{},
		datagram:  map[netip.AddrPort]*DatagramPort{},
		addresses: map[netip.AddrPort]condition{},
		own:       map[netip.Addr]bool{},
	}
	k.changed.L = &k.mu
	return k
}

// Advance moves the clock.
func (k *Kernel) Advance(d time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.now = k.now.Add(d)
	k.changed.Broadcast()
}

// OpenDescriptors returns how many descriptors are open on the loop's side.
func (k *Kernel) OpenDescriptors() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := 0
	for _, d := range k.open {
		if d != nil {
			n++
		}
	}
	return n
}

// AddAddress gives the machine an address, beside those of its loopback interface.
func (k *Kernel) AddAddress(a netip.Addr) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.own[a] = true
}

// IsOwn implements loop.Kernel.
func (k *Kernel) IsOwn(a netip.Addr) (bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return a.IsLoopback() || k.own[a], nil
}

// Now implements loop.Kernel.
func (k *Kernel) Now() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.now
}

// Wait implements loop.Kernel. If it may wait it blocks until another goroutine calls
// Wakeup, advances the clock, or does something with an End.
func (k *Kernel) Wait(events []loop.Event, until time.Time) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	for {
		n := k.collect(events)
		over := !until.IsZero() && !until.After(k.now)
		if n > 0 || over || k.wakeup || k.released {
			k.wakeup = false
			return n
		}
		k.changed.Wait()
	}
}

// collect reports the edges that came up since the last time, and all listeners on which
// connections wait.
func (k *Kernel) collect(events []loop.Event) int {
	n := 0
	for len(k.ready) > 0 && n < len(events) {
		d := k.ready[0]
		k.ready = k.ready[1:]
		d.ready = false
		d.in.arrive()
		if bits := d.bits() | d.spurious; d.watched && bits != 0 {
			events[n] = loop.Event{Slot: d.slot, Generation: d.generation, Bits: bits}
			n++
		}
		d.spurious = 0
	}
	for _, d := range k.open {
		if d != nil && d.listening && d.watched && len(d.backlog) > 0 && n < len(events) {
			events[n] = loop.Event{Slot: d.slot, Generation: d.generation, Bits: loop.In}
			n++
		}
	}
	return n
}

// Wakeup implements loop.Kernel.
func (k *Kernel) Wakeup() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.wakeup = true
	k.changed.Broadcast()
}

// Release implements loop.Kernel.
func (k *Kernel) Release() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.released = true
	k.changed.Broadcast()
}

// add gives a descriptor the lowest free number, as POSIX does.
func (k *Kernel) add(d *descriptor) int {
	d.k = k
	for d.sys = firstDescriptor; d.sys < len(k.open) && k.open[d.sys] != nil; d.sys++ {
	}
	if d.sys == len(k.open) {
		k.open = append(k.open, nil)
	}
	k.open[d.sys] = d
	return d.sys
}

// Settle turns the loop until nothing happens any more. It fails the test if that takes
// too many turns, and if it came although a task could have gone on: a task that waits for
// a descriptor which has not returned ErrAgain breaks the one rule of edge triggering, and
// on a real kernel would wait for ever. To find such tasks Settle then wakes the owners of
// all descriptors for nothing, upon which none may read, write or close anything.
func Settle(l *loop.Loop) {
	k := l.Kernel().(*Kernel)
	k.tb.Helper()
	k.rest(l)
	k.startSpurious()
	k.rest(l)
	for _, m := range k.stopSpurious() {
		k.tb.Errorf("at rest, but when owners were woken for nothing, one of them %s: it waited without having had ErrAgain", m)
	}
}

// Rest is Settle without the search for tasks that could have gone on: for when another goroutine may
// still change something, which would be mistaken for an action of such a task.
func Rest(l *loop.Loop) {
	k := l.Kernel().(*Kernel)
	k.tb.Helper()
	k.rest(l)
}

// maxTurns is how many turns Settle and Rest wait.
const maxTurns = 20000

func (k *Kernel) rest(l *loop.Loop) {
	k.tb.Helper()
	for range maxTurns {
		if !l.Turn(false) {
			return
		}
	}
	k.tb.Fatalf("after %d turns something still happens", maxTurns)
}

func (k *Kernel) startSpurious() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.spurious, k.moved = true, nil
	for _, d := range k.open {
		if d != nil && d.watched && !d.listening {
			d.spurious = loop.Spurious
			d.markReady()
		}
	}
}

func (k *Kernel) stopSpurious() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.spurious = false
	return k.moved
}
