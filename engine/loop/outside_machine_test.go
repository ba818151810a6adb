package loop_test

import (
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// machine is the outside of the kernel of this machine.
type machine struct{ *testing.T }

func (m machine) stuck(holds func() bool, w *world) (bad bool) {
	glance := &task{}
	timer := w.loop.NewTimer(w.loop.NewWaker(glance)) // so that no turn takes long
	defer timer.Clear()
	for begin := time.Now(); time.Since(begin) < 30*time.Second; {
		if holds() {
			return false
		}
		timer.Set(16 * time.Millisecond)
		w.loop.Turn(true)
	}
	return true
}

func (m machine) must(sys int, err error) int {
	m.Helper()
	if err != nil {
		m.Fatal(err)
	}
	return sys
}

func (m machine) pair() (int, far) {
	s, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	m.must(0, err)
	return s[0], &machineEnd{machine: m, sys: s[1]}
}

func (m machine) dial(to netip.AddrPort) far {
	sys := m.must(unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0))
	m.must(0, unix.Connect(sys, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}))
	m.must(0, unix.SetNonblock(sys, true))
	return &machineEnd{machine: m, sys: sys}
}

// bound returns a socket with a port of its own.
func (m machine) bound(kind int) (sys int, at netip.AddrPort) {
	sys = m.must(unix.Socket(unix.AF_INET, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0))
	m.Cleanup(func() { unix.Close(sys) })
	m.must(0, unix.Bind(sys, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	name, err := unix.Getsockname(sys)
	m.must(0, err)
	return sys, addrPort(name)
}

func addrPort(s unix.Sockaddr) netip.AddrPort {
	four := s.(*unix.SockaddrInet4)
	return netip.AddrPortFrom(netip.AddrFrom4(four.Addr), uint16(four.Port))
}

// refusing returns a port that is taken and not listened on.
func (m machine) refusing() netip.AddrPort {
	_, at := m.bound(unix.SOCK_STREAM)
	return at
}

type machineServer struct {
	machine
	sys int
	at  netip.AddrPort
}

func (m machine) listen() server {
	sys, at := m.bound(unix.SOCK_STREAM)
	m.must(0, unix.Listen(sys, 8))
	return machineServer{m, sys, at}
}

func (s machineServer) addr() netip.AddrPort { return s.at }

func (s machineServer) accept() far {
	sys, _, err := unix.Accept4(s.sys, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
	if err == unix.EAGAIN {
		return nil
	}
	return &machineEnd{machine: s.machine, sys: s.must(sys, err)}
}

type machineDatagrams struct {
	machine
	sys int
	at  netip.AddrPort
}

func (m machine) receive() datagrams {
	sys, at := m.bound(unix.SOCK_DGRAM)
	return machineDatagrams{m, sys, at}
}

func (d machineDatagrams) addr() netip.AddrPort { return d.at }

func (d machineDatagrams) receive() (netip.AddrPort, []byte, bool) {
	var b [512]byte
	n, from, err := unix.Recvfrom(d.sys, b[:], 0)
	if err != nil {
		return netip.AddrPort{}, nil, false
	}
	return addrPort(from), b[:n], true
}

func (d machineDatagrams) send(to netip.AddrPort, data []byte) {
	d.must(0, unix.Sendto(d.sys, data, 0, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}))
}

// machineEnd is a socket of this machine.
type machineEnd struct {
	machine
	sys                      int
	ended, wasReset, isClose bool
}

func (e *machineEnd) Write(p []byte) int {
	n, err := unix.SendmsgN(e.sys, p, nil, nil, unix.MSG_NOSIGNAL)
	if err != nil {
		return 0
	}
	return n
}

func (e *machineEnd) Read() []byte {
	var all []byte
	for {
		var b [1 << 16]byte
		n, err := unix.Read(e.sys, b[:])
		if n > 0 {
			all = append(all, b[:n]...)
			continue
		}
		e.wasReset = e.wasReset || err == unix.ECONNRESET
		e.ended = e.ended || n == 0 || err == unix.ECONNRESET
		return all
	}
}

func (e *machineEnd) Closed() bool   { e.Read(); return e.ended }
func (e *machineEnd) WasReset() bool { e.Read(); return e.wasReset }
func (e *machineEnd) CloseWrite()    { unix.Shutdown(e.sys, unix.SHUT_WR) }

func (e *machineEnd) Close() {
	if !e.isClose {
		e.isClose = true
		unix.Close(e.sys)
	}
}

func (e *machineEnd) Reset() {
	unix.SetsockoptLinger(e.sys, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	e.Close()
}

func (e *machineEnd) Limit() { unix.SetsockoptInt(e.sys, unix.SOL_SOCKET, unix.SO_RCVBUF, 64<<10) }
