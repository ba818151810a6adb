package engine

import (
	"errors"
	"fmt"

	"exaproxy/engine/h1"
	"exaproxy/engine/loop"
	"exaproxy/engine/tlsend"
)

var (
	errTLSInTLS    = errors.New("TLS with a server is not spoken through a proxy that is spoken to in TLS")
	errEarlyServer = errors.New("the server says something before it is spoken to in TLS")
)

// speaksInside says whether the server is spoken to in TLS of ours, in a tunnel if there is a proxy between.
func (t *transaction) speaksInside() bool {
	seen := t.request.TLS
	return t.reveals() || seen != nil && seen.Bumped
}

// wantsTunnel says whether a proxy has to be asked for a tunnel by a CONNECT of ours: where TLS of ours is spoken in it, and
// where what the client has said in its own is kept until the server's is there.
func (t *transaction) wantsTunnel() bool {
	return t.speaksInside() || t.request.IsConnect() && t.established
}

// goThrough has a hop that is a proxy be the way to the server itself, which is spoken to in a tunnel that the proxy opens.
// Connections that are kept lead to that server and no other. why is nil if that can be.
func (t *transaction) goThrough() (why *Failure) {
	h, target := &t.hop, t.request.Effective()
	if h.inside = t.speaksInside(); h.inside && h.TLS != (TLS{}) {
		return &Failure{Kind: NoRoute, Side: OurSide, Err: errTLSInTLS}
	}
	server := h1.Target{Form: h1.Authority, Host: target.Host, IPv6: target.IPv6, Port: target.Port}
	h.through = t.request.keepURL(&server)
	h.Identity += " to " + string(h.through)
	h.Proxy = false
	if h.inside && t.request.TLS.Bumped {
		h.TLS.ServerName = string(target.Host)
	}
	return nil
}

// pierce asks a proxy for a tunnel to the server, and waits for its answer. What the client has said in its tunnel, if it
// is to be passed on, is kept meanwhile.
func (t *transaction) pierce() stage {
	f := &t.down
	if f.dst == nil {
		f.begin(flow{dst: t.upstream.end, pre: t.piercingHead()})
	}
	if !f.flush() {
		if f.err != nil {
			return t.unpierced(UpstreamBroken, f.err)
		}
		return piercing
	}
	for {
		n, err := t.parseReply()
		switch head := &t.client.worker.head; {
		case err == nil && head.Status >= 200:
			f.buf.r += n
			return t.pierced(head.Status)
		case err == nil:
			f.buf.r += n // an interim reply, which is nobody's
			continue
		case err != h1.ErrShort:
			return t.unpierced(BadReply, err)
		case len(f.buf.room()) == 0:
			return t.unpierced(ReplyTooLarge, h1.ErrTooLarge)
		}
		n, err = t.upstream.end.Read(f.buf.room())
		if err == loop.ErrAgain {
			return piercing
		}
		if err != nil {
			return t.unpierced(UpstreamClosed, err)
		}
		f.buf.w += n
	}
}

// piercingHead is a CONNECT of ours. Of what the client says it has only what the proxy is to know of it: all else is
// for the server, and in TLS.
func (t *transaction) piercingHead() *buffer {
	w, r := t.client.worker, t.request
	h := &w.outgoing
	h.Reset()
	if sent := r.Header.Get("Proxy-Authorization"); sent != nil && t.hop.Credentials && r.IsConnect() {
		h.Add("Proxy-Authorization", sent)
	}
	h.Add("Host", t.hop.through)
	t.setup.policy.Edit(r, h, Through)
	h.Add("Connection", closeIt)
	head := w.buffers.head()
	out := h.AppendTo(h1.AppendRequestLine(head.b[:0], "CONNECT", t.hop.through))
	head.fill(append(out, "\r\n"...))
	return head
}

// pierced goes on with the server, if the proxy has opened the tunnel.
func (t *transaction) pierced(status int) stage {
	switch {
	case status >= 300:
		return t.unpierced(NoRoute, fmt.Errorf("the proxy opens no tunnel: it answered %d", status))
	case !t.down.buf.empty():
		return t.unpierced(BadReply, errEarlyServer)
	}
	t.forgetPiercing()
	switch {
	case t.hop.inside:
		return t.secureInside()
	case t.peeksAtServer():
		return overhearing
	}
	return t.openTunnel(nil)
}

// secureInside begins TLS with the server in the tunnel.
func (t *transaction) secureInside() stage {
	w, u := t.client.worker, t.upstream
	u.shown = new(shown)
	t.handshake = tlsend.Client(w.loop, u.end.(*loop.FD), t.setup.config.clientTLS(&t.hop, u.shown), w.engine.fetches, t.waker)
	u.end = t.handshake
	return handshaking
}

// forgetPiercing gives back what the CONNECT needed. What was sent and received is no part of the client's exchange.
func (t *transaction) forgetPiercing() {
	t.down.release()
	t.down.in, t.down.out = 0, 0
}

// unpierced asks for another next hop after a proxy that has opened no tunnel.
func (t *transaction) unpierced(kind FailureKind, err error) stage {
	f := &Failure{Kind: kind, Side: UpstreamSide, Remote: t.upstream.remote, Err: err}
	t.forgetPiercing()
	t.upstream.close()
	t.upstream = nil
	if t.hop.Elsewhere {
		return t.anotherHop(f)
	}
	return t.failWith(f)
}
