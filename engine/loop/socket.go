package loop

import (
	"fmt"
	"net/netip"
	"os"
)

// Dial starts to connect and wakes w when the connection is made or has failed; Connected
// returns which. A failure that is known at once is returned here.
func (l *Loop) Dial(s DialSpec, w *Waker) (*FD, error) {
	s.Remote = unmap(s.Remote)
	s.Local = unmap(s.Local)
	l.activity.dialled(&s)
	sys, err := l.kernel.Connect(s)
	if err != nil {
		return nil, fmt.Errorf("connect %v: %w", s.Remote, err)
	}
	f := FD{typ: s.Type, waker: w, ours: true}
	if s.Type == Datagram { // which need no answer to be connected
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

// Connected reports whether dialling has ended. If it failed, err says why, and the
// descriptor is only good for closing.
func (f *FD) Connected() (done bool, err error) {
	switch {
	case f.state&closed != 0:
		return true, f.unready("connect")
	case f.dialled == nil:
		return true, nil
	case f.state&(writable|broken) == 0:
		return false, nil
	}
	// Without POLLERR there is no pending error: tcp_poll in Linux's net/ipv4/tcp.c.
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
		err = os.NewSyscallError("name", err)
	}
	return local, original, err
}

// Bear has the packets of a connected socket bear a type of service and a mark from now on; -1: as before.
func (f *FD) Bear(tos, mark int) error {
	if f.state&closed != 0 {
		return f.unready("mark")
	}
	return os.NewSyscallError("mark", f.loop.kernel.Bear(int(f.sys), tos, mark))
}

// ConnMark is the mark that the packet filter keeps with the connection of a socket.
func (f *FD) ConnMark() (uint32, error) {
	if f.state&closed != 0 {
		return 0, f.unready("read the mark of")
	}
	mark, err := f.loop.kernel.ConnMark(int(f.sys), f.ours)
	return mark, os.NewSyscallError("ctnetlink", err)
}

// SetConnMark changes it, of an accepted socket.
func (f *FD) SetConnMark(mark uint32) error {
	if f.state&closed != 0 {
		return f.unready("mark")
	}
	return os.NewSyscallError("ctnetlink", f.loop.kernel.SetConnMark(int(f.sys), mark))
}

func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
