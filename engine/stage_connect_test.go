package engine

import (
	"errors"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"exaproxy/engine/loop"
	"exaproxy/engine/loop/looptest"
)

var otherAddr = netip.MustParseAddrPort("192.0.2.8:80")

// to has the next hop be at these addresses.
func to(addrs ...netip.AddrPort) func(*Hop) {
	return func(h *Hop) {
		for _, a := range addrs {
			h.Addrs = append(h.Addrs, a.Addr())
		}
	}
}

func TestConnectReachesTheHop(t *testing.T) {
	proxied := func(h *Hop) { h.Proxy = true }
	for _, row := range []struct {
		name  string
		given given
		next  stage
	}{
		{"a request is sent", given{}, sending},
		{"a CONNECT is sent to a proxy", given{ask: connectRequest, hop: proxied}, sending},
		{"a CONNECT becomes a tunnel", given{ask: connectRequest}, tunnelling},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newTransaction(t, connecting, row.given)
			p.wants(p.play(), connecting)
			if p.port.Accept() == nil || p.upstream != nil {
				t.Fatalf("nobody has come to the server, or there is an upstream already: %v", p.upstream)
			}
			p.wants(p.play(), connecting) // no news yet
			if p.port.Accept() != nil {
				t.Error("it was dialled twice")
			}
			p.turn()
			p.wants(p.play(), row.next)
			u, rec := p.upstream, &p.record
			if u == nil || u.used != 1 || u.remote != serverAddr || p.dialer != nil || p.sent != 1 {
				t.Fatalf("upstream %+v, dialer %v, sent over %d", u, p.dialer, p.sent)
			}
			if rec.Upstream != serverAddr || rec.Reused || rec.Outgoing.IsValid() || rec.Tunnel != (row.next == tunnelling) {
				t.Errorf("the record says %v, reused %v, from %v, tunnel %v", rec.Upstream, rec.Reused, rec.Outgoing, rec.Tunnel)
			}
			p.wantsCalls()
		})
	}
}

func TestConnectDialsAsTheHopSays(t *testing.T) {
	four, six := netip.MustParseAddr("10.0.0.5"), netip.MustParseAddr("fd00::5")
	v6 := netip.MustParseAddrPort("[2001:db8::7]:80")
	for _, row := range []struct {
		name  string
		to    netip.AddrPort
		local netip.Addr
		six   netip.Addr // Local6
		want  netip.AddrPort
	}{
		{"from the one of two addresses of ours", serverAddr, four, six, netip.AddrPortFrom(four, 0)},
		{"from the other of two addresses of ours", v6, four, six, netip.AddrPortFrom(six, 0)},
		{"from an address of ours", serverAddr, four, netip.Addr{}, netip.AddrPortFrom(four, 0)},
		{"from an address of ours of IPv6", v6, six, netip.Addr{}, netip.AddrPortFrom(six, 0)},
		{"from whichever the kernel chooses, if ours is of another family", serverAddr, six, netip.Addr{}, netip.AddrPort{}},
		{"from whichever the kernel chooses, if ours is of the other family", v6, four, netip.Addr{}, netip.AddrPort{}},
		{"from whichever the kernel chooses", serverAddr, netip.Addr{}, netip.Addr{}, netip.AddrPort{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newTransaction(t, connecting, given{hop: func(h *Hop) { to(row.to)(h); h.Local, h.Local6, h.Mark, h.TOS = row.local, row.six, 7, 0x20 }})
			port := p.port
			if row.to != serverAddr {
				port = p.kernel.Listen(row.to)
			}
			p.wants(p.play(), connecting)
			far := port.Accept()
			if far == nil {
				t.Fatal("nobody has come")
			}
			want := loop.DialSpec{Type: loop.Stream, Remote: row.to, Local: row.want, Mark: 7, TOS: 0x20}
			if got := far.Dialled(); got != want {
				t.Errorf("it dialled %+v, want %+v", got, want)
			}
		})
	}
	t.Run("and the record has our end if somebody wants to know", func(t *testing.T) {
		p := newTransaction(t, connecting, given{config: func(c *Config) { c.KeepOutgoing = true }})
		p.wants(p.play(), connecting)
		p.turn()
		p.wants(p.play(), sending)
		if far := p.port.Accept(); p.record.Outgoing != far.Remote() {
			t.Errorf("our end is %v, the record says %v", far.Remote(), p.record.Outgoing)
		}
	})
}

func TestConnectAnnouncesTheClientFirst(t *testing.T) {
	const header = "PROXY TCP4 10.0.0.2 192.0.2.1 40001 3128\r\n"
	p := newTransaction(t, connecting, given{hop: func(h *Hop) { h.ProxyHeader = header }})
	p.wants(p.play(), connecting)
	p.turn()
	p.wants(p.play(), sending)
	far := p.port.Accept()
	if got := string(far.Read()); got != header {
		t.Errorf("the server hears %q first", got)
	}
}

func TestConnectTriesOneAddressAfterTheOther(t *testing.T) {
	for _, row := range []struct {
		name    string
		weather func(*looptest.Kernel, netip.AddrPort)
		waits   time.Duration
	}{
		{"when the first refuses", (*looptest.Kernel).Refuse, 0},
		{"when there is no way to the first", (*looptest.Kernel).Unreachable, 0},
		{"beside the first when that is slow", (*looptest.Kernel).Blackhole, attemptDelay},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newTransaction(t, connecting, given{hop: to(otherAddr, serverAddr)})
			row.weather(p.kernel, otherAddr)
			p.wants(p.play(), connecting)
			p.turn()
			if row.waits > 0 {
				p.wants(p.play(), connecting)
				if p.port.Accept() != nil {
					t.Fatal("the second was tried at once")
				}
				if p.passes(row.waits + 20*time.Millisecond); !p.timer.Expired() || p.overdue() {
					t.Fatalf("woken %v, overdue %v", p.timer.Expired(), p.overdue())
				}
			}
			next := p.play()
			for range 2 { // a refusal is news, as a connection is
				if next == connecting {
					p.turn()
					next = p.play()
				}
			}
			p.wants(next, sending)
			if p.upstream.remote != serverAddr || len(p.failed) != 0 || p.port.Accept() == nil {
				t.Errorf("connected to %v after %+v", p.upstream.remote, p.failed)
			}
		})
	}
}

func TestConnectGoesBackForAnotherHop(t *testing.T) {
	for _, row := range []struct {
		name    string
		weather func(*looptest.Kernel, netip.AddrPort)
		waits   time.Duration
		kind    FailureKind
		err     error
	}{
		{"all addresses refuse", (*looptest.Kernel).Refuse, 0, CannotConnect, syscall.ECONNREFUSED},
		{"there is no way to any address", (*looptest.Kernel).Unreachable, 0, CannotConnect, syscall.ENETUNREACH},
		{"no address answers in time", (*looptest.Kernel).Blackhole, time.Minute, ConnectLate, syscall.ETIMEDOUT},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newTransaction(t, connecting, given{hop: to(otherAddr, serverAddr)})
			row.weather(p.kernel, otherAddr)
			row.weather(p.kernel, serverAddr)
			next := p.play()
			for range 3 {
				if next == connecting {
					p.passes(row.waits)
					next = p.play()
				}
			}
			p.wants(next, routing)
			f := p.unreached
			if f == nil || f.Kind != row.kind || f.Side != UpstreamSide || f.Remote != serverAddr || !errors.Is(f.Err, row.err) || f.During != "connecting" {
				t.Fatalf("it could not be reached because %+v", f)
			}
			if len(p.failed) != 1 || p.failed[0].Hop.Port != 80 || p.failed[0].Err != f.Err || p.failure != nil {
				t.Errorf("the attempts are %+v, the failure is %v", p.failed, p.failure)
			}
			if p.record.Upstream != serverAddr || p.upstream != nil {
				t.Errorf("the record says %v, the upstream is %v", p.record.Upstream, p.upstream)
			}
			p.enter(routing)
			p.wantsNoOtherWay(row.kind)
		})
	}
}

func TestConnectGivesUp(t *testing.T) {
	tries := func(n int) func(*Config) { return func(c *Config) { c.Limits.ForwardTries = n } }
	t.Run("after as many addresses as are tried", func(t *testing.T) {
		p := newTransaction(t, connecting, given{hop: to(otherAddr, serverAddr), config: tries(1)})
		p.kernel.Unreachable(otherAddr)
		p.wantsFailure(p.play(), CannotConnect, UpstreamSide, true)
		if p.failure.Remote != otherAddr || p.port.Accept() != nil {
			t.Errorf("the last that was tried is %v", p.failure.Remote)
		}
	})
	t.Run("after as many hops as are tried", func(t *testing.T) {
		p := newTransaction(t, connecting, given{hop: to(serverAddr), config: tries(3)})
		p.kernel.Unreachable(serverAddr)
		p.failed, p.tries = []Attempt{{Err: errTest}, {Err: errTest}}, 2
		p.wantsFailure(p.play(), CannotConnect, UpstreamSide, true)
		p.wantsCalls("page cannot connect")
	})
	t.Run("when all connecting has taken too long", func(t *testing.T) {
		p := newTransaction(t, connecting, given{hop: to(serverAddr), config: func(c *Config) {
			c.Timeouts.Forward, c.Timeouts.Connect = 10*time.Second, time.Hour
		}})
		p.kernel.Blackhole(serverAddr)
		p.wants(p.play(), connecting)
		p.wantsFailure(p.wantsTimeout(10*time.Second), ConnectLate, UpstreamSide, true)
		if p.failure.Err != errConnectLate {
			t.Errorf("the failure is %v", p.failure)
		}
	})
}

// However many hops are tried, they share the time that forward_timeout gives.
func TestConnectHasOneTimeForAllHops(t *testing.T) {
	p := newTransaction(t, connecting, given{hop: to(serverAddr), policy: func(s *scripted) {
		s.route = &Route{Hop: Hop{Host: []byte("b.example"), Port: 80, Addrs: []netip.Addr{otherAddr.Addr()}}}
	}})
	p.kernel.Blackhole(serverAddr)
	p.kernel.Blackhole(otherAddr)
	for left := 4 * time.Minute; left > 0; left -= time.Minute {
		if got := p.stageTimeout(); got != left {
			t.Fatalf("%v are left after %d hops, want %v", got, len(p.failed), left)
		}
		p.wants(p.play(), connecting)
		p.passes(time.Minute)
		p.wants(p.play(), routing)
		p.enter(routing)
		p.wants(p.play(), resolving)
		p.enter(resolving)
		p.wants(p.play(), connecting)
		p.enter(connecting)
	}
	p.wants(p.play(), connecting)
	p.passes(20 * time.Millisecond)
	if !p.overdue() || len(p.failed) != 4 {
		t.Errorf("overdue %v after %d hops", p.overdue(), len(p.failed))
	}
}

// Who loses the race is not left connected.
func TestConnectLetsGoOfTheSlowerAddress(t *testing.T) {
	p := newTransaction(t, connecting, given{hop: to(otherAddr, serverAddr)})
	p.kernel.Blackhole(otherAddr)
	p.wants(p.play(), connecting)
	p.passes(attemptDelay + 20*time.Millisecond)
	p.wants(p.play(), connecting)
	before := p.kernel.OpenDescriptors()
	p.turn()
	p.wants(p.play(), sending)
	if n := p.kernel.OpenDescriptors(); n != before-1 {
		t.Errorf("of %d descriptors %d are still open", before, n)
	}
}

// forward_max_tries counts the addresses of all hops.
func TestConnectTriesNoMoreThanAllowed(t *testing.T) {
	p := newTransaction(t, connecting, given{hop: to(otherAddr, serverAddr), config: func(c *Config) { c.Limits.ForwardTries = 2 }})
	p.kernel.Unreachable(otherAddr)
	p.kernel.Unreachable(serverAddr)
	p.wantsFailure(p.play(), CannotConnect, UpstreamSide, true)
}

// Where there is no descriptor for a connection the request waits for one: it is no failure of the server's.
func TestConnectWaitsForADescriptor(t *testing.T) {
	for _, errno := range []error{syscall.EMFILE, syscall.ENFILE} {
		p := newTransaction(t, connecting, given{hop: to(serverAddr), config: func(c *Config) { c.Limits.ForwardTries = 1 }})
		u := p.idleTo(Hop{Host: []byte("other.example"), Port: 80})
		p.kernel.FailConnect(errno, 2)
		p.wants(p.play(), connecting)
		if u.idle() {
			t.Error("an idle connection has kept its descriptor")
		}
		p.passes(starvedDelay)
		p.wants(p.play(), connecting)
		p.passes(starvedDelay)
		p.wants(p.play(), connecting)
		p.turn()
		p.wants(p.play(), sending)
		if p.tries != 1 {
			t.Errorf("%d addresses were tried", p.tries)
		}
	}
}

// Helpers that have ended are started again, whatever connections there are.
func TestConnectLeavesDescriptorsForHelpers(t *testing.T) {
	p := newTransaction(t, connecting, given{hop: to(serverAddr)})
	limit := &p.worker.limits.connect
	*limit = p.worker.loop.Watched()
	p.wants(p.play(), connecting)
	if !p.dialer.starved {
		t.Fatal("it takes a descriptor beyond the limit")
	}
	u := p.idleTo(Hop{Host: []byte("other.example"), Port: 80})
	p.passes(starvedDelay)
	p.wants(p.play(), connecting)
	if u.idle() || !p.dialer.starved {
		t.Errorf("an idle connection is kept: %v; it waits: %v", u.idle(), p.dialer.starved)
	}
	*limit++ // somebody has left
	p.passes(starvedDelay)
	p.wants(p.play(), connecting)
	p.turn()
	p.wants(p.play(), sending)
}

// It does not wait for longer than all connecting may take.
func TestConnectWaitsForADescriptorUntilItIsLate(t *testing.T) {
	p := newTransaction(t, connecting, given{hop: to(serverAddr), config: func(c *Config) { c.Timeouts.Forward = 2 * starvedDelay }})
	p.kernel.FailConnect(syscall.EMFILE, 10)
	p.wants(p.play(), connecting)
	p.passes(starvedDelay)
	p.wants(p.play(), connecting)
	p.passes(starvedDelay + 20*time.Millisecond)
	if !p.overdue() {
		t.Error("it waits for ever")
	}
}
