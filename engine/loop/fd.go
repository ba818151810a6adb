package loop

import (
	"fmt"
	"io"
	"net/netip"
	"os"
)

// An FD is a descriptor that a loop watches: a socket, a pipe, or the near side of a
// pseudo-terminal. It is registered once, for everything, and remembers the edges that
// the kernel reports. So pausing a reader is simply not reading.
//
// The one rule: wait for a descriptor only after it returned ErrAgain. A task that stops
// reading or writing for a reason of its own needs another reason to be woken.
//
// An FD is used on the loop's goroutine only, and belongs to whoever closes it.
type FD struct {
	loop    *Loop
	waker   *Waker
	dialled *netip.AddrPort // where to, until it is connected
	sys     int32
	slot    int32
	typ     Type
	state   state
	ours    bool   // we have connected it
	in, out uint64 // bytes so far
}

// state is what an FD remembers.
type state uint8

const (
	readable   state = 1 << iota
	writable         // neither is set while a connection is being made
	peerDone         // the peer writes no more
	broken           // nothing more can be written
	urgent           // a short read proves nothing any more
	halfClosed       // we write no more
	closed
	level // a listener: level-triggered, wake on every event
)

// Watch takes over a descriptor, which must be non-blocking and close-on-exec, and wakes
// w whenever it becomes readable, writable, done or broken. It is presumed readable and
// writable until the kernel returns EAGAIN. On an error sys is still the caller's.
func (l *Loop) Watch(sys int, t Type, w *Waker) (*FD, error) {
	return l.watch(sys, FD{typ: t, state: readable | writable, waker: w})
}

func (l *Loop) watch(sys int, f FD) (*FD, error) {
	f.loop, f.sys = l, int32(sys)
	fd := &f
	generation := l.table.add(fd)
	if err := l.kernel.Watch(sys, fd.slot, generation); err != nil {
		l.table.remove(fd)
		return nil, fmt.Errorf("watch descriptor %d: %w", sys, err)
	}
	return fd, nil
}

// handle remembers what the kernel reported, and wakes the owner if that is new: an owner
// that has not had ErrAgain is not waiting.
func (f *FD) handle(b Bits) {
	was := f.state
	if b&(In|Urgent|Done|Hup|Failed) != 0 {
		f.state |= readable
	}
	if b&(Out|Hup|Failed) != 0 {
		f.state |= writable
	}
	if b&Urgent != 0 {
		f.state |= urgent
	}
	if f.typ != Datagram {
		f.state |= f.endState(b)
	}
	if f.state != was || f.state&level != 0 || b&Spurious != 0 {
		f.waker.Wake()
	}
}

// endState is what an event means for the end of a stream.
func (f *FD) endState(b Bits) state {
	var s state
	if b&(Done|Hup|Failed) != 0 {
		s |= peerDone
	}
	// When we have finished writing, Hup means no more than that the peer has too.
	if b&Failed != 0 || b&Hup != 0 && f.state&halfClosed == 0 {
		s |= broken
	}
	return s
}

// Read reads what is there. ErrAgain means that the kernel has nothing now and that the
// waker will be woken when it has; after any other return it may not be. At the end it
// returns io.EOF, any number of times. All other errors are final.
func (f *FD) Read(p []byte) (int, error) {
	if f.state&(readable|closed) != readable {
		return 0, f.unready("read")
	}
	n, err := f.loop.kernel.Read(int(f.sys), f.typ, p)
	if err == ErrAgain && f.state&urgent != 0 {
		n, err = f.readAtMark(p)
	}
	f.read(n)
	switch {
	case err == ErrAgain:
		f.state &^= readable
		return 0, err
	case err != nil:
		return 0, os.NewSyscallError("read", err)
	case n == 0 && f.typ != Datagram && len(p) > 0:
		return 0, io.EOF
	}
	// epoll(7): a short read has emptied a stream socket or a pipe. But once the end was
	// reported it brings no further edge, and of terminals the rule does not hold.
	if n < len(p) && (f.typ == Stream || f.typ == Pipe) && f.state&(peerDone|urgent) == 0 {
		f.state &^= readable
	}
	return n, nil
}

// readAtMark repeats a read that returned ErrAgain. At the mark of urgent data recv(2) returns EAGAIN
// also when a signal is pending, and Go's scheduler sends them (tcp_recvmsg_locked in Linux's
// net/ipv4/tcp.c); no edge follows. The signal is gone when the call returns.
func (f *FD) readAtMark(p []byte) (n int, err error) {
	for range 4 {
		if n, err = f.loop.kernel.Read(int(f.sys), f.typ, p); err != ErrAgain {
			break
		}
	}
	return n, err
}

// Write writes as much of p as there is room for. If that is less than all, it returns an
// error too: ErrAgain means that the waker will be woken when there is room for the
// rest; all others are final.
func (f *FD) Write(p []byte) (int, error) {
	if f.state&(writable|closed) != writable {
		return 0, f.unready("write")
	}
	n, err := f.loop.kernel.Write(int(f.sys), f.typ, p)
	// A signal may cut a write to a terminal short (tty_io.c), so that an edge follows
	// only after ErrAgain there.
	for err == nil && n < len(p) && f.typ == Terminal {
		var more int
		more, err = f.loop.kernel.Write(int(f.sys), f.typ, p[n:])
		n += more
	}
	return f.finishWrite(n, len(p), err)
}

// Writev is Write for several slices, which it does not change.
func (f *FD) Writev(p [][]byte) (int, error) {
	if f.state&(writable|closed) != writable {
		return 0, f.unready("write")
	}
	all := 0
	for _, s := range p {
		all += len(s)
	}
	n, err := f.loop.kernel.Writev(int(f.sys), f.typ, p)
	if err == nil && n < all && f.typ == Terminal {
		return f.writeRest(p, n)
	}
	return f.finishWrite(n, all, err)
}

// writeRest writes what of p follows the first n bytes, which are written.
func (f *FD) writeRest(p [][]byte, n int) (int, error) {
	skip := n
	for _, s := range p {
		rest := s[min(skip, len(s)):]
		skip -= len(s) - len(rest)
		if len(rest) == 0 {
			continue
		}
		more, err := f.Write(rest)
		n += more
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// finishWrite records and returns how a write of all bytes ended, of which n were written.
func (f *FD) finishWrite(n, all int, err error) (int, error) {
	f.wrote(n)
	if err == nil && n < all {
		err = ErrAgain
	}
	if err == ErrAgain {
		f.state &^= writable
	} else if err != nil {
		err = os.NewSyscallError("write", err)
	}
	return n, err
}

// unready is the error of an operation that the kernel need not be asked about.
func (f *FD) unready(op string) error {
	if f.state&closed != 0 {
		return os.NewSyscallError(op, os.ErrClosed)
	}
	return ErrAgain
}

// Unread returns how many bytes of what was written to a pipe its reader has not taken yet; see
// Kernel.Unread. It costs a system call.
func (f *FD) Unread() int {
	if !f.Open() {
		return 0
	}
	n, _ := f.loop.kernel.Unread(int(f.sys), f.typ)
	return n
}

// CloseWrite ends the stream to the peer. What was written before still goes to it.
func (f *FD) CloseWrite() error {
	if f.state&closed != 0 {
		return f.unready("close for writing")
	}
	if f.state&halfClosed != 0 {
		return nil
	}
	f.state |= halfClosed
	if err := f.loop.kernel.CloseWrite(int(f.sys)); err != nil {
		return os.NewSyscallError("close for writing", err)
	}
	return nil
}

// Close closes the descriptor and forgets its waker; events that are on their way are
// ignored. It does nothing on a nil FD or one that is closed.
func (f *FD) Close() {
	if f.Open() {
		f.loop.activity.Closes++
		f.loop.kernel.Close(f.release())
	}
}

// Reset closes the descriptor so that the peer of a connection notices that this is no
// regular end: with RST. It does nothing on a nil FD or one that is closed.
func (f *FD) Reset() {
	if f.Open() {
		f.loop.activity.Closes++
		f.loop.kernel.Reset(f.release())
	}
}

// release marks the FD closed and returns the descriptor, to be closed.
func (f *FD) release() (sys int) {
	f.loop.table.remove(f)
	f.state = f.state&^(readable|writable) | closed
	f.waker, f.dialled = nil, nil
	return int(f.sys)
}

// Readable reports whether a Read might find something.
func (f *FD) Readable() bool { return f.state&readable != 0 }

// Recheck has the next Read ask the kernel, for an owner that has heard of data by another way: the kernel tells
// of it when it is next waited for.
func (f *FD) Recheck() {
	if f.state&closed == 0 {
		f.state |= readable
	}
}

// PeerDone reports whether the peer writes no more. Bytes may still wait to be read.
func (f *FD) PeerDone() bool { return f.state&peerDone != 0 }

// Broken reports whether writing has become useless: the connection failed, or the peer has
// closed both directions. What it sent before may still wait to be read.
func (f *FD) Broken() bool { return f.state&broken != 0 }

// Open reports whether there is a descriptor and it is not closed.
func (f *FD) Open() bool { return f != nil && f.state&closed == 0 }

// SetWaker makes w the waker that is woken from now on; nil is none. Edges are remembered
// either way, so that the new owner begins by reading and writing.
func (f *FD) SetWaker(w *Waker) { f.waker = w }

// Descriptor is the number by which the kernel knows it. ok is false once it is closed.
func (f *FD) Descriptor() (sys int, ok bool) { return int(f.sys), f.Open() }
