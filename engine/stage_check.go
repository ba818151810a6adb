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
	h, err := t.readHello()
	switch {
	case err == loop.ErrAgain:
		return checking
	case err == nil, err == tlshello.ErrNotTLS, err == tlshello.ErrMalformed:
		return t.checked(&h, err)
	}
	return t.clientGone()
}

// checked goes on as the policy says.
func (t *transaction) checked(h *tlshello.Hello, err error) stage {
	t.noteHello(*h)
	if !t.maySay(h, err) {
		return t.drop()
	}
	t.carry(t.takeHeard(), nil, t.takeServerSaid())
	return tunnelling
}

// maySay asks the policy whether the tunnel may be used for what the client says first there.
func (t *transaction) maySay(h *tlshello.Hello, err error) bool {
	f := t.setup.policy.Hello(t.request, h, err)
	if f == nil {
		return true
	}
	f.During = t.stage.String()
	t.failure, t.record.Page = f, t.setup.policy.Page(t.request, f).Page // for the log
	t.inTunnel = true                                                    // what the client goes on to say is thrown away, and it sees an orderly end
	return false
}
