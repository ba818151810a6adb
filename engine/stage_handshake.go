package engine

import (
	"errors"

	"exaproxy/engine/loop"
)

var errHandshakeLate = errors.New("the handshake took longer than connect_timeout allows")

// shakeHands waits until the next hop has proved who it is, and keys are agreed on.
func (t *transaction) shakeHands() stage {
	err := t.handshake.Handshake()
	if err == loop.ErrAgain {
		return handshaking
	}
	conn := t.handshake
	t.handshake = nil
	if err != nil {
		return t.insecure(err)
	}
	s := t.upstream.shown
	s.agreed = serverTLS(conn)
	reveals := t.reveals()
	if reveals {
		t.request.TLS.Server, t.request.TLS.Errors = s.chain, s.errors
	}
	if !t.hop.inside {
		notice(t.hop.Peer, PeerReached)
	}
	if f := t.distrusts(s); f != nil {
		f.Peer = t.upstream.peer
		return t.failWith(f)
	}
	if t.hop.through != nil && !t.hop.inside {
		return piercing
	}
	t.record.Server = &s.agreed
	if reveals {
		return t.revealed()
	}
	return sending
}

// insecure ends a transaction with whose next hop TLS came to nothing.
func (t *transaction) insecure(err error) stage {
	return t.unsafeHop(&Failure{Kind: CannotSecure, Side: UpstreamSide, Peer: t.upstream.peer, Err: err})
}

// unsafeHop is what follows when there can be no TLS with the next hop: nothing was sent to it.
func (t *transaction) unsafeHop(f *Failure) stage {
	if !t.hop.inside && t.stage == handshaking { // else it is the server behind it that fails
		notice(t.hop.Peer, PeerUnreached)
	}
	if !t.hop.Elsewhere || t.stage == overhearing { // what the client has said there is with the server
		return t.failWith(f)
	}
	t.handshake = nil
	t.upstream.close()
	t.upstream = nil
	return t.anotherHop(f)
}

// distrusts says why a server is not to be used by what it has shown; nil if it is.
func (t *transaction) distrusts(s *shown) *Failure {
	if s == nil || len(s.errors) == 0 {
		return nil
	}
	return t.setup.policy.Trusts(t.request, s.chain, s.errors)
}

// revealed goes on with a tunnel whose server is known now.
func (t *transaction) revealed() stage {
	seen := t.request.TLS
	if t.decrypts {
		return securing
	}
	seen.Step = 3
	return bumping
}
