package engine

import (
	"encoding/base64"
	"strconv"

	"exaproxy/engine/h1"
)

// send writes the request's head to the next hop, with what has come of its body.
func (t *transaction) send() stage {
	if t.up.dst == nil {
		if err := t.compose(); err != nil {
			return t.uploadFailed(err)
		}
		t.inNextPass()
		return sending
	}
	if t.up.flush() || t.up.err != nil {
		return relaying // of an error too: perhaps it has answered before it closed; relaying looks
	}
	return sending
}

// inNextPass goes on in the loop's next pass, to write what was composed. So the heads of all who are
// ready are read and composed one after the other, and then written one after the other, and both our
// code and the kernel's are still in the processor's caches: a kept GET among 64 connections costs 2 %
// less.
func (t *transaction) inNextPass() { t.waker.Wake() }

// compose makes the request's head as the next hop is to read it, and the flow that carries it.
func (t *transaction) compose() error {
	w, r := t.client.worker, t.request
	h := &w.outgoing
	t.endToEnd()
	connection := t.offer(h)
	h.Add("Host", r.keepHost(r.Effective()))
	t.setup.policy.Edit(r, h, Upstream)
	if t.offered != nil && !h.Has("Upgrade") { // it was taken out
		t.offered, connection = nil, keepAlive
	}
	if t.up.body.Framing() != h1.NoBody {
		t.up.body.Declare(h)
	}
	h.Add("Connection", connection)

	head := w.buffers.head()
	out := h1.AppendRequestLine(head.b[:0], r.Method, t.requestTarget())
	out = h.AppendTo(out)
	head.fill(append(out, "\r\n"...))
	err := t.firstOfBody()
	t.up.src, t.up.dst, t.up.pre = t.clientEnd, t.upstream.end, head
	t.up.limit = t.setup.config.Limits.RequestBody
	t.up.bulky = t.up.body.Length() > relaySize
	if err == nil && t.up.overLimit() {
		err = errBodyTooLarge
	}
	return err
}

// requestTarget is what stands in the request line (RFC 9112, section 3.2): the path alone for a
// server, all of the URL for a proxy, host and port of a CONNECT.
func (t *transaction) requestTarget() []byte {
	target := t.request.Effective()
	if !t.hop.Proxy {
		return target.Path
	}
	return t.request.keepURL(target)
}

// endToEnd copies the fields of the request that are meant for the server (RFC 9110, section
// 7.6.1) and adds those that the request implies.
func (t *transaction) endToEnd() {
	r, h := t.request, &t.client.worker.outgoing
	h.CopyEndToEnd(&r.Header, "Host")
	if !t.hop.Credentials {
		h.Del("Proxy-Authorization")
	}
	if hops, counted := maxForwards(r); counted && hops > 0 {
		h.Set("Max-Forwards", r.Keep(strconv.AppendInt(nil, int64(hops-1), 10)))
	}
	if user := r.Effective().Userinfo; len(user) > 0 && !t.hop.Proxy && !h.Has("Authorization") {
		// RFC 3986, section 3.2.1: user information in a URL is an identity for the server.
		h.Add("Authorization", r.Keep(base64.StdEncoding.AppendEncode([]byte("Basic "), unescaped(user))))
	}
}

// firstOfBody takes what has come of the body out of the client's buffer.
func (t *transaction) firstOfBody() error {
	in := t.client.in
	if in.empty() || t.up.body.Done() {
		return nil
	}
	out, n, err := t.up.body.Pass(in.bytes())
	var part []byte // the beginning of a chunk's size
	if err == nil && !t.up.body.Done() {
		part = in.bytes()[n:]
	}
	t.up.moved += int64(n)
	if t.up.buf = t.client.worker.buffers.fit(len(out) + len(part)); t.up.buf != nil {
		t.up.buf.w = copy(t.up.buf.b, out)
		t.up.buf.w += copy(t.up.buf.b[len(out):], part)
	}
	t.up.ready = len(out)
	in.r += n + len(part)
	return err
}

// maxForwards reads Max-Forwards, which counts for TRACE and OPTIONS only (RFC 9110, section 7.6.2).
func maxForwards(r *Request) (hops int, counted bool) {
	if r.Method != "TRACE" && r.Method != "OPTIONS" {
		return 0, false
	}
	hops, err := strconv.Atoi(string(r.Header.Get("Max-Forwards")))
	return hops, err == nil && hops >= 0
}

// unescaped takes percent-encoding off; what is not well encoded stays as it is, and as in Squid so does a NUL, behind which
// a server could see the end of a name.
func unescaped(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] == '%' && i+2 < len(b) {
			if v, err := strconv.ParseUint(string(b[i+1:i+3]), 16, 8); err == nil && v != 0 {
				out = append(out, byte(v))
				i += 2
				continue
			}
		}
		out = append(out, b[i])
	}
	return out
}
