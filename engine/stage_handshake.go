package engine

import (
	"crypto/tls"
	"strings"

	"exaproxy/engine/loop"
)

// shakeHands waits until the next hop has proved who it is, and keys are agreed on.
func (t *transaction) shakeHands() stage {
	err := t.handshake.Handshake()
	if err == loop.ErrAgain {
		return handshaking
	}
	t.handshake = nil
	if err != nil {
		return t.failWith(&Failure{Kind: CannotSecure, Side: UpstreamSide, Peer: t.upstream.peer, Err: err})
	}
	return sending
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
