package looptest

import (
	"fmt"
	"net/netip"
	"syscall"

	"exaproxy/engine/canary/canarytest"
	"exaproxy/engine/loop"
)

// A descriptor is the loop's side of something: a connection, a listening socket, or a
// datagram socket. Its methods run with the kernel's lock held.
type descriptor struct {
	k                *Kernel
	sys              int
	slot, generation int32
	watched          bool
	ready            bool      // it is on the ready list
	spurious         loop.Bits // reported besides what changed
	local, remote    netip.AddrPort
	original         netip.AddrPort // where the client wanted to go, if it was diverted

	listening bool
	spec      loop.ListenSpec
	backlog   []*descriptor

	datagram bool
	received [][]byte // datagrams
	dialled  loop.DialSpec
	connMark *uint32 // the mark that the packet filter keeps with its connection; nil: it does not know it
	borne    [2]int  // what its packets bear: type of service and mark

	end        *End // the other side of a connection
	connecting bool
	in, out    half
	err        error // pending: SO_ERROR
	reset      bool  // nothing goes any more
	peerGone   bool  // the other side has closed wholly
	pair       bool  // a socketpair: the other side's closing is seen at once
	sawEnd     bool
}

// half is one direction of a connection.
type half struct {
	arrived  []byte // can be read
	coming   []byte // has been written, arrives in segments
	segment  int    // bytes at a time; 0: all
	capacity int    // how much may be unread; negative: any amount
	refused  bool   // the last write found no room, and an edge is due
	ended    bool   // the writer has finished

	canary canarytest.Watch // over what the loop has written
}

// arrive delivers the next segment, when the last was read.
func (h *half) arrive() {
	n := len(h.coming)
	if len(h.arrived) > 0 || n == 0 {
		return
	}
	if h.segment > 0 {
		n = min(n, h.segment)
	}
	h.arrived = append(h.arrived, h.coming[:n]...)
	h.coming = h.coming[n:]
}

// unread is how much was written and not read.
func (h *half) unread() int { return len(h.arrived) + len(h.coming) }

// atEnd reports whether the next read returns the end.
func (h *half) atEnd() bool { return h.ended && h.unread() == 0 }

func (h *half) read(p []byte) int {
	n := copy(p, h.arrived)
	h.arrived = h.arrived[n:]
	return n
}

func (h *half) room() int {
	if h.capacity < 0 {
		return int(^uint(0) >> 1)
	}
	return max(h.capacity-h.unread(), 0)
}

// markReady has the next Wait report the descriptor.
func (d *descriptor) markReady() {
	if !d.ready {
		d.ready = true
		d.k.ready = append(d.k.ready, d)
	}
	d.k.changed.Broadcast()
}

// bits are what poll(2) would say of it.
func (d *descriptor) bits() loop.Bits {
	var b loop.Bits
	set := func(bit loop.Bits, when bool) {
		if when {
			b |= bit
		}
	}
	switch {
	case d.listening, d.connecting:
		return 0
	case d.datagram:
		set(loop.In, len(d.received) > 0 || d.err != nil)
		set(loop.Failed, d.err != nil)
		return b | loop.Out
	}
	done := d.in.ended && len(d.in.coming) == 0
	set(loop.In, len(d.in.arrived) > 0 || done || d.err != nil || d.reset)
	set(loop.Out, d.out.room() > 0 || d.reset || d.out.ended)
	set(loop.Done, done || d.reset)
	set(loop.Hup, d.reset || done && d.out.ended || d.pair && d.peerGone)
	set(loop.Failed, d.err != nil)
	return b
}

// takeError returns and clears the pending error.
func (d *descriptor) takeError() error {
	err := d.err
	d.err = nil
	return err
}

func (d *descriptor) read(p []byte) (int, error) {
	if d.datagram {
		return d.readDatagram(p)
	}
	n := d.in.read(p)
	if d.in.unread() > 0 && len(d.in.arrived) == 0 {
		d.markReady() // the next segment is on its way
	}
	switch {
	case n > 0:
		d.record("read %d bytes from", n)
		return n, nil
	case d.in.atEnd() || d.reset && d.err == nil:
		if !d.sawEnd {
			d.record("read the end from")
		}
		d.sawEnd = true
		return 0, nil
	case d.err != nil:
		d.record("read an error from")
		return 0, d.takeError()
	}
	return 0, loop.ErrAgain
}

func (d *descriptor) readDatagram(p []byte) (int, error) {
	if err := d.takeError(); err != nil {
		d.record("read an error from")
		return 0, err
	}
	if len(d.received) == 0 {
		return 0, loop.ErrAgain
	}
	n := copy(p, d.received[0])
	d.received = d.received[1:]
	d.record("read a datagram from")
	return n, nil
}

func (d *descriptor) write(p []byte) (int, error) {
	if err := d.takeError(); err != nil {
		return 0, err
	}
	switch {
	case d.datagram:
		d.record("wrote a datagram to")
		d.look(p)
		return len(p), d.k.send(d, p)
	case d.connecting:
		return 0, loop.ErrAgain
	case d.out.ended, d.reset, d.pair && d.peerGone:
		return 0, syscall.EPIPE
	case d.peerGone: // accepted, and answered with RST
		d.fail(syscall.EPIPE)
		return len(p), nil
	}
	n := min(len(p), d.out.room())
	d.out.refused = n < len(p)
	switch {
	case len(p) == 0:
		return 0, nil
	case n == 0:
		return 0, loop.ErrAgain
	}
	d.look(p[:n])
	d.out.arrived = append(d.out.arrived, p[:n]...)
	d.record("wrote %d bytes to", n)
	d.k.changed.Broadcast()
	return n, nil
}

// fail ends the connection with an error.
func (d *descriptor) fail(err error) {
	if !d.reset {
		d.reset, d.err = true, err
		d.markReady()
	}
}

// look fails the test if the other side is sent memory of another. It does so in a build with the tag canary.
func (d *descriptor) look(p []byte) {
	if isTLS(p) {
		d.out.canary.Least = canarytest.InRandom
	}
	if whose := d.out.canary.See(p); whose != "" {
		d.k.tb.Errorf("%s is sent %s", d.peer(), whose)
	}
}

// isTLS reports whether a record of TLS begins here: what follows it is random, and a few bytes of a mark are
// there by chance.
func isTLS(p []byte) bool {
	const firstType, lastType, majorVersion = 20, 23, 3
	return len(p) > 2 && p[0] >= firstType && p[0] <= lastType && p[1] == majorVersion && p[2] <= 4
}

// peer names the other side.
func (d *descriptor) peer() string {
	if d.remote.IsValid() {
		return d.remote.String()
	}
	return "the other of its pair"
}

// record records what a task did when it was woken for nothing.
func (d *descriptor) record(format string, a ...any) {
	if !d.k.spurious {
		return
	}
	d.k.moved = append(d.k.moved, fmt.Sprintf("%s %s (descriptor %d)", fmt.Sprintf(format, a...), d.peer(), d.sys))
}
