package engine

import (
	"errors"
	"time"

	"exaproxy/engine/h1"
	"exaproxy/engine/loop"
)

var (
	errTakesNothing = errors.New("it takes nothing")
	errSaysNothing  = errors.New("it says nothing")
)

// relay carries the request's body up and the reply down, at the same time: a server may
// answer before it has read all.
func (t *transaction) relay() stage {
	before := t.moved()
	up := t.upload()
	if up == failed && t.up.broken == source {
		return t.uploadBroken()
	}
	if !t.replied {
		next := t.receiveReply()
		t.stillMoving(before)
		if t.replied {
			return t.inNextPass(next)
		}
		return next
	}
	down := t.down.pump(pumpBudget)
	t.stillMoving(before)
	switch down {
	case ended:
		return over
	case failed:
		return t.downloadBroken()
	}
	if up == tired || down == tired {
		t.wakeSelf()
	}
	return relaying
}

// upload pumps the request's body. A server that takes no more may have answered: that is no
// end before its reply has been read.
func (t *transaction) upload() pumped {
	if t.up.err != nil {
		return failed
	}
	up := t.up.pump(pumpBudget)
	if up == tired && !t.replied {
		t.wakeSelf()
	}
	return up
}

func (t *transaction) moved() int64 { return t.up.in + t.up.out + t.down.in + t.down.out }

// stillMoving begins the wait anew if bytes have moved. Whom it waits for says how long.
func (t *transaction) stillMoving(before int64) {
	if t.moved() != before {
		t.wait(t.patience())
	}
}

// uploadBroken ends a transaction whose request body cannot be read to its end.
func (t *transaction) uploadBroken() stage {
	var bad *h1.SyntaxError
	switch err := t.up.err; {
	case errors.As(err, &bad):
		return t.fail(BadRequest, ClientSide, err)
	case err == errBodyTooLarge:
		return t.fail(BodyTooLarge, ClientSide, err)
	}
	return t.leave()
}

// downloadBroken ends a transaction whose reply cannot be passed on to its end. The client
// learns it by the end of its connection.
func (t *transaction) downloadBroken() stage {
	if t.down.broken == sink {
		return t.leave()
	}
	return t.fail(UpstreamBroken, UpstreamSide, t.down.err)
}

// relayLate is what follows when neither end has moved a byte for too long.
func (t *transaction) relayLate() stage {
	switch {
	case t.down.holds() || t.down.pre != nil:
		return t.leave()
	case !t.replied && !t.uploaded() && !t.up.holds():
		return t.fail(ClientLate, ClientSide, errSaysNothing)
	case !t.uploaded():
		return t.fail(UpstreamLate, UpstreamSide, errTakesNothing)
	}
	return t.fail(UpstreamLate, UpstreamSide, errSaysNothing)
}

// receiveReply reads and parses the reply's head.
func (t *transaction) receiveReply() stage {
	f, limit := &t.down, t.setup.config.Limits.replyHead()
	for start := f.in; ; {
		if next := t.pass(start); next != sending {
			return next
		}
		if f.buf == nil {
			f.buf = f.pool.relay()
		}
		if !f.buf.empty() {
			n, err := h1.ParseReply(f.buf.bytes(), &t.client.worker.head, t.setup.config.Limits.heads(limit))
			if err == nil {
				if next := t.heard(n); next != relaying || t.replied {
					return next
				}
				continue
			}
			if err != h1.ErrShort {
				return t.badReply(err)
			}
		}
		if next := t.readReply(limit); next != sending {
			return next
		}
	}
}

// pass writes interim replies that the client has not taken yet; sending means that it has
// taken all. A server may not make us hold more of them, nor keep us busy for ever with them.
func (t *transaction) pass(start int64) stage {
	f := &t.down
	if f.pre != nil {
		if f.dst = t.client.fd; !f.drain() {
			if f.err != nil {
				return t.leave()
			}
			return relaying
		}
	}
	if f.in-start > pumpBudget {
		t.wakeSelf()
		return relaying
	}
	return sending
}

// readReply reads more of the reply's head; sending means that some came.
func (t *transaction) readReply(limit int) stage {
	f := &t.down
	if len(f.buf.b)-f.buf.w <= chunkRoom {
		if f.buf.w-f.buf.r >= limit {
			return t.badReply(h1.ErrTooLarge)
		}
		f.buf = t.client.worker.buffers.grow(f.buf)
	}
	n, err := t.upstream.fd.Read(f.buf.b[f.buf.w : len(f.buf.b)-chunkRoom])
	if err == nil {
		f.buf.w += n
		f.in += int64(n)
		return sending
	}
	if err == loop.ErrAgain {
		if f.buf.empty() {
			f.tidy()
		}
		return relaying
	}
	return t.unanswered(err)
}

// unanswered deals with a connection that ended before the reply's head was complete. If it
// was an idle one, the server has closed it while the request was on its way, and the request
// is sent again on another.
func (t *transaction) unanswered(err error) stage {
	if t.down.buf.empty() && t.record.Reused && t.repeatable() {
		return t.again()
	}
	switch {
	case eof(err) && t.up.err != nil:
		return t.fail(UpstreamBroken, UpstreamSide, t.up.err)
	case eof(err):
		return t.fail(UpstreamClosed, UpstreamSide, err)
	}
	return t.fail(UpstreamBroken, UpstreamSide, err)
}

// again drops the connection and begins the way to the next hop anew.
func (t *transaction) again() stage {
	t.upstream.close()
	t.upstream = nil
	body := t.up.body
	t.up.release()
	t.down.release()
	t.up.body = body
	return resolving
}

func (t *transaction) badReply(err error) stage {
	if errors.Is(err, h1.ErrTooLarge) {
		return t.fail(ReplyTooLarge, UpstreamSide, err)
	}
	return t.fail(BadReply, UpstreamSide, err)
}

// sinceSent notes how long the next hop took to answer.
func (t *transaction) sinceSent() time.Duration {
	return t.client.worker.loop.Now().Sub(t.entered)
}
