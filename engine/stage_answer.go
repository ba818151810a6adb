package engine

import "exaproxy/engine/h1"

// answer gives the client a reply of our own.
func (t *transaction) answer() stage {
	if t.localReply.Reset {
		t.clientEnd.Reset()
		return t.drop()
	}
	if t.down.dst == nil {
		if r := t.setup.config.ReplyPackets; r != nil {
			t.client.bearReply(r, nil)
		}
		t.down.begin(flow{dst: t.clientEnd, pre: t.composeLocalReply()})
	}
	switch t.down.pump(pumpBudget) {
	case failed:
		return t.clientGone()
	case finished:
		return over
	}
	return answering
}

// composeLocalReply makes our reply, head and body.
func (t *transaction) composeLocalReply() *buffer {
	w, own := t.client.worker, &t.localReply
	t.keepClient = t.keepClient && !own.Close && !w.leaving && t.skipBody()
	t.record.Status = own.Status
	if own.ContentType != "" {
		t.record.ContentType = t.request.Keep([]byte(own.ContentType))
	}
	if t.setup.config.EditOwn {
		own.Fields = t.edited(own)
	}
	pre := w.buffers.fit(len(own.Fields) + len(own.Body) + 256)
	out := h1.AppendStatusLine(pre.b[:0], own.Status, own.Reason)
	out = append(out, own.Fields...)
	out = append(out, "Connection: "...)
	out = append(out, t.connection()...)
	out = append(out, "\r\n\r\n"...)
	if !t.bodiless() {
		out = append(out, own.Body...)
	}
	pre.fill(out)
	t.replied = true
	return pre
}

// edited are the fields of our reply, with the changes that are configured.
func (t *transaction) edited(own *LocalReply) []byte {
	var reply h1.Reply
	raw := h1.AppendStatusLine(nil, own.Status, "")
	raw = append(append(raw, own.Fields...), "\r\n"...)
	if _, err := h1.ParseReply(raw, &reply, h1.Limits{Head: len(raw)}); err != nil {
		panic("BUG: a reply of our own cannot be read: " + err.Error())
	}
	t.recall()
	t.setup.policy.EditOwn(t.request, &reply.Header)
	return reply.Header.AppendTo(nil)
}

// bodiless says whether the client asked for the head alone.
func (t *transaction) bodiless() bool { return t.request.Method == "HEAD" || t.innerMethod == "HEAD" }

// skipBody passes over a request's body that is here already, and says whether all of it was. If it
// was not, the connection cannot be kept.
func (t *transaction) skipBody() bool {
	if t.request.IsConnect() {
		return !t.inTunnel
	}
	if !t.up.body.Done() && t.client.in != nil {
		_, n, err := t.up.body.Pass(t.client.in.bytes())
		t.client.consumed(n)
		t.up.moved += int64(n)
		if err != nil {
			return false
		}
	}
	return t.up.body.Done()
}
