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
		return t.insecure(ourHandshake, err)
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
		f.Remote = t.upstream.remote
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

// A handshaker is who has begun a handshake with the next hop, or with the server behind it.
type handshaker uint8

const (
	ourHandshake     handshaker = iota // the proxy: nothing of the client's was sent
	clientsHandshake                   // the client, in its tunnel: the server has its ClientHello
)

// insecure ends a transaction with whose next hop TLS came to nothing.
func (t *transaction) insecure(whose handshaker, err error) stage {
	return t.unsafeHop(whose, &Failure{Kind: CannotSecure, Side: UpstreamSide, Remote: t.upstream.remote, Err: err})
}

// secureLate does so when it has taken too long.
func (t *transaction) secureLate(whose handshaker) stage {
	return t.unsafeHop(whose, &Failure{Kind: SecureLate, Side: UpstreamSide, Remote: t.upstream.remote, Err: errHandshakeLate})
}

// unsafeHop is what follows when there can be no TLS with the next hop.
func (t *transaction) unsafeHop(whose handshaker, f *Failure) stage {
	switch {
	case whose == clientsHandshake: // another server would have to be sent the same
		return t.failWith(f)
	case !t.hop.inside && t.hop.Peer != nil: // else it is the server behind it that fails
		t.hop.Peer.Notice(PeerInsecure, f.Err)
	}
	if !t.hop.Elsewhere {
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
