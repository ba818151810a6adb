package engine

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"
)

func toHost(name string) func(*Hop) { return func(h *Hop) { h.Host = []byte(name) } }

// wantsAddrs checks which addresses the dialer is to try.
func (p *played) wantsAddrs(want ...string) {
	p.t.Helper()
	if p.dialer == nil {
		p.t.Fatal("there is no dialer")
	}
	var got []string
	for _, a := range p.dialer.addrs {
		got = append(got, a.String())
	}
	if !slices.Equal(got, want) || p.dialer.port != p.hop.Port {
		p.t.Errorf("it dials %q at port %d, want %q at %d", got, p.dialer.port, want, p.hop.Port)
	}
}

func TestResolveNeedsNoName(t *testing.T) {
	judged := []netip.Addr{netip.MustParseAddr("192.0.2.8"), netip.MustParseAddr("2001:db8::8")}
	for _, row := range []struct {
		name string
		hop  func(*Hop)
		want []string
	}{
		{"the addresses that were judged are those that are dialled", func(h *Hop) { h.Addrs = judged }, []string{"192.0.2.8", "2001:db8::8"}},
		{"an address is what it says", toHost("192.0.2.9"), []string{"192.0.2.9"}},
		{"an address of IPv6 is what it says", toHost("2001:db8::9"), []string{"2001:db8::9"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newTransaction(t, resolving, given{hop: row.hop})
			p.wants(p.play(), connecting)
			p.wantsAddrs(row.want...)
			p.turn()
			p.namesUnasked()
			if p.lookup != nil || p.forwardBy != p.now().Add(4*time.Minute) {
				t.Errorf("lookup %v; all connecting is to end at %v", p.lookup, p.forwardBy)
			}
		})
	}
}

func TestResolveDialsWhatIsPermitted(t *testing.T) {
	one, two := netip.MustParseAddr("192.0.2.8"), netip.MustParseAddr("2001:db8::8")
	both := func(h *Hop) { h.Addrs = []netip.Addr{one, two} }
	forbidding := func(addrs ...netip.Addr) func(*scripted) { return func(s *scripted) { s.forbidden = addrs } }

	p := newTransaction(t, resolving, given{hop: both, policy: forbidding(one)})
	p.wants(p.play(), connecting)
	p.wantsAddrs("2001:db8::8")

	p = newTransaction(t, resolving, given{hop: both, policy: forbidding(one, two)})
	p.wantsFailure(p.play(), Refused, OurSide, true)
	if p.record.Decided != Refuse || p.record.Forwarded || p.record.Hierarchy != "" || !p.forwardBy.IsZero() {
		t.Errorf("the record says decision %d, %v, %q", p.record.Decided, p.record.Forwarded, p.record.Hierarchy)
	}

	p = newTransaction(t, resolving, given{ask: connectRequest, hop: both, policy: forbidding(one, two)})
	p.wants(p.play(), answering)
}

func TestResolveWaitsForTheAddresses(t *testing.T) {
	p := newTransaction(t, resolving, given{config: func(c *Config) { c.Timeouts.Forward = time.Minute }})
	p.wants(p.play(), resolving)
	held := p.lookup
	p.turn()
	p.wants(p.play(), resolving)
	p.turn()
	if p.lookup != held || held == nil || p.dialer != nil || !p.forwardBy.IsZero() {
		t.Errorf("lookup %v, dialer %v, connecting ends at %v", p.lookup, p.dialer, p.forwardBy)
	}
	p.passes(time.Second)
	p.namesSay(dns.RcodeSuccess, "192.0.2.7", "192.0.2.8")
	p.namesUnasked() // a second time
	p.wants(p.play(), connecting)
	p.wantsAddrs("192.0.2.7", "192.0.2.8")
	if p.lookup != nil || p.forwardBy != p.now().Add(time.Minute) {
		t.Errorf("lookup %v; all connecting is to end at %v", p.lookup, p.forwardBy)
	}
	p.wantsCalls()
}

// The time for all connecting begins with the first hop that is dialled, and not anew with the next.
func TestResolveDoesNotProlongConnecting(t *testing.T) {
	p := newTransaction(t, resolving, given{hop: toHost("192.0.2.9")})
	by := p.now().Add(time.Second)
	p.forwardBy = by
	p.wants(p.play(), connecting)
	if p.forwardBy != by {
		t.Errorf("connecting is to end at %v, want %v", p.forwardBy, by)
	}
}

func TestResolveGoesBackForAnotherHop(t *testing.T) {
	for _, row := range []struct {
		name string
		host string
		code int // of the name server's answer
		kind FailureKind
	}{
		{"a name that does not exist", "a.example", dns.RcodeNameError, NoSuchName},
		{"a name without an address", "a.example", dns.RcodeSuccess, NoSuchName},
		{"a name server that fails", "a.example", dns.RcodeServerFailure, NameServerFailed},
		{"what can be no name", "a..example", -1, NoSuchName},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newTransaction(t, resolving, given{hop: toHost(row.host)})
			next := p.play()
			if row.code >= 0 {
				p.wants(next, resolving)
				p.turn()
				p.namesSay(row.code)
				next = p.play()
			}
			p.wants(next, routing)
			f := p.unreached
			if f == nil || f.Kind != row.kind || f.Side != NameSide || f.Host != row.host || f.During != "resolving" || f.Err == nil {
				t.Fatalf("it could not be reached because %+v", f)
			}
			if len(p.failed) != 1 || string(p.failed[0].Hop.Host) != row.host || p.failed[0].Err != f.Err {
				t.Errorf("the attempts are %+v", p.failed)
			}
			if p.failure != nil || p.lookup != nil || p.record.Hierarchy != "" {
				t.Errorf("failure %v, lookup %v, hierarchy %q", p.failure, p.lookup, p.record.Hierarchy)
			}
			p.enter(routing)
			p.wantsNoOtherWay(row.kind)
		})
	}
}

// wantsNoOtherWay plays routing once more, where the policy knows no other way: the client is told of the attempt.
func (p *played) wantsNoOtherWay(kind FailureKind) {
	p.t.Helper()
	p.wants(p.play(), answering)
	p.wantsCalls("route after 1", "page "+kind.String())
	if p.failure != p.unreached {
		p.t.Errorf("the failure is %v", p.failure)
	}
}

func TestResolveGivesUp(t *testing.T) {
	t.Run("after as many hops as are tried", func(t *testing.T) {
		p := newTransaction(t, resolving, given{hop: toHost("a..example"), config: func(c *Config) { c.Limits.ForwardTries = 2 }})
		p.failed, p.tries = []Attempt{{Err: errTest}}, 1
		p.wantsFailure(p.play(), NoSuchName, NameSide, true)
		p.wantsCalls("page no such name")
		if len(p.failed) != 2 {
			t.Errorf("the attempts are %+v", p.failed)
		}
	})
	t.Run("when it takes too long", func(t *testing.T) {
		p := newTransaction(t, resolving, given{config: func(c *Config) { c.Timeouts.Names = 3 * time.Second }})
		p.wants(p.play(), resolving)
		p.wants(p.wantsTimeout(3*time.Second), routing)
		if f := p.unreached; f.Kind != NameServerFailed || f.Side != NameSide || f.Err != errLookupLate || p.lookup != nil {
			t.Errorf("it could not be reached because %+v, lookup %v", f, p.lookup)
		}
		p.enter(routing)
		p.wantsNoOtherWay(NameServerFailed)
	})
}
