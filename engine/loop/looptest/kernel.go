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
	tb       testing.TB
	mu       sync.Mutex
	news     sync.Cond // something for Wait to look at
	now      time.Time
	rung     bool
	released bool
	open     []*descriptor // by number; nil: not in use
	ready    []*descriptor // that have an edge to report, in order
	ports    map[netip.AddrPort]*Port
	datagram map[netip.AddrPort]*DatagramPort
	weather  map[netip.AddrPort]weather
	invented uint16 // addresses so far
	spoilt   error  // what Accept fails with
	spoils   int    // how many times
	nudging  bool
	moved    []string // what tasks did, while nudging
}

// firstDescriptor is the number of the first one, as in a program that has its standard
// files open.
const firstDescriptor = 3

// NewKernel returns a kernel without any descriptors, at noon of some day.
func NewKernel(tb testing.TB) *Kernel {
	k := &Kernel{
		tb:       tb,
		now:      time.Date(2030, time.January, 1, 12, 0, 0, 0, time.UTC),
		open:     make([]*descriptor, firstDescriptor),
		ports:    map[netip.AddrPort]*Port{},
		datagram: map[netip.AddrPort]*DatagramPort{},
		weather:  map[netip.AddrPort]weather{},
	}
	k.news.L = &k.mu
	return k
}

// Advance moves the clock.
func (k *Kernel) Advance(d time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.now = k.now.Add(d)
	k.news.Broadcast()
}

// OpenDescriptors says how many descriptors are open on the loop's side.
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

// Now implements loop.Kernel.
func (k *Kernel) Now() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.now
}

// Wait implements loop.Kernel. If it may wait it does, really, until another goroutine
// rings, advances the clock, or does something with an End.
func (k *Kernel) Wait(events []loop.Event, until time.Time) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	for {
		n := k.collect(events)
		over := !until.IsZero() && !until.After(k.now)
		if n > 0 || over || k.rung || k.released {
			k.rung = false
			return n
		}
		k.news.Wait()
	}
}

// collect reports the edges that came up since the last time, and all listeners on which
// connections wait.
func (k *Kernel) collect(events []loop.Event) int {
	n := 0
	for len(k.ready) > 0 && n < len(events) {
		d := k.ready[0]
		k.ready = k.ready[1:]
		d.edge = false
		d.in.arrive()
		if bits := d.bits() | d.nudge; d.watched && bits != 0 {
			events[n] = loop.Event{Slot: d.slot, Generation: d.generation, Bits: bits}
			n++
		}
		d.nudge = 0
	}
	for _, d := range k.open {
		if d != nil && d.listening && d.watched && len(d.backlog) > 0 && n < len(events) {
			events[n] = loop.Event{Slot: d.slot, Generation: d.generation, Bits: loop.In}
			n++
		}
	}
	return n
}

// Ring implements loop.Kernel.
func (k *Kernel) Ring() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.rung = true
	k.news.Broadcast()
}

// Release implements loop.Kernel.
func (k *Kernel) Release() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.released = true
	k.news.Broadcast()
}

// install gives a descriptor the lowest free number, as POSIX does.
func (k *Kernel) install(d *descriptor) int {
	d.k = k
	for d.sys = firstDescriptor; d.sys < len(k.open) && k.open[d.sys] != nil; d.sys++ {
	}
	if d.sys == len(k.open) {
		k.open = append(k.open, nil)
	}
	k.open[d.sys] = d
	return d.sys
}

// Settle turns the loop until nothing moves any more. It fails the test if that never
// comes, and if it came although a task could have gone on: a task that waits for a
// descriptor which has not said ErrAgain breaks the one rule of edge triggering, and on a
// real kernel would wait for ever. To find such tasks Settle wakes the owners of all
// descriptors for nothing once the world is at rest; then nothing may move.
func Settle(l *loop.Loop) {
	k := l.Kernel().(*Kernel)
	k.tb.Helper()
	k.rest(l)
	k.startNudging()
	k.rest(l)
	for _, m := range k.stopNudging() {
		k.tb.Errorf("the world was at rest, but when owners were woken for nothing, one of them %s: it waited without having been told ErrAgain", m)
	}
}

// Rest is Settle without the looking for tasks that could have gone on: for as long as something
// outside, another goroutine, may still bring news, which would be taken for the doing of such a task.
func Rest(l *loop.Loop) {
	k := l.Kernel().(*Kernel)
	k.tb.Helper()
	k.rest(l)
}

// patience is how many turns a world may take to come to rest.
const patience = 20000

func (k *Kernel) rest(l *loop.Loop) {
	k.tb.Helper()
	for range patience {
		if !l.Turn(false) && l.Idle() {
			return
		}
	}
	k.tb.Fatalf("after %d turns the world has not come to rest", patience)
}

func (k *Kernel) startNudging() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.nudging, k.moved = true, nil
	for _, d := range k.open {
		if d != nil && d.watched && !d.listening {
			d.nudge = loop.Nudge
			d.poke()
		}
	}
}

func (k *Kernel) stopNudging() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.nudging = false
	return k.moved
}
