package engine

import "testing"

// pierced brings a CONNECT to where a proxy is asked for a tunnel.
func pierced(t *testing.T, elsewhere bool) *played {
	t.Helper()
	p := newTransaction(t, piercing, given{ask: connectRequest, hop: func(h *Hop) {
		h.through, h.Elsewhere = []byte("a.example:443"), elsewhere
	}})
	p.wants(p.play(), piercing)
	p.wantsHeard(p.server, lines("CONNECT a.example:443 HTTP/1.1", "Host: a.example:443", "Connection: close"))
	p.wantsCalls("edit 2")
	return p
}

func TestPierceOpensATunnel(t *testing.T) {
	p := pierced(t, false)
	p.server.WriteString("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200")
	p.turn()
	p.wants(p.play(), piercing)
	p.server.WriteString(" OK\r\nX: y\r\n\r\n")
	p.turn()
	p.wants(p.play(), tunnelling)
	if p.failure != nil || p.upstream == nil {
		t.Errorf("failure %v, upstream %v", p.failure, p.upstream)
	}
}

func TestPierceFails(t *testing.T) {
	for _, row := range []struct {
		name, says string
		closes     bool
		kind       FailureKind
	}{
		{"it opens none", "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", false, NoRoute},
		{"the server speaks first", "HTTP/1.1 200 OK\r\n\r\nwelcome", false, BadReply},
		{"it says no HTTP", "SSH-2.0-x\r\n\r\n", false, BadReply},
		{"it closes", "", true, UpstreamClosed},
	} {
		t.Run(row.name, func(t *testing.T) {
			for _, elsewhere := range []bool{false, true} {
				p := pierced(t, elsewhere)
				p.server.WriteString(row.says)
				if row.closes {
					p.server.Close()
				}
				p.turn()
				if next := p.play(); elsewhere {
					p.wants(next, routing)
				} else {
					p.wantsFailure(next, row.kind, UpstreamSide, true)
				}
				if p.upstream != nil {
					t.Error("the connection is kept")
				}
			}
		})
	}
}

func TestPierceWaits(t *testing.T) {
	p := pierced(t, false)
	p.wantsFailure(p.giveUp(), UpstreamLate, UpstreamSide, true)
}

// TestUnsafeHopsAreFollowedByOthers has what the client has said in its tunnel be kept for the next hop, unless it is with
// the server already.
func TestUnsafeHopsAreFollowedByOthers(t *testing.T) {
	for _, row := range []struct {
		whose     handshaker
		elsewhere bool
		next      stage
	}{{ourHandshake, true, routing}, {ourHandshake, false, answering}, {clientsHandshake, true, answering}} {
		p := newTransaction(t, sending, given{hop: func(h *Hop) { h.Elsewhere = row.elsewhere }})
		p.up.buf = p.worker.buffers.relay()
		p.up.buf.w = copy(p.up.buf.b, "hello")
		if next := p.unsafeHop(row.whose, &Failure{Kind: CannotSecure, Side: UpstreamSide, Err: errTest}); next != row.next {
			t.Errorf("handshaker %d, with another hop %v: it goes to %v", row.whose, row.elsewhere, next)
		}
		if row.next == routing && (p.upstream != nil || string(p.up.buf.bytes()) != "hello" || len(p.failed) != 1) {
			t.Errorf("upstream %v, the client has said %q, %d attempts", p.upstream, p.up.buf.bytes(), len(p.failed))
		}
	}
}

// TestTunnelsOfAProxyLeadToOneServer has requests for several servers go through one proxy: a connection that is kept
// serves those for the same host and port only, of the same identity.
func TestTunnelsOfAProxyLeadToOneServer(t *testing.T) {
	key := func(url, identity string) hopKey {
		p := newTransaction(t, routing, given{ask: lines("GET "+url+" HTTP/1.1", "Host: a.example")})
		p.request.TLS = &SeenTLS{Bumped: true}
		p.hop = Hop{Host: []byte("proxy.example"), Port: 3128, Proxy: true, Identity: identity}
		if why := p.goThrough(); why != nil {
			t.Fatal(why)
		}
		return p.hop.key()
	}
	one := key("https://a.example/", "cache_peer one")
	for _, row := range []struct {
		url, identity string
		same          bool
	}{
		{"https://a.example/else", "cache_peer one", true},
		{"https://a.example:8443/", "cache_peer one", false},
		{"https://b.example/", "cache_peer one", false},
		{"https://a.example/", "cache_peer two", false},
		{"https://a.example/", "", false},
	} {
		if got := key(row.url, row.identity); (got == one) != row.same {
			t.Errorf("%s by %q: it shares connections %v; %+v", row.url, row.identity, got == one, got)
		}
	}
}
