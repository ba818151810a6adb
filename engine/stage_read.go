package engine

import (
	"errors"

	"exaproxy/engine/h1"
	"exaproxy/engine/loop"
)

// read receives and parses the request's head.
func (t *transaction) read() stage {
	c, limits := t.client, &t.setup.config.Limits
	if c.connection.Port.Tunnels && c.served == 1 {
		return t.divert()
	}
	if c.in == nil && c.receive() != nil {
		c.putIfEmpty()
		return t.silentClient()
	}
	for range headReads {
		n, err := h1.ParseRequest(c.in.bytes(), &t.request.Request, limits.heads(limits.requestHead()))
		if err == nil {
			return t.understood(n)
		}
		if err != h1.ErrShort {
			return t.misread(err)
		}
		if !c.grow(limits.requestHead()) {
			return t.misread(h1.ErrTooLarge)
		}
		if err := c.receive(); err == loop.ErrAgain {
			return reading
		} else if err != nil {
			return t.fail(ClientGone, ClientSide, err)
		}
	}
	t.wakeSelf()
	return reading
}

// followPresentSetup has the request judged by the configuration of the moment in which its head is
// complete: its first byte may have come long before.
func (t *transaction) followPresentSetup() {
	w, old := t.client.worker, t.setup
	if old == w.setup {
		return
	}
	t.setup = w.setup
	t.request.Port = t.client.connection.Port
	t.setup.uses++
	w.done(old)
}

// misread answers bytes that are no request, unless they may go on as they are. What follows them cannot be told apart from
// them, so the connection is not kept.
func (t *transaction) misread(err error) stage {
	t.keepClient, t.unparsable = false, true
	t.record.Unread = false
	t.head = t.client.in.bytes()
	f := &Failure{Kind: BadRequest, Side: ClientSide, Err: err}
	if errors.Is(err, h1.ErrTooLarge) {
		f.Kind = HeadTooLarge
	}
	if next, yes := t.foreign(f); yes {
		return next
	}
	return t.failWith(f)
}

// insideFailure is what kind of failure it is when a request in a tunnel names no server that it may.
func insideFailure(err error) FailureKind {
	if err == errElsewhere {
		return Misdirected
	}
	return BadRequest
}

// understood takes the head's n bytes out of the buffer, where they stay readable until the
// transaction is over.
func (t *transaction) understood(n int) stage {
	c := t.client
	t.followPresentSetup()
	t.head = c.in.bytes()[:n]
	c.consumed(n)
	return t.accepted()
}

// completeTarget makes the target a URL where the port is no forward proxy's: what a path alone names; of an accelerator
// whatever the client has said, for it means the site.
func (t *transaction) completeTarget() *Failure {
	r := t.request
	if r.Port.Mode == Accel || r.Port.Mode != Forward && r.Target.Form == h1.Origin {
		return t.setup.policy.Complete(r)
	}
	return nil
}

// accepted completes a request that was parsed, and finds out where its body ends and whether the client wants to go on.
func (t *transaction) accepted() stage {
	r, limits := t.request, &t.setup.config.Limits
	t.record.Unread = false
	if r.TLS != nil {
		if err := r.TLS.complete(r, limits.Whitespace); err != nil {
			t.keepClient, t.unparsable = false, true
			return t.fail(insideFailure(err), ClientSide, err)
		}
	}
	if f := t.completeTarget(); f != nil {
		t.keepClient, t.unparsable = false, true
		return t.failWith(f)
	}
	r.appendDomain(&r.Target, t.setup.config.Names.AppendDomain)
	body, err := h1.RequestBody(&r.Request)
	if err == nil {
		err = r.CheckExpect()
	}
	if err == nil && limits.StrictHeads {
		err = r.Conforms()
	}
	if err == nil && limits.BodiesOf10 {
		err = r.BodyOf10()
	}
	if err != nil {
		t.keepClient, t.unparsable = false, true
		return t.fail(BadRequest, ClientSide, err)
	}
	t.up.body = body
	r.hostOfTarget()
	t.keepClient = h1.KeepAlive(r.Major, r.Minor, &r.Header) && !t.setup.config.NoClientPersistence
	r.Persistent = t.keepClient
	if limit := limits.RequestBody; limit > 0 && body.Length() > limit {
		return t.fail(BodyTooLarge, ClientSide, errBodyTooLarge)
	}
	return admitting
}
