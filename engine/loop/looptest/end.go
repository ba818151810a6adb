package looptest

import (
	"net/netip"
	"syscall"

	"exaproxy/engine/loop"
)

// An End is the far side of a connection: of a client that dialled, of a server that was
// dialled, or of a pair. What the loop writes has room at once, in any amount, unless the
// End stalls or has a capacity.
type End struct {
	k        *Kernel
	d        *descriptor // the loop's side
	local    netip.AddrPort
	remote   netip.AddrPort
	capacity int // of the loop's writes; negative: any amount
	stalled  bool
	closed   bool // by the test
	wasReset bool // by the loop's side
	gone     bool // the loop's side is closed
}

// stalledCapacity is how much may wait unread at an End that has stopped reading, if it
// has no capacity set: a socket buffer of ordinary size.
const stalledCapacity = 64 << 10

// connect makes the two sides of a connection, with the lock held.
func (k *Kernel) connect(local, remote netip.AddrPort) *End {
	e := &End{k: k, local: remote, remote: local, capacity: -1}
	e.d = &descriptor{k: k, end: e, local: local, remote: remote, out: half{capacity: -1}, in: half{capacity: -1}}
	return e
}

// Pair returns a connected pair: a descriptor for loop.Watch, and its far side. It is
// good for a helper's pipe, or as a connection without addresses.
func (k *Kernel) Pair() (sys int, e *End) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e = k.connect(netip.AddrPort{}, netip.AddrPort{})
	e.d.pair = true
	return k.add(e.d), e
}

// Write sends p to the loop, and returns how much was sent: all of it, or nothing if
// this side is closed or the other is.
func (e *End) Write(p []byte) int {
	e.k.mu.Lock()
	defer e.k.mu.Unlock()
	if e.closed || e.gone || e.d.reset || e.d.in.ended {
		return 0
	}
	e.d.in.coming = append(e.d.in.coming, p...)
	if e.d.in.segment == 0 {
		e.d.in.arrived = append(e.d.in.arrived, e.d.in.coming...)
		e.d.in.coming = nil
	}
	e.d.markReady()
	return len(p)
}

// WriteString is Write.
func (e *End) WriteString(s string) int { return e.Write([]byte(s)) }

// Read returns all that has arrived from the loop; nil if that is nothing, or the End is
// stalled.
func (e *End) Read() []byte {
	e.k.mu.Lock()
	defer e.k.mu.Unlock()
	if e.stalled {
		return nil
	}
	got := e.d.out.arrived
	e.d.out.arrived = nil
	e.reportRoom()
	return got
}

// reportRoom reports to the loop's side that there is room again, if it was waiting for it.
func (e *End) reportRoom() {
	if e.d.out.refused && e.d.out.room() > 0 {
		e.d.out.refused = false
		e.d.markReady()
	}
}

// CloseWrite ends the stream to the loop. Reading goes on.
func (e *End) CloseWrite() {
	e.k.mu.Lock()
	defer e.k.mu.Unlock()
	if !e.closed && !e.d.in.ended {
		e.d.in.ended = true
		e.d.markReady()
	}
}

// Close closes this side. If it was stalled with bytes unread, the loop's side is reset.
func (e *End) Close() {
	e.k.mu.Lock()
	defer e.k.mu.Unlock()
	if e.closed {
		return
	}
	e.closed = true
	e.d.in.ended, e.d.peerGone = true, true
	if e.stalled && len(e.d.out.arrived) > 0 {
		e.d.fail(syscall.ECONNRESET)
	}
	e.d.markReady()
}

// Reset ends the connection with RST.
func (e *End) Reset() {
	e.k.mu.Lock()
	defer e.k.mu.Unlock()
	e.closed = true
	e.d.peerGone = true
	e.d.fail(syscall.ECONNRESET)
}

// Closed reports whether the loop writes no more: it closed its writing, or everything. What
// it wrote before can still be read.
func (e *End) Closed() bool {
	e.k.mu.Lock()
	defer e.k.mu.Unlock()
	return e.d.out.ended || e.gone || e.wasReset
}

// WasReset reports whether the loop's side ended the connection with RST, or did not
// listen.
func (e *End) WasReset() bool {
	e.k.mu.Lock()
	defer e.k.mu.Unlock()
	return e.wasReset
}

// Unread returns how many bytes of what was written here the loop has not read.
func (e *End) Unread() int {
	e.k.mu.Lock()
	defer e.k.mu.Unlock()
	return e.d.in.unread()
}

// SetCapacity limits how much of the loop's writes waits here unread: what is beyond n
// bytes finds no room until Read. A negative n is no limit.
func (e *End) SetCapacity(n int) {
	e.k.mu.Lock()
	defer e.k.mu.Unlock()
	e.capacity = n
	e.limit()
}

// Stall stops reading: Read returns nothing, and the loop's writes find no room
// after the capacity, or 64 KiB if that has no limit.
func (e *End) Stall() {
	e.k.mu.Lock()
	defer e.k.mu.Unlock()
	e.stalled = true
	e.limit()
}

// Resume ends a Stall.
func (e *End) Resume() {
	e.k.mu.Lock()
	defer e.k.mu.Unlock()
	e.stalled = false
	e.limit()
}

func (e *End) limit() {
	e.d.out.capacity = e.capacity
	if e.stalled && e.capacity < 0 {
		e.d.out.capacity = stalledCapacity
	}
	e.reportRoom()
}

// Segment cuts what is written from now on: it arrives n bytes at a time, each when the
// loop has read the last and looks again. 0 ends that.
func (e *End) Segment(n int) {
	e.k.mu.Lock()
	defer e.k.mu.Unlock()
	e.d.in.segment = n
	e.d.markReady()
}

// Local returns this side's address.
func (e *End) Local() netip.AddrPort { return e.local }

// Remote returns the address of the loop's side.
func (e *End) Remote() netip.AddrPort { return e.remote }

// Dialled returns how the loop dialled this connection; zero if it did not.
func (e *End) Dialled() loop.DialSpec { return e.d.dialled }

// Borne is what the loop's packets to the End bear, by Kernel.Bear.
func (e *End) Borne() (tos, mark int) {
	e.k.mu.Lock()
	defer e.k.mu.Unlock()
	return e.d.borne[0], e.d.borne[1]
}

// Track has the packet filter know the End's connection, and keep a mark with it.
func (e *End) Track(mark uint32) {
	e.k.mu.Lock()
	defer e.k.mu.Unlock()
	e.d.connMark = &mark
}

// ConnMark is that mark; 0 if the connection is not known.
func (e *End) ConnMark() uint32 {
	e.k.mu.Lock()
	defer e.k.mu.Unlock()
	if e.d.connMark == nil {
		return 0
	}
	return *e.d.connMark
}
