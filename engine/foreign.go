package engine

import (
	"exaproxy/engine/h1"
	"exaproxy/engine/tlshello"
)

// mayBeForeign says whether a client may speak another protocol than HTTP: one that the packet filter has sent to an
// http_port, before it has asked for anything.
func (c *client) mayBeForeign() bool {
	p := c.connection.Port
	return p.Mode.Diverted() && !p.Tunnels && c.served <= 1
}

// foreign has a client that does not speak HTTP go on to whom it wanted, if the policy lets it. f is what is wrong with what it
// says; yes says that it may, or that this is not known yet. Who says what a server might take for a request, or for TLS,
// may not: nobody would have judged whom it asks for.
func (t *transaction) foreign(f *Failure) (next stage, yes bool) {
	c := t.client
	if !c.mayBeForeign() || !c.connection.Original.IsValid() {
		return t.stage, false
	}
	silent := c.in == nil || c.in.empty()
	if !silent && mayAskFor(c.in.bytes()) {
		return t.stage, false
	}
	t.followPresentSetup()
	switch t.setup.policy.Foreign(t.request, f) {
	case Pending:
		return reading, true
	case Proceed:
		next, t.unheard = t.divertForeign(), silent
		return next, true
	case Refuse:
		return t.stage, false
	}
	panic("BUG: neither a tunnel nor none")
}

// mayAskFor says whether a server might take what a client says for a request, or for TLS.
func mayAskFor(said []byte) bool {
	_, err := tlshello.Parse(said)
	return err != tlshello.ErrNotTLS || h1.Like(said)
}

// divertForeign gives the client the tunnel, which is judged as any.
func (t *transaction) divertForeign() stage {
	next := t.divertTo(t.client.connection.Original)
	t.judgedInside, t.unparsable = true, false
	return next
}

// silentClient is what becomes of a client that has said nothing for as long as it may: it may be waiting for the server to
// speak first. So is one that has begun to say something, and does not go on.
func (t *transaction) silentClient() stage {
	f := &Failure{Kind: ClientLate, Side: ClientSide, During: t.stage.String()}
	if t.client.in == nil || t.client.in.empty() {
		f.Kind = ClientSilent
	}
	if next, yes := t.foreign(f); yes {
		return next
	}
	t.failure = f
	return t.drop()
}
