package loop

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"time"
)

// A Listener is a listening descriptor that a loop watches, alone or with other loops.
// Unlike an FD it is level-triggered: its waker is woken in every turn while connections
// wait, so that a task may accept a few at a time and return.
type Listener struct {
	fd      FD // for its slot and waker
	addr    netip.AddrPort
	state   listenerState
	backoff *Timer
}

type listenerState uint8

const (
	listening      listenerState = iota
	backingOff                   // for want of descriptors or memory; goes on by timer
	listenerClosed               // for good
)

// acceptBackoff is how long a listener is not watched when accepting failed: the connection
// that could not be accepted is still there, and would be reported again and again.
const acceptBackoff = 100 * time.Millisecond

// WatchListener watches a listening descriptor and wakes w while connections wait. The
// descriptor belongs to somebody else and may be watched by other loops as well; one of
// them gets each connection. Close ends the watching and leaves the descriptor open.
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
	ln.backoff = l.NewTimer(l.NewWaker((*resume)(ln)))
	return ln, nil
}

// Accept accepts one waiting connection; ErrAgain means that there is none. When there are
// no descriptors or no memory for it, it returns that error, and the listener is not
// watched for 100 ms; then the waker is woken.
func (ln *Listener) Accept() (*FD, Peer, error) {
	if ln.state != listening {
		return nil, Peer{}, ErrAgain
	}
	l := ln.fd.loop
	l.activity.Accepts++
	sys, peer, err := l.kernel.Accept(int(ln.fd.sys))
	for connectionGone(err) {
		sys, peer, err = l.kernel.Accept(int(ln.fd.sys))
	}
	if err != nil {
		return nil, Peer{}, ln.acceptError(err)
	}
	fd, err := l.watch(sys, FD{typ: Stream, state: readable | writable})
	if err != nil {
		l.kernel.Close(sys)
		return nil, Peer{}, ln.acceptError(err)
	}
	peer.Remote = unmap(peer.Remote)
	return fd, peer, nil
}

// BackOff stops accepting for a while, as if there were no descriptors: the listener is not watched for 100 ms, and then
// the waker is woken.
func (ln *Listener) BackOff() {
	if ln.state == listening {
		ln.unwatch(backingOff)
		ln.backoff.Set(acceptBackoff)
	}
}

// acceptError adds the address to an error of accept, and backs off if it would come again.
func (ln *Listener) acceptError(err error) error {
	switch {
	case err == ErrAgain:
		return err
	case outOfResources(err):
		ln.BackOff()
	}
	return fmt.Errorf("accept on %v: %w", ln.addr, err)
}

// connectionGone reports whether an error of accept is that of one connection, which is
// gone. Then the next may be fine: accept(2), "Error handling".
func connectionGone(err error) bool {
	switch err {
	case syscall.ECONNABORTED, syscall.EPROTO, syscall.ENOPROTOOPT, syscall.EOPNOTSUPP, syscall.EPERM,
		syscall.ENETDOWN, syscall.EHOSTDOWN, syscall.ENONET, syscall.EHOSTUNREACH, syscall.ENETUNREACH:
		return true
	}
	return false
}

// OutOfDescriptors reports whether an error is that the process, or the machine, has no descriptor left.
// What failed can be tried again when others were closed.
func OutOfDescriptors(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// outOfResources reports whether the machine, not the connection, is what an error is about.
func outOfResources(err error) bool {
	for _, e := range [...]error{syscall.ENOBUFS, syscall.ENOMEM, syscall.ENOSPC} {
		if errors.Is(err, e) {
			return true
		}
	}
	return OutOfDescriptors(err)
}

// resume is the task of the backoff timer.
type resume Listener

func (r *resume) Run() {
	ln := (*Listener)(r)
	if ln.state != backingOff {
		return
	}
	if ln.watch() != nil { // out of memory for that too
		ln.backoff.Set(acceptBackoff)
		return
	}
	ln.fd.waker.Wake()
}

// Close ends listening. It does nothing on a nil Listener or one that is closed.
func (ln *Listener) Close() {
	if ln == nil || ln.state == listenerClosed {
		return
	}
	ln.unwatch(listenerClosed)
}

func (ln *Listener) watch() error {
	l := ln.fd.loop
	generation := l.table.add(&ln.fd)
	if err := l.kernel.WatchListener(int(ln.fd.sys), ln.fd.slot, generation); err != nil {
		l.table.remove(&ln.fd)
		return err
	}
	ln.state = listening
	return nil
}

func (ln *Listener) unwatch(s listenerState) {
	if ln.state == listening {
		ln.fd.loop.kernel.Unwatch(int(ln.fd.sys))
		ln.fd.loop.table.remove(&ln.fd)
	}
	ln.backoff.Clear()
	ln.state = s
}
