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
	errOnlyInterim  = errors.New("it sends interim replies without end")
	errCutHead      = errors.New("it closed before the end of its head")
	errInterimICY   = errors.New("it sends an interim reply of Shoutcast, which has none")
)

const (
	// interimAtOnce is how many interim replies one play passes on before others have their turn.
	interimAtOnce = 16
	// maxInterim is how many a server may send before its reply. Some tell every few seconds that
	// they are still busy; one that goes on for ever is not going to answer.
	maxInterim = 1000
)

// relay carries the request's body up and the reply down, at the same time: a server may
// answer before it has read all.
func (t *transaction) relay() stage {
	before := t.moved()
	up := t.upload()
	if up == failed && t.up.broken == source {
		return t.uploadFailed(t.up.err)
	}
	if !t.replied {
		next := t.receiveReply()
		t.stillMoving(before)
		return next
	}
	down := t.down.pump(pumpBudget)
	t.stillMoving(before)
	switch down {
	case finished:
		return over
	case failed:
		return t.downloadBroken()
	}
	if up == budgetSpent || down == budgetSpent {
		t.wakeSelf()
	}
	return relaying
}

// upload pumps the request's body. A server that takes no more may have answered: that is no
// end before its reply has been read.
func (t *transaction) upload() outcome {
	if t.up.err != nil {
		return failed
	}
	up := t.up.pump(pumpBudget)
	if up == budgetSpent && !t.replied {
		t.wakeSelf()
	}
	return up
}

func (t *transaction) moved() int64 { return t.up.in + t.up.out + t.down.in + t.down.out }

// stillMoving begins the wait anew if bytes have moved. Whom it waits for says how long.
func (t *transaction) stillMoving(before int64) {
	if t.moved() != before {
		t.wait(t.stageTimeout())
	}
}

// uploadFailed ends a transaction whose request body cannot be read to its end. What follows it cannot
// be told apart from it.
func (t *transaction) uploadFailed(err error) stage {
	var bad *h1.SyntaxError
	switch {
	case errors.As(err, &bad):
		t.unparsable = true
		return t.fail(BadRequest, ClientSide, err)
	case err == errBodyTooLarge:
		return t.fail(BodyTooLarge, ClientSide, err)
	}
	return t.clientGone()
}

// downloadBroken ends a transaction whose reply cannot be passed on to its end. The client
// learns it by the end of its connection.
func (t *transaction) downloadBroken() stage {
	if t.down.broken == sink {
		return t.clientGone()
	}
	if t.down.err == errBodyTooLarge {
		return t.replyTooLarge()
	}
	return t.fail(UpstreamBroken, UpstreamSide, t.down.err)
}

// relayLate is what follows when neither end has moved a byte for too long.
func (t *transaction) relayLate() stage {
	switch {
	case t.down.holds() || t.down.pre != nil:
		return t.clientGone()
	case !t.replied && !t.uploaded() && !t.up.holds():
		return t.fail(ClientLate, ClientSide, errSaysNothing)
	case !t.uploaded():
		return t.fail(UpstreamLate, UpstreamSide, errTakesNothing)
	}
	return t.fail(UpstreamLate, UpstreamSide, errSaysNothing)
}

// receiveReply reads and parses the reply's head, and the interim ones before it.
func (t *transaction) receiveReply() stage {
	for start, interims, reads := t.down.in, 0, 0; ; {
		if next, more := t.passInterim(start); !more {
			return next
		}
		n, err := t.parseReply()
		switch {
		case err == nil:
			if next, more := t.gotReplyHead(t.down.buf.bytes()[:n], n); !more {
				return next
			}
			if interims++; interims == interimAtOnce {
				t.wakeSelf()
				return relaying
			}
		case err == h1.ErrNotHTTP && t.mayBeHeadless():
			return t.relayHeadless()
		case err != h1.ErrShort:
			return t.badReply(err)
		case reads == headReads:
			t.wakeSelf()
			return relaying
		default:
			if next, more := t.readReply(); !more {
				return next
			}
			reads++
		}
	}
}

// parseReply looks for a reply's head, of n bytes, in what has come.
func (t *transaction) parseReply() (n int, err error) {
	f, limits := &t.down, &t.setup.config.Limits
	if f.buf == nil {
		f.buf = f.pool.relay()
		f.buf.r, f.buf.w = headRoom, headRoom // perhaps there is no head, and the first bytes become a chunk
	}
	if f.buf.empty() {
		return 0, h1.ErrShort
	}
	lim := limits.heads(limits.replyHead())
	lim.ICY = f.buf.bytes()[0] == 'I' && t.mayBeHeadless()
	return h1.ParseReply(f.buf.bytes(), &t.client.worker.head, lim)
}

// passInterim writes interim replies that the client has not taken yet; more is true if it has
// taken all. A server may not make us hold more of them, nor keep us busy for ever with them.
func (t *transaction) passInterim(start int64) (next stage, more bool) {
	f := &t.down
	if f.pre != nil {
		if f.dst = t.clientEnd; !f.flush() {
			if f.err != nil {
				return t.clientGone(), false
			}
			return relaying, false
		}
	}
	if f.in-start > pumpBudget {
		t.wakeSelf()
		return relaying, false
	}
	return relaying, true
}

// readReply reads more of the reply's head; more is true if some came.
func (t *transaction) readReply() (next stage, more bool) {
	f, limit := &t.down, t.setup.config.Limits.replyHead()
	if len(f.buf.b)-f.buf.w <= chunkRoom {
		f.buf.moveDown() // what was read of interim replies makes room
	}
	if len(f.buf.b)-f.buf.w <= chunkRoom {
		if f.buf.w-f.buf.r >= limit {
			return t.badReply(h1.ErrTooLarge), false
		}
		f.buf = t.client.worker.buffers.grow(f.buf)
	}
	n, err := t.upstream.end.Read(f.buf.b[f.buf.w : len(f.buf.b)-chunkRoom])
	if err == nil {
		f.buf.w += n
		f.in += int64(n)
		return relaying, true
	}
	if err == loop.ErrAgain {
		if f.buf.empty() {
			f.putIfEmpty()
		}
		return relaying, false
	}
	return t.unanswered(err), false
}

// unanswered deals with a connection that ended before the reply's head was complete. If it
// was an idle one, the server has closed it while the request was on its way, and the request
// is sent again on another.
func (t *transaction) unanswered(err error) stage {
	if t.down.buf.empty() && t.record.Reused && t.repeatable() {
		return t.sendAgain()
	}
	if t.answeredHeadless(err) {
		return t.relayHeadless()
	}
	f := &Failure{Kind: UpstreamBroken, Side: UpstreamSide, Err: err}
	switch {
	case eof(err) && !t.down.buf.empty():
		f.Kind, f.Err = BadReply, errCutHead
	case eof(err) && t.up.err != nil:
		f.Err, f.Write = t.up.err, true
	case eof(err):
		f.Kind = UpstreamClosed
	}
	if t.mayGoElsewhere() { // of what it may have begun to say the client has seen nothing
		return t.elsewhere(f)
	}
	return t.failWith(f)
}

// sendAgain drops the connection and makes a new one to the same hop.
func (t *transaction) sendAgain() stage {
	t.dropUpstream()
	return resolving
}

// dropUpstream ends the connection to the next hop, and what was begun over it.
func (t *transaction) dropUpstream() {
	t.upstream.close()
	t.upstream = nil
	body := t.up.body
	t.up.release()
	t.down.release()
	t.up.body = body
}

func (t *transaction) badReply(err error) stage {
	if errors.Is(err, h1.ErrTooLarge) {
		return t.fail(ReplyTooLarge, UpstreamSide, err)
	}
	return t.fail(BadReply, UpstreamSide, err)
}

// sinceSent notes how long the next hop took to answer.
func (t *transaction) sinceSent() time.Duration { return t.now().Sub(t.entered) }
