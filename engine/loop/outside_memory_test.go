package loop_test

import (
	"net/netip"
	"time"

	"exaproxy/engine/loop/looptest"
)

// memory is the outside of a kernel in memory.
type memory struct{ k *looptest.Kernel }

type memoryEnd struct{ *looptest.End }

func (e memoryEnd) Limit() { e.SetCapacity(64 << 10) }

func (m memory) pair() (int, far) {
	sys, e := m.k.Pair()
	return sys, memoryEnd{e}
}

func (m memory) dial(to netip.AddrPort) far { return memoryEnd{m.k.Dial(to)} }

func (m memory) refusing() netip.AddrPort { return netip.MustParseAddrPort("192.0.2.1:81") }

func (m memory) listen() server {
	at := netip.MustParseAddrPort("192.0.2.1:80")
	return memoryServer{m.k.Listen(at), at}
}

type memoryServer struct {
	*looptest.Port
	at netip.AddrPort
}

func (s memoryServer) addr() netip.AddrPort { return s.at }

func (s memoryServer) accept() far {
	if e := s.Accept(); e != nil {
		return memoryEnd{e}
	}
	return nil
}

func (m memory) receive() datagrams {
	at := netip.MustParseAddrPort("192.0.2.1:53")
	return memoryDatagrams{m.k.ListenDatagram(at), at}
}

type memoryDatagrams struct {
	*looptest.DatagramPort
	at netip.AddrPort
}

func (d memoryDatagrams) addr() netip.AddrPort                    { return d.at }
func (d memoryDatagrams) receive() (netip.AddrPort, []byte, bool) { return d.Receive() }
func (d memoryDatagrams) send(to netip.AddrPort, data []byte)     { d.Send(to, data) }
func (m memory) stuck(holds func() bool, w *world) (bad bool) {
	for range 1000 {
		if holds() {
			return false
		}
		if !w.loop.Turn(false) {
			m.k.Advance(20 * time.Millisecond)
		}
	}
	return true
}
