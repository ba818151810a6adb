package loop

import (
	"errors"
	"net/netip"
	"time"
)

// ErrAgain says that there is nothing now, or no room now, and that the waker will be
// woken when there is. It is a state and not a failure: it is never wrapped.
var ErrAgain = errors.New("nothing now")

// Kernel is the part of the operating system that loops and descriptors use. Linux
// returns the one of this machine; looptest has one in memory.
//
// A Kernel belongs to one loop and is called on its goroutine, except for Wakeup, and for
// OpenListener and Close, which may be used before the loop is made. Descriptors ("sys") are
// small numbers that mean something to the Kernel alone. Errors are plain error numbers
// (syscall.Errno), or ErrAgain; the loop adds what was attempted.
type Kernel interface {
	// Now reads the clock.
	Now() time.Time
	// Wait fills events and returns how many there are. It returns as soon as there is
	// one, on Wakeup, or at the time until. The zero time is never; with a time that is
	// not after the last Now it polls.
	Wait(events []Event, until time.Time) int
	// Wakeup ends the present Wait, or the next. Any goroutine may call it.
	Wakeup()
	// Release closes what the kernel itself has open. It is not used afterwards.
	Release()

	// Watch reports the edges of a descriptor until it is closed: every change to
	// readable, writable, done, broken, under this slot and generation.
	Watch(sys int, slot, generation int32) error
	// WatchListener reports a listening descriptor in every Wait while connections wait,
	// to one of the kernels that watch it. Unwatch ends that.
	WatchListener(sys int, slot, generation int32) error
	Unwatch(sys int) error

	// Read returns 0 and no error at the end of a stream.
	Read(sys int, t Type, p []byte) (int, error)
	// Write and Writev return how much was written; less than all is no error.
	Write(sys int, t Type, p []byte) (int, error)
	Writev(sys int, t Type, p [][]byte) (int, error)
	// Unread returns how many bytes of what was written to a pipe its reader has not taken yet, even
	// if that has closed it. Of a socketpair it is 0 exactly if everything was read.
	Unread(sys int, t Type) (int, error)
	CloseWrite(sys int) error
	Close(sys int) error
	// Reset closes a connection so that the peer notices (TCP: with RST).
	Reset(sys int) error

	// OpenListener opens a listening descriptor.
	OpenListener(ListenSpec) (sys int, err error)
	// Accept accepts one waiting connection.
	Accept(sys int) (conn int, peer Peer, err error)
	// Connect starts to connect and does not wait for the outcome.
	Connect(DialSpec) (sys int, err error)
	// SocketError returns and clears a socket's pending error: how its connecting ended.
	SocketError(sys int) error
	// Names returns a socket's own address, and the one that its peer wanted to reach
	// if that is another (a connection diverted by the packet filter).
	Names(sys int) (local, original netip.AddrPort, err error)
	// Bear has the packets of a connected socket bear a type of service (IP_TOS, IPV6_TCLASS) and a mark
	// (SO_MARK) from now on; -1: as before.
	Bear(sys int, tos, mark int) error
	// ConnMark returns the mark that the packet filter keeps with the connection of a socket (CONNMARK; ct mark), which was
	// accepted, or is ours: it has connected. It does not wait. Like SetConnMark it takes CAP_NET_ADMIN, and fails where the
	// connection is not tracked.
	ConnMark(sys int, ours bool) (uint32, error)
	// SetConnMark changes the mark of a connection that was accepted.
	SetConnMark(sys int, mark uint32) error
	// IsOwn says whether what is sent to an address comes to this machine, by its routes of this
	// moment. It does not wait.
	IsOwn(netip.Addr) (bool, error)
}

// An Event is what changed on one descriptor, named by the slot and generation under which
// it is watched. Events of a generation that is over are ignored.
type Event struct {
	Slot, Generation int32
	Bits             Bits
}

// Bits say what an Event reports. Those up to Hup have the values of poll(2).
type Bits uint8

const (
	In       Bits = 0x01 // there is something to read
	Urgent   Bits = 0x02 // the peer sent urgent data: reads stop short at its mark (tcp(7))
	Out      Bits = 0x04 // there is room to write
	Failed   Bits = 0x08 // an error waits on the descriptor
	Hup      Bits = 0x10 // nothing goes in either direction any more
	Done     Bits = 0x20 // the peer writes no more; bytes may still wait
	Spurious Bits = 0x40 // wake the owner although nothing changed; for tests
)

// Type is what a descriptor is. It decides what a short read or write means.
type Type uint8

const (
	Stream   Type = iota // a connected stream socket
	Pipe                 // one end of a pipe
	Terminal             // one side of a pseudo-terminal
	Datagram             // a connected datagram socket
)

func (t Type) socket() bool { return t == Stream || t == Datagram }

// A ListenSpec is where and how to listen.
type ListenSpec struct {
	// Addr is listened at; [::]:n is for IPv4 too; port 0: any free one. An address that the machine does not have
	// is listened at from when it has it.
	Addr        netip.AddrPort
	ReusePort   bool // SO_REUSEPORT: each listener on this port has its own queue
	Transparent bool // IP_TRANSPARENT: accept for addresses that are not ours (TPROXY)

	// Bind, if set, is asked to bind a socket to an address that we may not (EACCES): a port of
	// root's. It may block.
	Bind func(sys int, addr netip.AddrPort) error
}

// A DialSpec is where and how to connect.
type DialSpec struct {
	Type        Type           // Stream or Datagram
	Local       netip.AddrPort // zero: the kernel chooses; port 0: any free one
	Remote      netip.AddrPort // an IPv4-mapped address is dialled as IPv4
	Mark        int            // SO_MARK; 0: none
	TOS         int            // IP_TOS or IPV6_TCLASS; 0: none
	Transparent bool           // IP_TRANSPARENT: Local need not be ours (TPROXY)
}

// A Peer is who connected.
type Peer struct {
	Remote netip.AddrPort // IPv4-mapped addresses are unmapped
}
