package looptest

import (
	"net/netip"
	"syscall"

	"exaproxy/engine/loop"
)

// weather is what becomes of those who dial an address.
type weather uint8

const (
	fair        weather = iota
	refused             // somebody is there and says no
	swallowed           // nobody answers
	unreachable         // there is no way
)

// Refuse lets dialling the address fail with ECONNREFUSED, also if somebody listens there.
func (k *Kernel) Refuse(at netip.AddrPort) { k.setWeather(at, refused) }

// Blackhole lets dialling the address get no answer, ever. Datagrams to it are lost.
func (k *Kernel) Blackhole(at netip.AddrPort) { k.setWeather(at, swallowed) }

// Unreachable lets dialling the address fail at once with ENETUNREACH.
func (k *Kernel) Unreachable(at netip.AddrPort) { k.setWeather(at, unreachable) }

// Fair takes back Refuse, Blackhole and Unreachable, for those who dial from now on.
func (k *Kernel) Fair(at netip.AddrPort) { k.setWeather(at, fair) }

func (k *Kernel) setWeather(at netip.AddrPort, w weather) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.weather[at] = w
}

// FailAccept lets the next n times that the loop accepts a waiting connection fail.
func (k *Kernel) FailAccept(err error, n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.spoilt, k.spoils = err, n
}

// inventPort returns a port that nobody has.
func (k *Kernel) inventPort() uint16 {
	k.invented++
	return 30000 + k.invented
}

// invent returns an address of the same family as the other side's: 10.0.0.x or fd00::x.
func (k *Kernel) invent(host byte, like netip.Addr) netip.AddrPort {
	a := netip.AddrFrom4([4]byte{10, 0, 0, host})
	if like.Is6() {
		a = netip.AddrFrom16([16]byte{0: 0xfd, 15: host})
	}
	return netip.AddrPortFrom(a, k.inventPort())
}

const (
	ourHost     = 1 // 10.0.0.1: where the loop dials from
	clientsHost = 2 // 10.0.0.2: where those come from who dial it
)

// Dial connects to a listener of the loop as a client from outside, from 10.0.0.2 or
// fd00::2. If nobody listens there the End was reset.
func (k *Kernel) Dial(to netip.AddrPort) *End { return k.DialFrom(netip.AddrPort{}, to) }

// DialFrom is Dial, from an address.
func (k *Kernel) DialFrom(from, to netip.AddrPort) *End {
	return k.DialDiverted(from, to, netip.AddrPort{})
}

// DialDiverted is DialFrom of a client that wanted to reach original, and was diverted by
// the packet filter.
func (k *Kernel) DialDiverted(from, to, original netip.AddrPort) *End {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !from.IsValid() {
		from = k.invent(clientsHost, to.Addr())
	}
	e := k.connect(to, from)
	e.d.original = original
	for _, d := range k.open {
		if d != nil && d.listening && covers(d.spec, to) {
			d.backlog = append(d.backlog, e.d)
			k.news.Broadcast()
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
	w := k.weather[s.Remote]
	if w == unreachable {
		return -1, syscall.ENETUNREACH
	}
	local := s.Local
	if !local.IsValid() {
		local = k.invent(ourHost, s.Remote.Addr())
	} else if local.Port() == 0 {
		local = netip.AddrPortFrom(local.Addr(), k.inventPort())
	}
	e := k.connect(local, s.Remote)
	e.d.dialled = s
	if s.Kind == loop.Datagram {
		e.d.datagram, e.d.end = true, nil
		return k.install(e.d), nil
	}
	k.begin(e, w)
	return k.install(e.d), nil
}

// begin lets a dialled connection meet its fate.
func (k *Kernel) begin(e *End, w weather) {
	port := k.ports[e.local]
	switch {
	case w == swallowed:
		e.d.connecting = true
	case w == refused || port == nil:
		e.d.reset, e.d.err = true, syscall.ECONNREFUSED
	default:
		port.waiting = append(port.waiting, e)
	}
	e.d.note("dialled")
}

// A Port is where a server from outside listens, to whom the loop may dial.
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

// Accept returns the next connection that the loop made, and nil if there is none. They
// are made without it, as the kernel of a real server does.
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
