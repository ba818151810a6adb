package engine

import (
	"testing"
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
	t.Run("it has as long as connecting", func(t *testing.T) {
		p := begun()
		p.wantsFailure(p.wantsTimeout(p.forwardBy.Sub(p.now())), ConnectLate, UpstreamSide, true)
	})
	t.Run("the name that is verified has no dot at its end", func(t *testing.T) {
		p := begun()
		if name := p.setup.config.clientTLS(&p.hop, new(shown)).ServerName; name != "a.example" {
			t.Errorf("it is %q", name)
		}
	})
}
