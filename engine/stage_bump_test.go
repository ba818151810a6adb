package engine

import (
	"crypto/tls"
	"errors"
	"testing"
	"time"

	"exaproxy/engine/enginetest/tlspeer"
	"exaproxy/engine/tlshello"
)

// bumpRequest is a CONNECT to the server, whose name needs no looking up.
const bumpRequest = "CONNECT 192.0.2.7:80 HTTP/1.1\r\n\r\n"

var bumpAuthority = tlspeer.NewAuthority("a test's")

// bumps has a port that looks into tunnels.
func bumps(c *Config) {
	c.Ports[0].Bump = true
	c.Ports[0].Certificate = func(host string) (*tls.Certificate, error) {
		if host == "" {
			return nil, errTest
		}
		cert := bumpAuthority.Issue(host)
		return &cert, nil
	}
}

// bumpsBy has the policy answer so, at one step after the other.
func bumpsBy(answers ...Bump) func(*scripted) {
	return func(s *scripted) { s.bump = answers }
}

func newBumping(t *testing.T, answers ...Bump) *played {
	t.Helper()
	return newTransaction(t, bumping, given{ask: bumpRequest, config: bumps, policy: bumpsBy(answers...)})
}

func TestBumpAtTheFirstStep(t *testing.T) {
	for _, row := range []struct {
		name   string
		answer Bump
		next   []stage
	}{
		{"pending waits", BumpPending, []stage{bumping}},
		{"splice is a tunnel as any other", BumpSplice, []stage{routing, resolving, connecting, tunnelling}},
		{"peek looks at the ClientHello", BumpPeek, []stage{establishing, peeking}},
		{"stare does too", BumpStare, []stage{establishing, peeking}},
		{"client-first decrypts", BumpClientFirst, []stage{establishing, securing}},
		{"server-first speaks to the server before", BumpServerFirst, []stage{establishing, routing, resolving, connecting, handshaking}},
		{"terminate ends it", BumpTerminate, []stage{over}},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newBumping(t, row.answer)
			for _, next := range row.next {
				if next == bumping {
					p.wants(p.play(), bumping)
				} else {
					p.goes(next)
				}
			}
			if p.request != nil && (p.request.TLS.Action != row.answer) != (row.answer == BumpPending) {
				t.Errorf("the last action is %d", p.request.TLS.Action)
			}
			want := ""
			if p.established {
				want = established
			}
			p.wantsHeard(p.browser, want)
		})
	}
}

func TestBumpWaitsForThePolicy(t *testing.T) {
	p := newBumping(t, BumpPending, BumpSplice)
	p.wants(p.play(), bumping)
	p.wants(p.play(), routing)
	p.wantsCalls("bump at 1", "bump at 1")
	p = newBumping(t, BumpPending)
	p.wants(p.play(), bumping)
	p.wantsTimeoutForever()
}

// TestBumpIsNotAsked where a port looks into no tunnel, or where the request asks for none.
func TestBumpIsNotAsked(t *testing.T) {
	p := newTransaction(t, interpreting, given{ask: bumpRequest})
	p.wants(p.play(), routing)
	p = newTransaction(t, interpreting, given{config: bumps})
	p.wants(p.play(), routing)
	if p.request.TLS != nil || p.client.tls != nil {
		t.Error("something of TLS is known of a GET")
	}
}

func TestBumpKnowsTheCONNECT(t *testing.T) {
	p := newTransaction(t, bumping, given{ask: "CONNECT A.example.:8443 HTTP/1.1\r\n\r\n", config: bumps, policy: bumpsBy(BumpSplice)})
	seen := p.request.TLS
	if seen != p.client.tls || seen.Step != 1 || seen.PeerName() != string(p.request.Target.Host) || seen.port != 8443 {
		t.Errorf("it knows %+v of %s", seen, p.request.Target.Host)
	}
}

// newPeeked brings a transaction to the second step, with what the client has said.
func newPeeked(t *testing.T, said string, answers ...Bump) *played {
	t.Helper()
	p := newBumping(t, append([]Bump{BumpPeek}, answers...)...)
	p.goes(establishing, peeking)
	p.browser.WriteString(said)
	p.turn()
	p.goes(bumping)
	p.browser.Read()
	p.policy.calls = nil
	return p
}

func TestBumpAtTheSecondStep(t *testing.T) {
	for _, row := range []struct {
		name   string
		answer Bump
		next   []stage
		heard  string
		judged bool
	}{
		{"splice is judged, and then a tunnel", BumpSplice, []stage{admitting, asking, interpreting, routing, resolving, connecting, tunnelling}, "", true},
		{"peek is judged, and goes to the server", BumpPeek, []stage{admitting, asking, interpreting, routing, resolving, connecting, overhearing}, "", true},
		{"stare speaks to the server", BumpStare, []stage{routing, resolving, connecting, handshaking}, "", false},
		{"server-first does too", BumpServerFirst, []stage{routing, resolving, connecting, handshaking}, "", false},
		{"client-first decrypts", BumpClientFirst, []stage{securing}, "", false},
		{"terminate says so", BumpTerminate, []stage{over}, string(accessDenied), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newPeeked(t, hello, row.answer)
			if p.request.TLS.Step != 2 || p.request.TLS.ServerName != "a.example" || p.request.TLS.PeerName() != "a.example" || p.request.Connection.Hello.ServerName != "a.example" {
				t.Errorf("it knows %+v", p.request.TLS)
			}
			p.goes(row.next...)
			p.wantsHeard(p.browser, row.heard)
			if p.judgedInside != row.judged || p.failure != nil {
				t.Errorf("judged: %v, the failure is %v", p.judgedInside, p.failure)
			}
			calls := []string{"bump at 2"}
			if row.judged {
				calls = append(calls, "admit", "question", `interpret "" <nil>`)
			}
			if len(row.next) > 1 {
				calls = append(calls, "route after 0")
			}
			p.wantsCalls(calls...)
		})
	}
}

// TestASplicedTunnelHasWhatWasSaid, and no more is kept of the request than its head.
func TestASplicedTunnelHasWhatWasSaid(t *testing.T) {
	p := newPeeked(t, hello+"more", BumpSplice)
	p.goes(admitting, asking, interpreting, routing, resolving, connecting, tunnelling)
	p.server = p.port.Accept()
	p.wants(p.play(), tunnelling)
	p.turn()
	p.wantsHeard(p.server, hello+"more")
	p.server.WriteString("answer")
	p.turn()
	p.wants(p.play(), tunnelling)
	p.wantsHeard(p.browser, "answer")
	p.wantsBuffers(0)
	if p.client.in != nil || p.keepClient || !p.record.Tunnel || p.record.Status != 200 {
		t.Errorf("kept %v, the record is %+v", p.keepClient, p.record)
	}
}

// TestAVerdictAfterTheClientHello is told inside.
func TestAVerdictAfterTheClientHello(t *testing.T) {
	t.Run("in TLS", func(t *testing.T) {
		p := newPeeked(t, hello, BumpSplice)
		p.policy.admit = Decision{Action: Refuse}
		p.goes(admitting, securing)
		p.wants(p.play(), securing)
		if p.handshake == nil || p.decrypts || !p.inTunnel || p.keepClient {
			t.Errorf("a handshake has begun: %v, decrypts %v, inside %v, kept %v", p.handshake != nil, p.decrypts, p.inTunnel, p.keepClient)
		}
	})
	t.Run("by closing", func(t *testing.T) {
		p := newPeeked(t, hello, BumpSplice)
		p.policy.admit = Decision{Action: Refuse, Connect: ConnectClose}
		p.goes(admitting, over)
		p.wantsHeard(p.browser, string(accessDenied))
	})
	t.Run("by a reset", func(t *testing.T) {
		p := newPeeked(t, hello, BumpSplice)
		p.policy.admit = Decision{Action: Serve, Reply: &LocalReply{Reset: true}}
		p.goes(admitting, answering)
	})
	t.Run("without an authority by an alert", func(t *testing.T) {
		p := newPeeked(t, hello, BumpSplice)
		port := *p.request.Port
		port.Certificate = nil
		p.request.Port = &port
		p.policy.admit = Decision{Action: Refuse}
		p.goes(admitting, over)
		p.wantsHeard(p.browser, string(accessDenied))
	})
}

func TestWhatIsNoTLSIsNotJudgedAgain(t *testing.T) {
	p := newPeeked(t, "SSH-2.0-OpenSSH\r\n", BumpSplice)
	if seen := p.request.TLS; !errors.Is(seen.NotTLS, tlshello.ErrNotTLS) || seen.ServerName != "" || p.client.connection.Hello != nil {
		t.Errorf("it knows %+v", seen)
	}
	p.goes(routing, resolving, connecting, tunnelling)
	p.server = p.port.Accept()
	p.wants(p.play(), tunnelling)
	p.turn()
	p.wantsHeard(p.server, "SSH-2.0-OpenSSH\r\n")

	p = newPeeked(t, "SSH-2.0-OpenSSH\r\n", BumpTerminate)
	p.goes(over)
	p.wantsHeard(p.browser, "") // it would not know an alert
	if f := p.failure; f == nil || f.Kind != NotTLS || f.Side != ClientSide || !p.inTunnel {
		t.Errorf("the failure is %+v, and what follows is thrown away: %v", f, p.inTunnel)
	}
}

// TestBumpIsAbandoned with its client, at each step.
func TestBumpIsAbandoned(t *testing.T) {
	p := newBumping(t, BumpPending)
	p.browser.Close()
	p.turn()
	if !p.abandoned() {
		t.Error("not at the first step")
	}
	p = newPeeked(t, hello, BumpPending)
	p.browser.Reset()
	p.turn()
	if !p.abandoned() {
		t.Error("not at the second step")
	}
}

func TestPeekWaits(t *testing.T) {
	begun := func(said string) *played {
		p := newBumping(t, BumpPeek)
		p.goes(establishing, peeking)
		p.browser.WriteString(said)
		p.turn()
		p.wants(p.play(), peeking)
		return p
	}
	t.Run("for the first byte, and no longer than 10 s", func(t *testing.T) {
		p := begun("")
		p.wants(p.wantsTimeout(10*time.Second), bumping)
		if p.request.TLS.NotTLS != tlshello.ErrShort || p.request.TLS.Step != 2 {
			t.Errorf("it knows %+v", p.request.TLS)
		}
	})
	t.Run("for all of the ClientHello", func(t *testing.T) {
		p := begun(hello[:len(hello)-1])
		p.wantsBuffers(2)
		p.browser.WriteString(hello[len(hello)-1:])
		p.turn()
		p.wants(p.play(), bumping)
		p.wantsBuffers(2)
	})
	for name, leave := range map[string]func(*played){
		"a client that leaves":   func(p *played) { p.browser.Close() },
		"one that finishes":      func(p *played) { p.browser.CloseWrite() },
		"one that breaks it off": func(p *played) { p.browser.Reset() },
	} {
		t.Run(name, func(t *testing.T) {
			p := begun(hello[:20])
			leave(p)
			p.turn()
			if p.abandoned() {
				t.Error("it does not see for itself")
			}
			p.wantsFailure(p.play(), ClientGone, ClientSide, false)
		})
	}
}

// TestPeekReadsWhatCameWithTheCONNECT, after the 200 was said.
func TestPeekReadsWhatCameWithTheCONNECT(t *testing.T) {
	p := newTransaction(t, bumping, given{ask: bumpRequest + hello, config: bumps, policy: bumpsBy(BumpPeek)})
	p.goes(establishing, peeking, bumping)
	p.wantsHeard(p.browser, established)
	if p.request.TLS.ServerName != "a.example" || len(p.client.in.bytes()) > 0 || string(p.head) != bumpRequest {
		t.Errorf("it knows %+v", p.request.TLS)
	}
}
