package looptest

import (
	"net/netip"
	"syscall"

	"exaproxy/engine/loop"
)

// condition is what happens to connections to an address.
type condition uint8

const (
	reachable   condition = iota
	refused               // with ECONNREFUSED
	blackholed            // packets get lost
	unreachable           // with ENETUNREACH, at once
)

// Refuse makes dialling the address fail with ECONNREFUSED, also if there is a Port.
func (k *Kernel) Refuse(at netip.AddrPort) { k.setCondition(at, refused) }

// Blackhole makes dialling the address never end. Datagrams to it are lost.
func (k *Kernel) Blackhole(at netip.AddrPort) { k.setCondition(at, blackholed) }

// Unreachable makes dialling the address fail at once with ENETUNREACH.
func (k *Kernel) Unreachable(at netip.AddrPort) { k.setCondition(at, unreachable) }

// Reachable undoes Refuse, Blackhole and Unreachable for later dialling.
func (k *Kernel) Reachable(at netip.AddrPort) { k.setCondition(at, reachable) }

func (k *Kernel) setCondition(at netip.AddrPort, c condition) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.addresses[at] = c
}

// FailAccept makes the next n accepts of a waiting connection fail.
func (k *Kernel) FailAccept(err error, n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.acceptErr, k.acceptErrs = err, n
}

// FailConnect makes the next n connects fail before they begin.
func (k *Kernel) FailConnect(err error, n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.connectErr, k.connectErrs = err, n
}

// allocatePort returns a port that is not in use.
func (k *Kernel) allocatePort() uint16 {
	k.allocated++
	return 30000 + k.allocated
}

// allocateAddr returns an address of the same family as the other side's: 10.0.0.x or fd00::x.
func (k *Kernel) allocateAddr(host byte, like netip.Addr) netip.AddrPort {
	a := netip.AddrFrom4([4]byte{10, 0, 0, host})
	if like.Is6() {
		a = netip.AddrFrom16([16]byte{0: 0xfd, 15: host})
	}
	return netip.AddrPortFrom(a, k.allocatePort())
}

const (
	ourHost     = 1 // 10.0.0.1: where the loop dials from
	clientsHost = 2 // 10.0.0.2: where clients dial from
)

// Dial connects to a listener of the loop as a client from outside, from 10.0.0.2 or
// fd00::2. If the loop does not listen there the End was reset.
func (k *Kernel) Dial(to netip.AddrPort) *End { return k.DialFrom(netip.AddrPort{}, to) }

// DialFrom is Dial, from an address.
func (k *Kernel) DialFrom(from, to netip.AddrPort) *End {
	return k.DialDiverted(from, to, netip.AddrPort{})
}

// DialDiverted is DialFrom of a client that wanted to reach original, and was diverted by
// the packet filter. Our end of its connection to a transparent listener is original itself.
func (k *Kernel) DialDiverted(from, to, original netip.AddrPort) *End {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !from.IsValid() {
		from = k.allocateAddr(clientsHost, to.Addr())
	}
	e := k.connect(to, from)
	e.d.original = original
	for _, d := range k.open {
		if d != nil && d.listening && covers(d.spec, to) {
			if d.spec.Transparent && original.IsValid() {
				e.d.local, e.d.original = original, netip.AddrPort{}
			}
			d.backlog = append(d.backlog, e.d)
			k.changed.Broadcast()
			return e
		}
	}
	e.wasReset, e.gone, e.closed = true, true, true
	return e
}

// Connect implements loop.Kernel.
func (k *Kernel) Connect(s loop.DialSpec) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.connectErrs > 0 {
		k.connectErrs--
		return -1, k.connectErr
	}
	c := k.addresses[s.Remote]
	if c == unreachable {
		return -1, syscall.ENETUNREACH
	}
	local := s.Local
	if !local.IsValid() {
		local = k.allocateAddr(ourHost, s.Remote.Addr())
	} else if local.Port() == 0 {
		local = netip.AddrPortFrom(local.Addr(), k.allocatePort())
	}
	e := k.connect(local, s.Remote)
	e.d.dialled = s
	if s.Type == loop.Datagram {
		e.d.datagram, e.d.end = true, nil
		return k.add(e.d), nil
	}
	k.startConnecting(e, c)
	return k.add(e.d), nil
}

// startConnecting decides how dialling will end.
func (k *Kernel) startConnecting(e *End, c condition) {
	port := k.ports[e.local]
	switch {
	case c == blackholed:
		e.d.connecting = true
	case c == refused || port == nil:
		e.d.reset, e.d.err = true, syscall.ECONNREFUSED
	default:
		port.waiting = append(port.waiting, e)
	}
	e.d.record("dialled")
}

// A Port is a listening server outside, which the loop may dial.
type Port struct {
	k       *Kernel
	at      netip.AddrPort
	waiting []*End
}

// Listen opens a Port. Only one may be at an address.
func (k *Kernel) Listen(at netip.AddrPort) *Port {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ports[at] != nil {
		k.tb.Fatalf("two servers listen on %v", at)
	}
	p := &Port{k: k, at: at}
	k.ports[at] = p
	return p
}

// Accept returns the next connection that the loop made, or nil. Connections are made
// without it, as by the kernel of a real server.
func (p *Port) Accept() *End {
	p.k.mu.Lock()
	defer p.k.mu.Unlock()
	if len(p.waiting) == 0 {
		return nil
	}
	e := p.waiting[0]
	p.waiting = p.waiting[1:]
	return e
}

// Close ends listening. Connections that were not accepted are reset.
func (p *Port) Close() {
	p.k.mu.Lock()
	waiting := p.waiting
	p.waiting = nil
	delete(p.k.ports, p.at)
	p.k.mu.Unlock()
	for _, e := range waiting {
		e.Reset()
	}
}
