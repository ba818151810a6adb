package engine

import (
	"crypto/tls"
	"crypto/x509"
	"strings"

	"exaproxy/engine/loop"
)

// shakeHands waits until the next hop has proved who it is, and keys are agreed on.
func (t *transaction) shakeHands() stage {
	conn := t.handshake
	err := conn.Handshake()
	if err == loop.ErrAgain {
		return handshaking
	}
	t.handshake = nil
	if err != nil {
		return t.failWith(&Failure{Kind: CannotSecure, Side: UpstreamSide, Peer: t.upstream.peer, Err: err})
	}
	if t.reveals() {
		return t.revealed(conn.State().PeerCertificates)
	}
	return sending
}

// revealed goes on with a tunnel whose server is known now.
func (t *transaction) revealed(chain []*x509.Certificate) stage {
	seen := t.request.TLS
	seen.Server = chain
	if t.decrypts {
		return securing
	}
	seen.Step = 3
	return bumping
}

// clientTLS is how TLS is spoken to a hop.
func (c *Config) clientTLS(h *Hop) *tls.Config {
	config := &tls.Config{}
	if c.OutgoingTLS != nil {
		config = c.OutgoingTLS.Clone()
	}
	config.NextProtos = []string{"http/1.1"}
	config.ServerName = strings.TrimSuffix(h.TLS.ServerName, ".") // which no certificate has
	return config
}
