package engine

import (
	"crypto/tls"
	"testing"
	"testing/synctest"
	"time"

	"exaproxy/engine/enginetest/tlspeer"
)

// TestHandshake has a next hop that is to speak TLS, and does not.
func TestHandshake(t *testing.T) {
	secured := func(h *Hop) { h.TLS.ServerName = "a.example." }
	begun := func() *played {
		p := newTransaction(t, connecting, given{hop: secured})
		p.wants(p.play(), connecting)
		p.turn()
		p.wants(p.play(), handshaking)
		p.enter(handshaking)
		p.wants(p.play(), handshaking)
		return p
	}
	t.Run("it has as long as connecting to one address", func(t *testing.T) {
		p := begun()
		p.wantsFailure(p.wantsTimeout(time.Minute), SecureLate, UpstreamSide, true)
	})
	t.Run("the name that is verified has no dot at its end", func(t *testing.T) {
		p := begun()
		if name := p.setup.config.clientTLS(&p.hop, new(shown)).ServerName; name != "a.example" {
			t.Errorf("it is %q", name)
		}
	})
}

// TestHandshakeReveals has a server show itself before its client is answered.
func TestHandshakeReveals(t *testing.T) {
	for _, row := range []struct {
		name   string
		answer Bump
		next   []stage
		step   int
	}{
		{"after stare it is asked again what becomes of the tunnel", BumpStare, []stage{bumping}, 3},
		{"with server-first that is known", BumpServerFirst, []stage{securing}, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPeeked(t, hello, row.answer)
				p.setup.config.OutgoingTLS = &tls.Config{InsecureSkipVerify: true}
				p.goes(routing, resolving, connecting, handshaking)
				p.server = p.port.Accept()
				peer := tlspeer.Server(&tls.Config{Certificates: []tls.Certificate{bumpAuthority.Issue("a.example")}})
				t.Cleanup(peer.End)
				next := handshaking
				for range 20 {
					synctest.Wait()
					peer.Arrive(p.server.Read())
					p.server.Write(peer.Leave())
					p.turn()
					if next == handshaking {
						next = p.play()
					}
				}
				p.wants(next, row.next[0])
				if asked := peer.Agreed().ServerName; asked != "a.example" {
					t.Errorf("the server was asked for %q", asked)
				}
				if seen := p.request.TLS; seen.Step != row.step || len(seen.Server) != 2 || seen.Server[0].VerifyHostname("a.example") != nil {
					t.Errorf("it knows %+v", seen)
				}
				agreed := peer.Agreed()
				if got := p.record.Server; got == nil || *got != (ServerTLS{tls.VersionTLS12, tls.VersionTLS13, agreed.Version, agreed.CipherSuite}) {
					t.Errorf("the record has %+v of the server", got)
				}
				p.wantsHeard(p.browser, "")
				if p.handshake != nil || string(p.heard().bytes()) != hello {
					t.Error("the client's ClientHello is not there for its handshake")
				}
			})
		})
	}
}

// TestAServerThatDoesNotProveItself is told of inside.
func TestAServerThatDoesNotProveItself(t *testing.T) {
	p := newPeeked(t, hello, BumpStare)
	p.goes(routing, resolving, connecting, handshaking)
	p.server = p.port.Accept()
	p.wants(p.play(), handshaking)
	p.wants(p.wantsTimeout(time.Minute), securing)
	if f := p.failure; f == nil || f.Kind != SecureLate || f.Side != UpstreamSide {
		t.Errorf("the failure is %+v", f)
	}
	p.enter(securing)
	p.wants(p.play(), securing)
	if p.handshake == nil || p.clientEnd != End(p.handshake) {
		t.Error("no handshake with the client has begun")
	}
}
