package explain

import (
	"net/netip"
	"syscall"

	"exaproxy/engine/loop"
)

// A stage is the kernel of the only worker: that of the machine, but that there is no network on the clients' side.
type stage struct {
	loop.Kernel
	client, local netip.AddrPort
	original      netip.AddrPort // whom the client wanted, if it was diverted to us
	port          int            // what is listened on: the one end of a socketpair, in which a byte is as long as somebody waits
	accepted      int            // the proxy's end of the client's connection
	own           []int
}

// newStage makes a kernel with a client that has written something.
func newStage(client, local netip.AddrPort, wrote []byte) (*stage, error) {
	kernel, err := loop.Linux()
	if err != nil {
		return nil, err
	}
	s := &stage{Kernel: kernel, client: client, local: local}
	var far int
	if s.port, far, err = s.pair(); err != nil {
		return nil, err
	}
	if _, err := syscall.Write(far, []byte{0}); err != nil {
		return nil, err
	}
	if s.accepted, far, err = s.pair(); err != nil {
		return nil, err
	}
	_, err = syscall.Write(far, wrote)
	return s, err
}

// pair makes two ends of a connection, of which the far one is closed in the end.
func (s *stage) pair() (near, far int, err error) {
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err == nil {
		s.own = append(s.own, ends[1])
	}
	return ends[0], ends[1], err
}

// close closes what the engine does not know of.
func (s *stage) close() {
	for _, sys := range s.own {
		syscall.Close(sys)
	}
}

// OpenListener implements loop.Kernel.
func (s *stage) OpenListener(loop.ListenSpec) (int, error) { return s.port, nil }

// Bear implements loop.Kernel: nobody receives packets.
func (s *stage) Bear(int, int, int) error { return nil }

// SetConnMark implements loop.Kernel: nor does the packet filter.
func (s *stage) SetConnMark(int, uint32) error { return nil }

// Accept implements loop.Kernel: there is one client.
func (s *stage) Accept(sys int) (int, loop.Peer, error) {
	if n, _ := syscall.Read(sys, make([]byte, 1)); n != 1 {
		return 0, loop.Peer{}, loop.ErrAgain
	}
	return s.accepted, loop.Peer{Remote: s.client}, nil
}

// Names implements loop.Kernel.
func (s *stage) Names(sys int) (local, original netip.AddrPort, err error) {
	switch {
	case sys == s.accepted && s.original.IsValid():
		return s.original, s.original, nil // of tproxy both, of intercept the second counts
	case sys == s.port || sys == s.accepted:
		return s.local, s.local, nil
	}
	return s.Kernel.Names(sys)
}
