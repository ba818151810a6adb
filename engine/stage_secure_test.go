package engine

import (
	"crypto/tls"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"exaproxy/engine/enginetest/tlspeer"
	"exaproxy/engine/tlshello"
)

// withAuthority has a port that could make certificates, if it came to that.
func withAuthority(c *Config) {
	c.Ports[0].Certificate = func(string) (*tls.Certificate, error) { return nil, errors.New("none is wanted") }
}

func TestSecureWaitsForTheFirstByte(t *testing.T) {
	for _, row := range []struct {
		name, said string
		next       stage
		handshake  bool
	}{
		{"nothing tells nothing", "", securing, false},
		{"a ClientHello is answered by a handshake", "\x16", securing, true},
		{"a request is heard as it is", "GET / HTTP/1.1\r\n", hearing, false},
		{"so is anything else", "SSH-2.0-OpenSSH\r\n", hearing, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newTransaction(t, securing, given{ask: connectRequest, config: withAuthority})
			p.browser.WriteString(row.said)
			p.turn()
			p.wants(p.play(), row.next)
			if begun := p.handshake != nil; begun != row.handshake || begun != (p.clientEnd == End(p.handshake)) || begun != (p.client.end == p.clientEnd && begun) {
				t.Errorf("a handshake has begun: %v", begun)
			}
			if string(p.head) != connectRequest {
				t.Errorf("the CONNECT's head has become %q", p.head)
			}
			p.wantsHeard(p.browser, "")
			p.wantsCalls()
		})
	}
}

func TestSecureHearsWhatCameWithTheCONNECT(t *testing.T) {
	p := newTransaction(t, securing, given{ask: connectRequest + "\x16\x03\x01", config: withAuthority})
	p.wants(p.play(), securing)
	if p.handshake == nil || len(p.client.in.bytes()) > 0 {
		t.Errorf("a handshake has begun: %v, and %d bytes are left", p.handshake != nil, len(p.client.in.bytes()))
	}
}

func TestSecureGivesUp(t *testing.T) {
	t.Run("a client that waits for the server to speak first is told all the same", func(t *testing.T) {
		p := newTransaction(t, securing, given{ask: connectRequest, config: withAuthority})
		p.wants(p.play(), securing)
		p.wants(p.wantsTimeout(5*time.Second), answering)
	})
	t.Run("a client that has finished is told too", func(t *testing.T) {
		p := newTransaction(t, securing, given{ask: connectRequest, config: withAuthority})
		p.browser.CloseWrite()
		p.turn()
		p.wants(p.play(), answering)
	})
	t.Run("half a handshake has its time, and no page", func(t *testing.T) {
		p := newTransaction(t, securing, given{ask: connectRequest + "\x16", config: withAuthority})
		p.wants(p.play(), securing)
		p.wants(p.wantsTimeout(handshakeTime), over)
	})
}

// newDecrypting has a tunnel that is to be decrypted, in which the client has said something.
func newDecrypting(t *testing.T, said string, answers ...Bump) *played {
	t.Helper()
	p := newBumping(t, append([]Bump{BumpClientFirst}, answers...)...)
	p.goes(establishing, securing)
	p.browser.Read()
	p.browser.WriteString(said)
	p.turn()
	p.policy.calls = nil
	return p
}

// TestSecureDecrypts has a client shake hands, after which the connection serves the requests in it.
func TestSecureDecrypts(t *testing.T) {
	for _, row := range []struct{ asks, sees, logs string }{
		{"a.example", "a.example", "a.example"},
		{"", "192.0.2.7", ""}, // the CONNECT's
		{"a_b%c", "a_b%c", ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := newDecrypting(t, "")
			p.wants(p.play(), securing)
			c := p.client
			peer := tlspeer.Client(&tls.Config{ServerName: row.asks, InsecureSkipVerify: true})
			t.Cleanup(peer.End)
			next := securing
			for range 20 {
				synctest.Wait()
				peer.Arrive(p.browser.Read())
				p.browser.Write(peer.Leave())
				p.turn()
				if next == securing {
					next = p.play()
				}
			}
			p.wants(next, over)
			if state, err := peer.State(); state != tlspeer.Open || peer.Agreed().PeerCertificates[0].Subject.CommonName != row.sees {
				t.Errorf("the client is in state %d, %v", state, err)
			}
			if seen := p.request.TLS; !seen.Bumped || seen.Step != 0 || seen.ServerName != row.logs || !p.keepClient {
				t.Errorf("kept %v, it knows %+v", p.keepClient, seen)
			}
			if said := c.connection.Hello; said == nil || *said != (tlshello.Hello{ServerName: row.logs, Record: 0x0301, Supported: tls.VersionTLS13}) {
				t.Errorf("the client is known to have said %+v", said)
			}
			if s := c.connection.Session; s == nil || s.Version != tls.VersionTLS13 || s.Cipher != peer.Agreed().CipherSuite {
				t.Errorf("what was agreed on with it is %+v", s)
			}
			p.enter(over)
			p.finish()
			p.wantsBuffers(0)
			if c.tx != nil || c.phase != idling || c.tls == nil || c.end == End(c.fd) {
				t.Errorf("the client is %+v", c)
			}
		})
	}
}

func TestWhatIsToBeDecryptedAndIsNoTLS(t *testing.T) {
	for _, row := range []struct {
		name string
		does func(*played) stage
		why  error
	}{
		{"another protocol", func(p *played) stage { p.browser.WriteString("SSH-"); p.turn(); return p.play() }, tlshello.ErrNotTLS},
		{"silence", func(p *played) stage { p.wants(p.play(), securing); return p.wantsTimeout(5 * time.Second) }, tlshello.ErrShort},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newDecrypting(t, "", BumpTerminate)
			p.wants(row.does(p), bumping)
			if seen := p.request.TLS; seen.NotTLS != row.why || seen.Step != 2 || p.decrypts || p.handshake != nil {
				t.Errorf("it knows %+v, decrypts %v", seen, p.decrypts)
			}
			p.enter(bumping)
			p.goes(over)
			p.wantsHeard(p.browser, "")
		})
	}
}

// TestAClientThatLeavesWithoutAWord gets no tunnel for it, whatever is said of those without TLS.
func TestAClientThatLeavesWithoutAWord(t *testing.T) {
	p := newDecrypting(t, "")
	p.browser.CloseWrite()
	p.turn()
	p.wantsFailure(p.play(), ClientGone, ClientSide, false)
	p.wantsCalls()
}

func TestHalfAHandshakeIsNotServed(t *testing.T) {
	p := newDecrypting(t, hello[:30])
	p.wants(p.play(), securing)
	p.wants(p.wantsTimeout(handshakeTime), over)
	if p.keepClient || p.request.TLS.Bumped {
		t.Errorf("kept %v, it knows %+v", p.keepClient, p.request.TLS)
	}
}

// TestADecryptedTunnelWaitsForTheLog, and then the connection goes on.
func TestADecryptedTunnelWaitsForTheLog(t *testing.T) {
	p := newDecrypting(t, "")
	p.policy.logFull = true
	p.keepClient, p.request.TLS.Bumped = true, true
	c := p.client
	p.enter(over)
	p.finish()
	if c.tx == nil || p.recorded {
		t.Fatal("it is over")
	}
	p.policy.logFull = false
	p.finish()
	if c.tx != nil || c.phase != idling || c.tls == nil {
		t.Errorf("the client is %+v", c)
	}
}

// TestWhatATunnelIsSpokenWith has the secrets of a tunnel's TLS logged where they are wanted, and no tickets, for
// nobody keeps keys for them.
func TestWhatATunnelIsSpokenWith(t *testing.T) {
	var secrets strings.Builder
	p := newTransaction(t, securing, given{ask: connectRequest, config: func(c *Config) {
		withAuthority(c)
		c.KeyLog = &secrets
		c.Ports[0].InTunnels = &tls.Config{MinVersion: tls.VersionTLS13}
	}})
	c := p.serverTLS()
	if c.KeyLogWriter != &secrets || !c.SessionTicketsDisabled || c.MinVersion != tls.VersionTLS13 {
		t.Errorf("secrets to %v, tickets disabled %v, from version %x", c.KeyLogWriter, c.SessionTicketsDisabled, c.MinVersion)
	}
	_, err := c.GetCertificate(&tls.ClientHelloInfo{})
	var none noCertificate
	if !errors.As(err, &none) {
		t.Errorf("without a certificate it says %v", err)
	}
}
