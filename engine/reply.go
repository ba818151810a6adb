package engine

import (
	"fmt"

	"exaproxy/engine/h1"
)

var keepAlive, closeIt = []byte("keep-alive"), []byte("close")

// gotReplyHead is called when a reply's head, of which n bytes were received, is complete. An interim reply is passed on,
// and more has to come; the final one begins the flow down to the client.
func (t *transaction) gotReplyHead(received []byte, n int) (next stage, more bool) {
	head := &t.client.worker.head
	switch {
	case head.ICY && head.Status < 200:
		return t.fail(BadReply, UpstreamSide, errInterimICY), false
	case head.Status == 101:
		return t.switchProtocols(n), false
	case head.Status < 200:
		return t.interim(n)
	case t.hop.Elsewhere && t.deniedHere(head.Status):
		return t.elsewhere(&Failure{Kind: NoRoute, Side: UpstreamSide, Remote: t.upstream.remote, Err: fmt.Errorf("it answered %d", head.Status)}), false
	case t.request.IsConnect() && head.Status < 300:
		return t.tunnelThrough(n), false
	}
	body, err := h1.ReplyBody(t.request.Method, head)
	if err != nil {
		return t.fail(BadReply, UpstreamSide, err), false
	}
	t.request.Reply, t.request.ReplyHead = head, received
	defer t.forgetReply()
	most, next, admitted := t.admitReply(&body)
	if !admitted {
		return next, false
	}
	if r := t.setup.config.ReplyPackets; r != nil {
		t.client.bearReply(r, t.upstream)
	}
	recode := t.recoding(&body)
	t.note(received)
	t.composeReply(&body, recode)
	raw := t.down.buf
	raw.r += n
	t.replied = true
	// A body that is known to be long, or that has filled what was there for the head, is read in
	// large pieces from the beginning.
	bulky := body.Length() > relaySize || body.Length() < 0 && len(raw.room()) <= chunkRoom
	t.down.begin(flow{src: t.upstream.end, dst: t.clientEnd, pre: t.down.pre, buf: raw, body: body, recode: recode, bulky: bulky, limit: most})
	if t.down.err != nil { // the body is wrong from the beginning, and the client has seen nothing of the reply
		t.replied = false
		if t.down.err == errBodyTooLarge {
			return t.replyTooLarge(), false
		}
		return t.fail(BadReply, UpstreamSide, t.down.err), false
	}
	t.inNextPass()
	return relaying, false
}

// admitReply asks the policy about the reply. While it waits for something the head stays where it is, and is read again.
func (t *transaction) admitReply(body *h1.Body) (most int64, next stage, admitted bool) {
	d, most := t.setup.policy.AdmitReply(t.request, body.Length())
	switch d.Action {
	case Proceed:
		return most, relaying, true
	case Pending:
		return 0, relaying, false
	case Refuse:
		return 0, t.failWith(d.Failure), false
	}
	panic("BUG: a reply is neither admitted nor refused")
}

// forgetReply has the request not refer to the head of its reply, whose memory is the worker's.
func (t *transaction) forgetReply() {
	if t.request != nil {
		t.request.Reply, t.request.ReplyHead = nil, nil
	}
}

// replyTooLarge ends a transaction whose reply turned out to be larger than the policy allows.
func (t *transaction) replyTooLarge() stage {
	return t.failWith(&Failure{Kind: ReplyRefused, Side: OurSide, Page: "ERR_TOO_BIG", Err: errBodyTooLarge})
}

// deniedHere says whether the request is to be asked of another hop because of the status that this one answers. As in
// Squid that is so where a proxy says that it cannot reach the server, and where it opens no tunnel.
func (t *transaction) deniedHere(status int) bool {
	if t.request.IsConnect() {
		return status >= 300 && t.mayGoElsewhere()
	}
	return (status == 502 || status == 504) && t.mayGoElsewhere()
}

// tunnelThrough begins the tunnel that a proxy has opened for us. What it said behind its head comes
// from the other side.
func (t *transaction) tunnelThrough(n int) stage {
	if t.up.pre != nil {
		return t.fail(BadReply, UpstreamSide, errUnread)
	}
	first := t.down.buf
	first.r += n
	t.down.buf = nil
	t.record.Spent.Upstream = t.sinceSent()
	t.up.release()
	return t.openTunnel(first)
}

// interim passes a 1xx reply on to a client that knows them (RFC 9110, section 15.2).
func (t *transaction) interim(n int) (next stage, more bool) {
	t.down.buf.r += n
	if t.interims++; t.interims > maxInterim {
		return t.fail(BadReply, UpstreamSide, errOnlyInterim), false
	}
	if t.request.Minor == 0 || t.request.Major == 0 {
		return relaying, true
	}
	w := t.client.worker
	t.request.Reply = &w.head
	defer t.forgetReply()
	if d, _ := t.setup.policy.AdmitReply(t.request, -1); d.Action != Proceed {
		return relaying, true // nobody waits for what may be left out
	}
	h := &w.outgoing
	h.CopyEndToEnd(&w.head.Header, "Content-Length", "Transfer-Encoding") // RFC 9110, section 8.6, and RFC 9112, section 6.1
	if t.setup.config.EditOwn {
		t.setup.policy.EditOwn(t.request, h)
	}
	t.composeHead(h)
	return relaying, true
}

// composeHead makes the head of the reply, behind interim ones that were not written yet.
func (t *transaction) composeHead(h *h1.Header) {
	f := &t.down
	if f.pre == nil {
		f.pre = f.pool.head()
	}
	out := t.client.worker.head.AppendStatusLine(f.pre.b[:f.pre.w])
	out = h.AppendTo(out)
	f.pre.fill(append(out, "\r\n"...))
}

// recoding chooses how the body is framed for the client: HTTP/1.0 and Shoutcast know no chunks.
func (t *transaction) recoding(body *h1.Body) recoding {
	old := t.request.Major == 0 || t.request.Minor == 0 || t.client.worker.head.ICY
	switch {
	case body.Framing() == h1.Chunked && old:
		return unchunked
	case body.Framing() == h1.UntilClose && !old:
		return chunked
	}
	return verbatim
}

// note keeps for the record what the log may ask of the reply.
func (t *transaction) note(received []byte) {
	rec, head := &t.record, &t.client.worker.head
	rec.Status = head.Status
	rec.Spent.Upstream = t.sinceSent()
	rec.ContentType = t.request.Keep(head.Header.Get("Content-Type"))
	if t.setup.config.KeepReplyHeads {
		rec.ReplyHead = t.request.Keep(received)
	}
}

// composeReply makes the reply's head as the client is to read it.
func (t *transaction) composeReply(body *h1.Body, recode recoding) {
	w := t.client.worker
	h := &w.outgoing
	t.reusable(body)
	h.CopyEndToEnd(&w.head.Header, "Proxy-Authorization") // which is no field of a reply, and may be what we have said
	if !h.Has("Date") {
		h.Add("Date", w.date())
	}
	if !t.hop.Challenges && !t.request.IsConnect() {
		h.Del("Proxy-Authenticate") // a client answers it with what it tells us
	}
	t.setup.policy.Edit(t.request, h, Downstream)
	t.frame(h, body, recode)
	h.Add("Connection", t.connection())
	t.composeHead(h)
}

// reusable settles which of the two connections can be used again after this reply.
func (t *transaction) reusable(body *h1.Body) {
	unframed := body.Framing() == h1.UntilClose
	head := &t.client.worker.head
	t.keepUpstream = h1.KeepAlive(head.Major, head.Minor, &head.Header) && !unframed && !body.Conflict() && !t.hasOddBody() &&
		!t.setup.config.NoServerPersistence && !t.request.IsConnect()
	// A server that answers before it has read all may not read the rest.
	if t.client.worker.leaving || t.up.body.Conflict() || !t.uploaded() || head.ICY {
		t.keepClient = false
	}
}

// hasOddBody says whether the request has a body that a server may take for another request. Such a server is told to close,
// and gets nothing else over the connection.
func (t *transaction) hasOddBody() bool {
	return t.up.body.Framing() != h1.NoBody && t.up.body.Length() != 0 && t.request.HasOddBody()
}

// frame makes the head say how the body is framed for this client.
func (t *transaction) frame(h *h1.Header, body *h1.Body, recode recoding) {
	switch {
	case recode == chunked:
		h.Del("Content-Length")
		h.Set("Transfer-Encoding", chunkedCoding)
	case recode == unchunked:
		h.Del("Transfer-Encoding")
		h.Del("Content-Length")
		t.keepClient = false
	case body.Framing() == h1.UntilClose:
		t.keepClient = false
		h.Del("Transfer-Encoding") // identity
		h.Del("Content-Length")
	default:
		body.Declare(h)
	}
}

var chunkedCoding = []byte("chunked")

// connection is what the Connection field tells the client.
func (t *transaction) connection() []byte {
	if t.keepClient {
		return keepAlive
	}
	return closeIt
}
