package engine

import (
	"errors"

	"exaproxy/engine/h1"
)

var (
	errUnasked   = errors.New("it switched protocols unasked")
	errUnread    = errors.New("it answered a request that it had not read")
	errUnoffered = errors.New("it switched to a protocol that it was not offered")
)

// offer keeps in h the protocols that the client wants to switch to and the policy lets it, and returns the Connection
// field that goes with them (RFC 9110, section 7.8). A request with a body, which would have to be sent before, and one of
// HTTP/1.0 offer nothing.
func (t *transaction) offer(h *h1.Header) (connection []byte) {
	r := t.request
	if r.IsConnect() || t.hasOddBody() {
		return closeIt // a tunnel is nothing that could be kept
	}
	otherwise := keepAlive
	if t.setup.config.NoServerPersistence {
		otherwise = closeIt
	}
	if !r.Header.Has("Upgrade") || r.Major != 1 || r.Minor == 0 || t.up.body.Framing() != h1.NoBody ||
		!r.Header.HasToken("Connection", "upgrade") {
		return otherwise
	}
	if t.offered = t.setup.policy.Upgrade(r); t.offered == nil {
		return otherwise
	}
	h.Add("Upgrade", t.offered)
	return upgradeIt
}

var upgradeIt = []byte("upgrade")

// switchProtocols makes a tunnel of a request whose next hop speaks another protocol from here on, behind the n bytes of its
// head.
func (t *transaction) switchProtocols(n int) stage {
	w, c := t.client.worker, t.client
	to := t.request.Keep(w.head.Header.Get("Upgrade"))
	switch {
	case t.offered == nil:
		return t.fail(BadReply, UpstreamSide, errUnasked)
	case !t.wasOffered(to):
		return t.fail(BadReply, UpstreamSide, errUnoffered)
	case t.up.pre != nil:
		return t.fail(BadReply, UpstreamSide, errUnread)
	}
	received := t.down.buf.bytes()[:n]
	t.request.Reply, t.request.ReplyHead = &w.head, received
	defer t.forgetReply()
	none := h1.Tunnel()
	if _, next, admitted := t.admitReply(&none); !admitted {
		return next
	}
	t.note(received)
	t.composeSwitch(to)
	head, first := t.down.pre, t.down.buf
	t.down.pre, t.down.buf = nil, nil
	first.r += n
	t.up.release()
	said := w.buffers.fit(len(c.in.bytes()))
	if said != nil {
		said.w = copy(said.b, c.in.bytes())
		c.consumed(said.w)
	}
	t.isTunnel(101)
	t.carry(said, head, first)
	return tunnelling
}

// wasOffered says whether all protocols that the next hop names are among those that it was offered.
func (t *transaction) wasOffered(to []byte) bool {
	head := &t.client.worker.head.Header
	var offered h1.Header
	offered.Add("Upgrade", t.offered)
	all := true
	head.Elements("Upgrade", func(protocol []byte) { all = all && offered.HasToken("Upgrade", string(protocol)) })
	return all && len(to) > 0 && head.Count("Upgrade") == 1
}

// composeSwitch makes the head that tells the client of it.
func (t *transaction) composeSwitch(to []byte) {
	w := t.client.worker
	h := &w.outgoing
	h.CopyEndToEnd(&w.head.Header, "Content-Length", "Transfer-Encoding") // RFC 9110, section 8.6
	if t.setup.config.EditOwn {
		t.setup.policy.EditOwn(t.request, h)
	}
	h.Add("Upgrade", to)
	h.Add("Connection", upgradeIt)
	t.composeHead(h)
}
