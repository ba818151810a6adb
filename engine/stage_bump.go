package engine

import (
	"strings"

	"exaproxy/engine/tlshello"
)

// allowed is what follows when a request may go on: of a CONNECT, the question what becomes of its tunnel.
func (t *transaction) allowed() stage {
	switch {
	case !t.request.IsConnect() || !t.request.Port.Bump || t.judgedInside:
		return routing
	case t.request.TLS == nil:
		t.client.tls = see(t.request)
		t.request.TLS = t.client.tls
	}
	return bumping
}

// bump asks the policy what becomes of a tunnel (ssl_bump): at first by what the CONNECT says, then by the
// ClientHello, and then by what the server shows of itself.
func (t *transaction) bump() stage {
	seen := t.request.TLS
	action := t.setup.policy.Bump(t.request)
	if action == BumpPending {
		return bumping
	}
	seen.Action = action
	switch action {
	case BumpSplice:
		return t.splice()
	case BumpPeek, BumpStare:
		return t.lookFurther()
	case BumpClientFirst, BumpServerFirst:
		return t.decrypt()
	case BumpTerminate:
		return t.terminate()
	}
	panic("BUG: no such action of ssl_bump")
}

// splice makes it a tunnel, whose server may have been given the client's own words already. One that was
// spoken to in words of ours can have no others from the client.
func (t *transaction) splice() stage {
	switch seen := t.request.TLS; {
	case t.upstream == nil && seen.Step == 2 && seen.NotTLS == nil:
		return t.judgeInside()
	case seen.NotTLS == tlshello.ErrShort && !t.silent():
		return t.terminate() // it has begun a ClientHello, and would go on with it in the tunnel
	case t.upstream == nil:
		t.unheard = seen.NotTLS == tlshello.ErrShort
		return routing
	case t.hop.reveals():
		return t.terminate()
	}
	t.up.release() // it has been sent
	t.isTunnel(200)
	t.carry(nil, nil, t.takeServerSaid())
	return tunnelling
}

// lookFurther goes on to the next step: the ClientHello, or the server.
func (t *transaction) lookFurther() stage {
	switch seen := t.request.TLS; {
	case seen.Step == 1:
		return t.inside(peeking)
	case seen.Step == 2 && seen.Action == BumpPeek:
		return t.judgeInside()
	case seen.Step == 2:
		return routing // if it stays with that, the requests inside are going to be judged
	}
	panic("BUG: there is nothing further to look at")
}

// decrypt makes the proxy the server that the client wanted.
func (t *transaction) decrypt() stage {
	seen := t.request.TLS
	if t.upstream != nil && !t.hop.reveals() {
		return t.terminate() // the server is in a handshake with the client
	}
	t.decrypts, seen.decided = true, strings.ToLower(seen.PeerName())
	if seen.Action == BumpServerFirst && len(seen.Server) == 0 {
		return t.inside(routing)
	}
	return t.inside(securing)
}

// inside goes on to next when the client knows that its tunnel is there.
func (t *transaction) inside(next stage) stage {
	if t.established {
		return next
	}
	t.next = next
	return establishing
}

// terminate ends a tunnel. A client that speaks TLS is told so in its language.
func (t *transaction) terminate() stage {
	if why := t.request.TLS.NotTLS; why != nil {
		t.noteFailure(&Failure{Kind: t.withoutTLS(why), Side: ClientSide, Err: why}) // for the log
	}
	if t.established {
		t.alert()
	}
	return t.drop()
}

// withoutTLS is what a client has done wrong of which no ClientHello came.
func (t *transaction) withoutTLS(why error) FailureKind {
	switch {
	case why != tlshello.ErrShort:
		return NotTLS
	case t.silent():
		return ClientSilent
	}
	return ClientLate
}

// silent says whether the client has said nothing in its tunnel.
func (t *transaction) silent() bool { return t.up.buf == nil || t.up.buf.empty() }

// accessDenied is an alert of TLS, in the clear as before any keys are agreed on: fatal, access_denied
// (RFC 8446, sections 5.1 and 6.2).
var accessDenied = []byte{21, 3, 3, 0, 2, 2, 49}

// alert tells a client that has sent a ClientHello that it gets no further, as far as it can be told at once.
func (t *transaction) alert() {
	t.inTunnel = true // what it goes on to say is thrown away, and it sees an orderly end
	if seen := t.request.TLS; seen != nil && seen.Step >= 2 && seen.NotTLS == nil {
		n, _ := t.clientEnd.Write(accessDenied)
		t.down.out += int64(n)
	}
}

// reveals says whether the next hop is spoken to in TLS of ours, for what its certificate says.
func (t *transaction) reveals() bool {
	seen := t.request.TLS
	return t.request.IsConnect() && seen != nil && (t.decrypts || seen.Action == BumpStare)
}

// peeksAtServer says whether the client's words go to the server now, for what its answer shows.
func (t *transaction) peeksAtServer() bool {
	seen := t.request.TLS
	return seen != nil && seen.Action == BumpPeek && seen.Step == 2
}

// decrypted has the client's connection go on with the requests in its tunnel. The connection to the
// server that was made for its certificate serves one of them.
func (t *transaction) decrypted() stage {
	seen := t.request.TLS
	seen.Step, seen.Bumped = 0, true
	if name := t.handshake.State().ServerName; tlshello.PlainName(name) {
		if seen.ServerName = name; t.client.connection.Port.Tunnels {
			seen.decided = strings.ToLower(name) // where nothing was looked at before, an address was all there was
		}
	}
	t.keepClient, t.keepUpstream = true, true
	return over
}
