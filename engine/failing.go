package engine

import "exaproxy/engine/loop"

// fail notes why the transaction did not go as asked. It goes on to answering, with a page
// that says so, unless something has gone to the client already.
func (t *transaction) fail(kind FailureKind, side Side, err error) stage {
	return t.failed(&Failure{Kind: kind, Side: side, Err: err})
}

func (t *transaction) failed(f *Failure) stage {
	f.During = t.stage.String()
	if t.failure == nil {
		t.failure = f
	}
	if t.replied || f.Side == ClientSide && f.Kind == ClientGone {
		t.keep = false
		return over
	}
	if f.Kind == BadRequest {
		t.keep = false // as Squid: who knows what follows
	}
	t.down.release()
	t.own = t.setup.policy.Page(t.request, f)
	return answering
}

// giveUp is what follows when the present stage has waited for too long.
func (t *transaction) giveUp() stage {
	switch t.stage {
	case greeting, reading:
		t.failure = &Failure{Kind: ClientLate, Side: ClientSide, During: t.stage.String()}
		t.keep = false
		return over
	case asking:
		t.question.Late()
		t.question, t.lost = nil, ErrHelperLate
		return heeding
	case resolving:
		return t.fail(NameServerFailed, NameSide, errLookupLate)
	case connecting:
		return t.fail(ConnectLate, UpstreamSide, errConnectLate)
	case sending:
		return t.fail(UpstreamLate, UpstreamSide, errTakesNothing)
	case relaying:
		return t.relayLate()
	case answering:
		if t.verdict == hearing {
			t.tell()
			return answering
		}
		t.keep = false
		return over
	case admitting, heeding, tunnelling, over:
		t.keep = false
		return over
	}
	panic("BUG: no such stage: " + t.stage.String())
}

// abandoned says whether the client has left while nothing of a reply was on its way to it.
// With half_closed_clients off, closing its sending side is leaving, once all that it had to
// send was read.
func (t *transaction) abandoned() bool {
	switch t.stage {
	case greeting, reading, tunnelling, over:
		return false // these read from the client and see for themselves
	}
	fd := t.client.fd
	if fd.Broken() {
		return true
	}
	return fd.PeerDone() && !t.setup.config.HalfClosed && t.uploaded() && t.verdict == direct
}

// uploaded says whether the request's body, if it has one, has been read completely.
func (t *transaction) uploaded() bool { return t.up.body.Done() }

// leave ends a transaction whose client has left.
func (t *transaction) leave() stage {
	t.record.Aborted = true
	t.failure = &Failure{Kind: ClientGone, Side: ClientSide, During: t.stage.String()}
	t.keep = false
	return over
}

// wakeSelf makes the loop play the transaction again after others had their turn.
func (t *transaction) wakeSelf() { t.client.waker.Wake() }

// inNextPass stays in the stage and goes on in the loop's next pass, to write what was composed. So
// the heads of all who are ready are read and composed one after the other, and then written one
// after the other, and both our code and the kernel's are still in the processor's caches: a kept
// GET among 64 connections costs 2 % less.
func (t *transaction) inNextPass(s stage) stage {
	t.wakeSelf()
	return s
}

// waiter is who is woken for whatever the transaction waits for.
func (t *transaction) waiter() *loop.Waker { return t.client.waker }
