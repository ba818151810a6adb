package loop

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"time"
)

// Dial begins a connection and wakes w when it is made or has failed: Connected says
// which. A refusal that is known at once is returned here.
func (l *Loop) Dial(s DialSpec, w *Waker) (*FD, error) {
	s.Remote = unmap(s.Remote)
	s.Local = unmap(s.Local)
	sys, err := l.kernel.Connect(s)
	if err != nil {
		return nil, fmt.Errorf("connect %v: %w", s.Remote, err)
	}
	f := FD{kind: s.Kind, waker: w}
	if s.Kind == Datagram { // which need no answer to be connected
		f.state = readable | writable
	} else {
		f.dialled = &s.Remote
	}
	fd, err := l.watch(sys, f)
	if err != nil {
		l.kernel.Close(sys)
		return nil, fmt.Errorf("connect %v: %w", s.Remote, err)
	}
	return fd, nil
}

// Connected says whether a dialled connection is made. If it is done and failed, err says
// why, and the descriptor is only good for closing.
func (f *FD) Connected() (done bool, err error) {
	switch {
	case f.state&closed != 0:
		return true, f.unready("connect")
	case f.dialled == nil:
		return true, nil
	case f.state&(writable|broken) == 0:
		return false, nil
	}
	// Without POLLERR there is no error to be fetched: tcp_poll in Linux's net/ipv4/tcp.c.
	if f.state&broken != 0 {
		if err := f.loop.kernel.SocketError(int(f.sys)); err != nil {
			return true, fmt.Errorf("connect %v: %w", *f.dialled, err)
		}
	}
	f.dialled = nil
	return true, nil
}

// Names returns a socket's own address and, if the packet filter diverted the connection
// here, the address that the peer wanted; zero otherwise (SO_ORIGINAL_DST). Of a
// connection diverted by TPROXY, the local address is the one wanted.
func (f *FD) Names() (local, original netip.AddrPort, err error) {
	if f.state&closed != 0 {
		return local, original, f.unready("name")
	}
	local, original, err = f.loop.kernel.Names(int(f.sys))
	if err != nil {
		err = f.failed("name", err)
	}
	return local, original, err
}

// SetOption sets an option of a socket.
func (f *FD) SetOption(o Option, v int) error {
	if f.state&closed != 0 {
		return f.unready("set option")
	}
	if err := f.loop.kernel.SetOption(int(f.sys), o, v); err != nil {
		return f.failed("set option", err)
	}
	return nil
}

// A Listener is a listening descriptor that a loop watches, alone or with other loops.
// Unlike an FD it is reported in every turn while connections wait, so that a task may
// accept a few at a time and return.
type Listener struct {
	fd    FD // for its slot and waker
	addr  netip.AddrPort
	mode  mode
	owned bool // Close closes the descriptor
	rest  *Timer
}

// mode is why a listener is watched or not.
type mode uint8

const (
	listening mode = iota
	resting        // accept failed for want of descriptors or memory; goes on by timer
	paused         // by the owner
	ended
)

// restFor is how long a listener rests when accepting failed: the connection that could
// not be accepted is still there, and would be reported again and again.
const restFor = 100 * time.Millisecond

// Listen opens a listening socket, which Close will close, and wakes w while connections
// wait on it.
func (l *Loop) Listen(s ListenSpec, w *Waker) (*Listener, error) {
	sys, err := l.kernel.OpenListener(s)
	if err != nil {
		return nil, fmt.Errorf("listen %v: %w", s.Addr, err)
	}
	ln, err := l.WatchListener(sys, w)
	if err != nil {
		l.kernel.Close(sys)
		return nil, fmt.Errorf("listen %v: %w", s.Addr, err)
	}
	ln.owned = true
	return ln, nil
}

// WatchListener watches a listening descriptor that belongs to somebody else and may be
// watched by other loops as well; one of them will be told of each connection. Close ends
// the watching and leaves the descriptor open.
func (l *Loop) WatchListener(sys int, w *Waker) (*Listener, error) {
	ln := &Listener{fd: FD{loop: l, sys: int32(sys), waker: w, state: level}}
	addr, _, err := l.kernel.Names(sys)
	if err == nil {
		err = ln.watch()
	}
	if err != nil {
		return nil, fmt.Errorf("watch listener %d: %w", sys, err)
	}
	ln.addr = addr
	ln.rest = l.NewTimer(l.NewWaker((*rested)(ln)))
	return ln, nil
}

// Accept takes one waiting connection; ErrAgain means that there is none. When there are
// no descriptors or no memory for it, it returns that error, and the listener rests for
// 100 ms and then wakes the waker.
func (ln *Listener) Accept() (*FD, Peer, error) {
	if ln.mode != listening {
		return nil, Peer{}, ErrAgain
	}
	l := ln.fd.loop
	sys, peer, err := l.kernel.Accept(int(ln.fd.sys))
	for fleeting(err) {
		sys, peer, err = l.kernel.Accept(int(ln.fd.sys))
	}
	if err != nil {
		return nil, Peer{}, ln.refused(err)
	}
	fd, err := l.watch(sys, FD{kind: Stream, state: readable | writable})
	if err != nil {
		l.kernel.Close(sys)
		return nil, Peer{}, ln.refused(err)
	}
	peer.Remote = unmap(peer.Remote)
	return fd, peer, nil
}

// refused says what a failed accept means.
func (ln *Listener) refused(err error) error {
	switch {
	case err == ErrAgain:
		return err
	case scarce(err):
		ln.unwatch(resting)
		ln.rest.Set(restFor)
	}
	return fmt.Errorf("accept on %v: %w", ln.addr, err)
}

// fleeting says whether an error of accept is that of one connection, which is gone. Then
// the next may be fine: accept(2), "Error handling".
func fleeting(err error) bool {
	switch err {
	case syscall.ECONNABORTED, syscall.EPROTO, syscall.ENOPROTOOPT, syscall.EOPNOTSUPP, syscall.EPERM,
		syscall.ENETDOWN, syscall.EHOSTDOWN, syscall.ENONET, syscall.EHOSTUNREACH, syscall.ENETUNREACH:
		return true
	}
	return false
}

// scarce says whether the machine, not the connection, is what an error is about.
func scarce(err error) bool {
	for _, e := range [...]error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ENOSPC} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// rested is the task of the timer of a listener that rests.
type rested Listener

func (r *rested) Run() {
	ln := (*Listener)(r)
	if ln.mode != resting {
		return
	}
	if ln.watch() != nil { // short of memory for that too
		ln.rest.Set(restFor)
		return
	}
	ln.fd.waker.Wake()
}

// Pause stops accepting until Resume; new connections wait in the kernel.
func (ln *Listener) Pause() {
	switch ln.mode {
	case listening, resting:
		ln.unwatch(paused)
	case paused, ended:
	}
}

// Resume ends a Pause.
func (ln *Listener) Resume() {
	if ln.mode != paused {
		return
	}
	if ln.watch() != nil {
		ln.mode = resting
		ln.rest.Set(restFor)
	}
}

// Addr returns where it listens, with the port that the kernel chose if none was asked for.
func (ln *Listener) Addr() netip.AddrPort { return ln.addr }

// Close ends listening. It does nothing on a nil Listener or one that is closed.
func (ln *Listener) Close() {
	if ln == nil || ln.mode == ended {
		return
	}
	ln.unwatch(ended)
	if ln.owned {
		ln.fd.loop.kernel.Close(int(ln.fd.sys))
	}
}

func (ln *Listener) watch() error {
	l := ln.fd.loop
	generation := l.table.take(&ln.fd)
	if err := l.kernel.WatchListener(int(ln.fd.sys), ln.fd.slot, generation); err != nil {
		l.table.give(&ln.fd)
		return err
	}
	ln.mode = listening
	return nil
}

func (ln *Listener) unwatch(m mode) {
	if ln.mode == listening {
		ln.fd.loop.kernel.Unwatch(int(ln.fd.sys))
		ln.fd.loop.table.give(&ln.fd)
	}
	ln.rest.Clear()
	ln.mode = m
}

func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
