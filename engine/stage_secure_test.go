package engine

import (
	"crypto/tls"
	"errors"
	"testing"
	"time"
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
