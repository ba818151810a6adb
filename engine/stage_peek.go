package engine

import (
	"exaproxy/engine/loop"
	"exaproxy/engine/tlshello"
)

// peek reads the ClientHello in a tunnel that is there for the client, and for nobody else yet.
func (t *transaction) peek() stage {
	h, err := t.readHello()
	switch {
	case err == loop.ErrAgain:
		return peeking
	case err == nil, err == tlshello.ErrNotTLS, err == tlshello.ErrMalformed:
		return t.peeked(&h, err)
	}
	return t.clientGone()
}

// readHello reads until a ClientHello is there, or what is none. The error is loop.ErrAgain, one of package
// tlshello's, or that of the client's end.
func (t *transaction) readHello() (tlshello.Hello, error) {
	for said := t.heard(); ; {
		h, err := tlshello.Parse(said.bytes())
		if err != tlshello.ErrShort {
			return h, err
		}
		if len(said.room()) == 0 {
			if len(said.b) >= tlshello.Longest {
				return h, tlshello.ErrMalformed
			}
			said = t.client.worker.buffers.grow(said)
			t.up.buf = said
		}
		n, err := t.clientEnd.Read(said.room())
		if err != nil {
			return h, err
		}
		said.w += n
	}
}

// peeked asks what becomes of a tunnel of which the first words are known. What is no TLS can only be a tunnel
// or ended.
func (t *transaction) peeked(h *tlshello.Hello, err error) stage {
	if err == nil && t.named(h.ServerName) != nil {
		err = tlshello.ErrMalformed
	}
	t.request.TLS.hear(h, err)
	t.noteHello(*h)
	return bumping
}

// noteHello keeps what a client's ClientHello says, for the log.
func (t *transaction) noteHello(h tlshello.Hello) {
	if h != (tlshello.Hello{}) {
		t.client.connection.Hello = &h
	}
}

// judgeInside has a CONNECT judged anew, now that it is known whom the client asks for in its tunnel, and
// nothing else of it will be seen. That is one more verdict: where the first has sent the request holds, unless
// the second sends it elsewhere.
func (t *transaction) judgeInside() stage {
	t.judgedInside = true
	t.request.Asked = 0
	t.helperAnswer, t.helperErr = nil, nil
	return admitting
}
