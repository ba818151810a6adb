package engine

import (
	"net/netip"
	"testing"
)

func routedTo(r Route) func(*scripted) { return func(s *scripted) { s.route = &r } }

func TestRouteChoosesAHop(t *testing.T) {
	hop := Hop{Host: []byte("cache.example"), Port: 3128, Proxy: true, Hierarchy: "FIRSTUP_PARENT"}
	for _, row := range []struct {
		name  string
		given given
		host  string
		port  uint16
	}{
		{"the server that the URL names", given{}, "a.example", 80},
		{"the server of a CONNECT", given{ask: connectRequest}, "a.example", 443},
		{"a proxy", given{policy: routedTo(Route{Hop: hop})}, "cache.example", 3128},
		{"a proxy for an https URL, which TLS is the proxy's matter", given{ask: "GET https://a.example/ HTTP/1.1\r\n\r\n",
			policy: routedTo(Route{Hop: hop})}, "cache.example", 3128},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newTransaction(t, routing, row.given)
			p.wants(p.play(), resolving)
			p.wantsCalls("route after 0")
			if string(p.hop.Host) != row.host || p.hop.Port != row.port || p.upstream != nil {
				t.Errorf("it goes to %s:%d by %v", p.hop.Host, p.hop.Port, p.upstream)
			}
			if !p.record.Forwarded || p.record.Hierarchy != p.hop.Hierarchy || p.record.Hierarchy == "" {
				t.Errorf("the record says %v %q", p.record.Forwarded, p.record.Hierarchy)
			}
		})
	}
}

func TestRouteWaitsForThePolicy(t *testing.T) {
	p := newTransaction(t, routing, given{policy: routedTo(Route{Action: Pending})})
	p.failed = []Attempt{{Err: errTest}}
	p.wants(p.play(), routing)
	p.wants(p.play(), routing)
	p.wantsCalls("route after 1", "route after 1")
	if p.record.Forwarded {
		t.Error("the record says that it was forwarded")
	}
	p.policy.route = &Route{Hop: Direct(p.request)}
	p.wants(p.play(), resolving)
	p.wantsTimeoutForever()
}

func TestRouteFails(t *testing.T) {
	for _, row := range []struct {
		name      string
		given     given
		unreached *Failure
		kind      FailureKind
		side      Side
		forwarded bool
	}{
		{"the policy says why there is no way", given{policy: routedTo(Route{Action: Refuse, Failure: &Failure{Kind: Looping, Side: ClientSide}})},
			&Failure{Kind: ConnectLate, Side: UpstreamSide}, Looping, ClientSide, true},
		{"the last attempt says why there is no other way", given{policy: routedTo(Route{Action: Refuse})},
			&Failure{Kind: ConnectLate, Side: UpstreamSide, During: "routing"}, ConnectLate, UpstreamSide, true},
		{"there was no way at all", given{policy: routedTo(Route{Action: Refuse})}, nil, NoRoute, OurSide, true},
		{"a scheme that we do not fetch", given{ask: "GET ftp://a.example/ HTTP/1.1\r\n\r\n"}, nil, Unsupported, OurSide, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newTransaction(t, routing, row.given)
			p.unreached = row.unreached
			p.wantsFailure(p.play(), row.kind, row.side, true)
			if row.unreached != nil && row.kind == row.unreached.Kind && p.failure != row.unreached {
				t.Error("it is another failure than that of the last attempt")
			}
			if p.record.Forwarded != row.forwarded || p.upstream != nil {
				t.Errorf("forwarded %v, upstream %v", p.record.Forwarded, p.upstream)
			}
		})
	}
	t.Run("of a scheme that we do not fetch the policy is not asked", func(t *testing.T) {
		p := newTransaction(t, routing, given{ask: "GET ftp://a.example/ HTTP/1.1\r\n\r\n"})
		p.play()
		p.wantsCalls("page unsupported request")
	})
}

// Two hops share an idle connection if all of them is equal but what only the log calls them.
func TestRouteReusesAConnectionToTheSameHop(t *testing.T) {
	kept := Hop{Host: []byte("a.example"), Port: 80, Local: netip.MustParseAddr("10.0.0.5"), Mark: 7, Identity: "alice"}
	for _, row := range []struct {
		name   string
		change func(*Hop)
		reused bool
	}{
		{"the same hop", func(*Hop) {}, true},
		{"the same by another name in the log", func(h *Hop) { h.Hierarchy = "PINNED" }, true},
		{"another host", func(h *Hop) { h.Host = []byte("b.example") }, false},
		{"another port", func(h *Hop) { h.Port = 81 }, false},
		{"a proxy at the same address", func(h *Hop) { h.Proxy = true }, false},
		{"another address of ours", func(h *Hop) { h.Local = netip.MustParseAddr("10.0.0.6") }, false},
		{"no address of ours", func(h *Hop) { h.Local = netip.Addr{} }, false},
		{"another mark", func(h *Hop) { h.Mark = 8 }, false},
		{"another type of service", func(h *Hop) { h.TOS = 8 }, false},
		{"another address of ours of IPv6", func(h *Hop) { h.Local6 = netip.MustParseAddr("fd00::5") }, false},
		{"another client that is announced", func(h *Hop) { h.ProxyHeader = "PROXY UNKNOWN\r\n" }, false},
		{"somebody else", func(h *Hop) { h.Identity = "bob" }, false},
		{"nobody in particular", func(h *Hop) { h.Identity = "" }, false},
		{"its peer is one of the addresses that were judged", func(h *Hop) {
			h.Addrs = []netip.Addr{netip.MustParseAddr("192.0.2.6"), serverAddr.Addr()}
		}, true},
		{"its peer is none of the addresses that were judged", func(h *Hop) { h.Addrs = []netip.Addr{netip.MustParseAddr("192.0.2.6")} }, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newTransaction(t, routing, given{})
			u := p.idleTo(kept)
			hop := kept
			row.change(&hop)
			p.policy.route = &Route{Hop: hop}
			if !row.reused {
				p.wants(p.play(), resolving)
				if p.upstream != nil || !u.idle() || p.sent != 0 {
					t.Error("the idle connection was taken")
				}
				return
			}
			news := p.countWakes()
			p.wants(p.play(), sending)
			p.wantsReused(u, news)
		})
	}
}

// A connection that was opened for somebody who was permitted its peer serves nobody who is not.
func TestRouteReusesOnlyWhatIsPermitted(t *testing.T) {
	p := newTransaction(t, routing, given{policy: func(s *scripted) { s.forbidden = []netip.Addr{serverAddr.Addr()} }})
	u := p.idleTo(Direct(p.request))
	p.wants(p.play(), resolving)
	if p.upstream != nil || !u.idle() || p.sent != 0 {
		t.Error("the idle connection was taken")
	}
	p.policy.forbidden = nil
	news := p.countWakes()
	p.stage = routing
	p.wants(p.play(), sending)
	p.wantsReused(u, news)
}

// wantsReused checks that an idle connection is the transaction's now.
func (p *played) wantsReused(u *upstream, news *counted) {
	p.t.Helper()
	rec := &p.record
	if p.upstream != u || u.idle() || u.used != 2 || p.sent != 1 || p.worker.idle.count != 0 {
		p.t.Errorf("upstream %v, idle %v, used %d, sent over %d", p.upstream, u.idle(), u.used, p.sent)
	}
	if !rec.Reused || rec.Upstream != serverAddr {
		p.t.Errorf("the record says %v %v", rec.Reused, rec.Upstream)
	}
	p.turn()
	before := news.runs
	p.server.WriteString("x")
	if p.turn(); news.runs == before {
		p.t.Error("news of it do not wake the transaction")
	}
}

func TestRouteReusesForRequestsThatMayBeRepeated(t *testing.T) {
	body := " http://a.example/ HTTP/1.1\r\nContent-Length: 3\r\n\r\n"
	none := " http://a.example/ HTTP/1.1\r\n\r\n"
	for _, row := range []struct {
		name, ask string
		reused    bool
	}{
		{"a GET", "GET" + none, true},
		{"a HEAD", "HEAD" + none, true},
		{"a DELETE", "DELETE" + none, true},
		{"a PUT without a body", "PUT" + none, true},
		{"a PUT with a body", "PUT" + body, false},
		{"a GET with a body", "GET" + body, false},
		{"a POST with a body", "POST" + body, false},
		{"a POST without a body", "POST" + none, false},
		{"a method that nobody knows", "FROB" + none, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newTransaction(t, routing, given{ask: row.ask})
			u := p.idleTo(Hop{Host: []byte("a.example"), Port: 80})
			news := p.countWakes()
			if !row.reused {
				p.wants(p.play(), resolving)
				return
			}
			p.wants(p.play(), sending)
			p.wantsReused(u, news)
		})
	}
}

func TestRouteLeavesIdleConnectionsAlone(t *testing.T) {
	hop := Hop{Host: []byte("a.example"), Port: 80}
	t.Run("that the server has closed", func(t *testing.T) {
		p := newTransaction(t, routing, given{})
		u := p.idleTo(hop)
		p.server.Close()
		u.end.SetWaker(nil) // the news reaches nobody before
		p.turn()
		p.wants(p.play(), resolving)
		if p.upstream != nil || u.idle() || p.worker.idle.count != 0 {
			t.Error("it is used, or still kept")
		}
	})
	t.Run("when one of them has failed it already", func(t *testing.T) {
		p := newTransaction(t, routing, given{})
		u := p.idleTo(hop)
		p.sent = 1
		p.wants(p.play(), resolving)
		if p.upstream != nil || !u.idle() {
			t.Error("it is sent over another one that may be dead as well")
		}
	})
}
