package engine

import (
	"time"

	"exaproxy/engine/loop"
	"exaproxy/engine/tlshello"
)

// checkTime is how long a client may take for its ClientHello. In TLS it speaks first.
const checkTime = 10 * time.Second

// check looks at what a client says first in its tunnel, before anything is carried: what is no TLS, or is
// for another host, was not what it asked for. The other side is not heard until then either, so a
// protocol in which the server speaks first comes to nothing.
func (t *transaction) check() stage {
	if t.down.dst != nil {
		switch t.down.pump(pumpBudget) {
		case failed:
			return t.clientGone()
		case finished:
			t.down.release()
		default:
			return checking
		}
	}
	for said := t.heard(); ; {
		h, err := tlshello.Parse(said.bytes())
		if err != tlshello.ErrShort {
			return t.checked(&h, err)
		}
		if len(said.room()) == 0 {
			if len(said.b) >= tlshello.Longest {
				return t.checked(&h, tlshello.ErrMalformed)
			}
			said = t.client.worker.buffers.grow(said)
			t.up.buf = said
		}
		n, err := t.clientEnd.Read(said.room())
		if err == loop.ErrAgain {
			return checking
		}
		if err != nil {
			return t.clientGone()
		}
		said.w += n
	}
}

// checked goes on as the policy says.
func (t *transaction) checked(h *tlshello.Hello, err error) stage {
	t.record.ServerName = h.ServerName
	if f := t.setup.policy.Hello(t.request, h, err); f != nil {
		f.During = t.stage.String()
		t.failure = f
		t.inTunnel = true // what the client goes on to say is thrown away, and it sees an orderly end
		return t.drop()
	}
	said, first := t.up.buf, t.serverSaid
	t.up.buf, t.serverSaid = nil, nil
	t.carry(said, nil, first)
	return tunnelling
}
