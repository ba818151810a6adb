package engine

import (
	"time"

	"exaproxy/engine/h1"
	"exaproxy/engine/loop"
)

// hearTime is how long a client in a tunnel may be silent before it is told all the same: it
// may be waiting for the server to speak first.
const hearTime = 5 * time.Second

// hear listens to what the client says in its tunnel until it is time to answer: when a whole
// plaintext request is there, or anything else.
func (t *transaction) hear() stage {
	heard := t.heard()
	for {
		var inner h1.Request
		_, err := h1.ParseRequest(heard.bytes(), &inner, h1.Limits{Relaxed: true})
		if wholeMessage(heard, err) {
			t.innerMethod = inner.Method
			if err == nil {
				t.retell(&inner)
			}
			return answering
		}
		n, err := t.clientEnd.Read(heard.room())
		if err == loop.ErrAgain {
			return hearing
		}
		if err != nil {
			return answering // it has said all that it will; the page goes the other way
		}
		heard.w += n
	}
}

// retell makes the page of a refusal anew, for who reads it: it is what the client asks for in its tunnel that says in
// which language, and whether anybody reads it.
func (t *transaction) retell(inner *h1.Request) {
	if t.failure == nil {
		return
	}
	t.request.Inside = inner
	t.setReply(t.setup.policy.Page(t.request, t.failure))
	t.request.Inside = nil
}

// wholeMessage says whether what was heard can be answered: a whole head, or something that is no
// plaintext request, such as a TLS ClientHello.
func wholeMessage(heard *buffer, err error) bool {
	if heard.empty() {
		return false
	}
	first := heard.bytes()[0]
	letter := 'A' <= first && first <= 'Z' || first == '\r' || first == '\n'
	return err != h1.ErrShort || !letter || len(heard.room()) == 0
}

// takeHeard is what the client has said in its tunnel and nobody has taken; nil is nothing.
func (t *transaction) takeHeard() *buffer {
	if in := t.client.in; t.up.buf == nil && in != nil && !in.empty() {
		t.heard() // nobody has listened
	}
	said := t.up.buf
	t.up.buf = nil
	return said
}

// takeServerSaid is what the other side has said and nobody has taken; nil is nothing.
func (t *transaction) takeServerSaid() *buffer {
	said := t.serverSaid
	t.serverSaid = nil
	return said
}

// heard is what the client has said in its tunnel so far. The CONNECT's head stays in the client's buffer.
func (t *transaction) heard() *buffer {
	if t.up.buf == nil {
		c := t.client
		t.up.buf = c.worker.buffers.fit(max(relaySize, len(c.in.bytes())))
		t.up.buf.w = copy(t.up.buf.b, c.in.bytes())
		c.consumed(t.up.buf.w)
	}
	return t.up.buf
}
