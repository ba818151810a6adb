package engine

import (
	"time"

	"exaproxy/engine/h1"
	"exaproxy/engine/loop"
)

// A verdict is how far a CONNECT that was redirected or refused has got, where the answer is
// given inside the tunnel (connect_verdict page). A browser shows nothing of an answer to
// CONNECT that is not 200; so it gets its 200, and the page as the answer to what it says next.
type verdict uint8

const (
	direct       verdict = iota // the answer goes to the request itself
	establishing                // 200 Connection established is being written
	hearing                     // the client is about to say something in its tunnel
	telling                     // it gets the page, whatever it said
)

// hearTime is how long a client in a tunnel may be silent before it is told all the same: it
// may be waiting for the server to speak first.
const hearTime = 5 * time.Second

// answerSelf gives the client a reply of our own.
func (t *transaction) answerSelf() stage {
	if t.own.Reset {
		t.client.fd.Reset()
		t.keep = false
		return over
	}
	for {
		if t.verdict == hearing && !t.hear() {
			return answering
		}
		if t.down.dst == nil {
			t.beginAnswer()
		}
		switch t.down.pump(pumpBudget) {
		case tired:
			t.wakeSelf()
			return answering
		case blocked, starved:
			return answering
		case failed:
			return t.leave()
		}
		if t.verdict != establishing {
			return over
		}
		t.verdict = hearing
		t.down.release()
		t.wait(hearTime)
	}
}

// beginAnswer begins to write what is due: the page, or the 200 that goes before it.
func (t *transaction) beginAnswer() {
	pool := &t.client.worker.buffers
	var pre *buffer
	if t.verdict == establishing {
		pre = pool.head()
		pre.fill(append(pre.b[:0], established...))
	} else {
		pre = t.composeOwn()
	}
	t.down.begin(flow{dst: t.client.fd, pre: pre})
}

// composeOwn makes our reply, head and body.
func (t *transaction) composeOwn() *buffer {
	w, own := t.client.worker, &t.own
	t.keep = t.keep && !own.Close && !w.leaving && t.skipBody()
	t.record.Status = own.Status
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

// bodiless says whether the client asked for the head alone.
func (t *transaction) bodiless() bool { return t.request.Method == "HEAD" || t.inner == "HEAD" }

// skipBody passes over a request's body that is here already. If it is not here completely,
// the connection cannot be kept.
func (t *transaction) skipBody() bool {
	if t.request.IsConnect() {
		return t.verdict == direct
	}
	if !t.up.body.Done() && t.client.in != nil {
		n, err := t.up.body.Scan(t.client.in.bytes())
		t.client.consumed(n)
		t.up.moved += int64(n)
		if err != nil {
			return false
		}
	}
	return t.up.body.Done()
}

// hear listens to what the client says in its tunnel, and says whether it is time to answer:
// when a whole plaintext request is there, or anything else. The client's own buffer stays
// as it is, for the CONNECT's head is in it.
func (t *transaction) hear() bool {
	if t.up.buf == nil {
		t.up.buf = t.client.worker.buffers.relay()
		t.up.buf.w = copy(t.up.buf.b, t.client.in.bytes())
	}
	heard := t.up.buf
	for {
		var inner h1.Request
		_, err := h1.ParseRequest(heard.bytes(), &inner, h1.Limits{Relaxed: true})
		if enough(heard, err) {
			t.inner = inner.Method
			break
		}
		n, err := t.client.fd.Read(heard.room())
		if err == loop.ErrAgain {
			return false
		}
		if err != nil {
			break // it has said all that it will; the page goes the other way
		}
		heard.w += n
	}
	t.tell()
	return true
}

// enough says whether what was heard can be answered: a whole head, or something that is no
// plaintext request, such as a TLS ClientHello.
func enough(heard *buffer, err error) bool {
	if heard.empty() {
		return false
	}
	first := heard.bytes()[0]
	letter := 'A' <= first && first <= 'Z' || first == '\r' || first == '\n'
	return err != h1.ErrShort || !letter || len(heard.room()) == 0
}

// tell goes on to the page.
func (t *transaction) tell() {
	t.verdict, t.keep = telling, false
	t.wait(t.patience())
}
