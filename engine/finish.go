package engine

import "exaproxy/engine/h1"

// finish ends the transaction, once its record can be kept. While it cannot, others have the
// connection to the next hop.
func (t *transaction) finish() {
	if !t.setup.policy.LogReady(t.waker) {
		t.cancelWaits()
		t.releaseUpstream()
		t.down.release()
		t.await()
		return
	}
	t.end()
}

// end releases all that the transaction holds, gives the policy its record, and gives the
// client back to itself. What is done is forgotten before the next is begun, so that a
// transaction can be ended anew if a fault of ours stopped it here.
func (t *transaction) end() {
	c, w := t.client, t.client.worker
	t.cancelWaits()
	unread := t.unparsable || !t.uploaded() || t.inTunnel
	t.releaseUpstream()
	t.giveRecord()
	t.carryOver()
	t.up.release()
	t.down.release()
	w.buffers.put(t.serverSaid)
	t.serverSaid = nil
	keep := t.keepClient && !unread && !w.leaving
	c.holdState(t.setup)
	if c.tls != nil && !c.tls.Bumped {
		c.tls = nil // of this CONNECT alone
	}
	c.tx = nil
	w.freeTransaction(t)
	if keep {
		c.goIdle()
	} else {
		c.closeAfterLast(unread)
	}
}

// cancelWaits ends what the transaction waits for.
func (t *transaction) cancelWaits() {
	t.countTries()
	question, lookup, dialer := t.question, t.lookup, t.dialer
	t.question, t.lookup, t.dialer = nil, nil, nil
	question.Cancel()
	lookup.Cancel()
	t.client.worker.freeDialer(dialer)
}

// releaseUpstream keeps the connection to the next hop for another request if both messages
// are over and it was not told otherwise.
func (t *transaction) releaseUpstream() {
	u, w := t.upstream, t.client.worker
	t.upstream = nil
	if u == nil {
		return
	}
	whole := t.keepUpstream && t.failure == nil && !t.record.Aborted && t.uploaded() && t.up.err == nil && len(t.down.excess()) == 0
	young := w.loop.Now().Sub(u.born) < t.setup.config.Timeouts.pconnLife()
	if whole && young && !w.leaving {
		w.idle.put(u)
		return
	}
	u.close()
}

// giveRecord completes the record and gives it to the policy, once.
func (t *transaction) giveRecord() {
	if t.recorded {
		return
	}
	t.recorded = true
	t.recall()
	t.spend(t.now())
	t.sum(&t.record)
	t.setup.policy.Record(&t.record)
}

// sum fills in what a record says of the transaction as a whole.
func (t *transaction) sum(rec *Record) {
	now := t.now()
	t.played()
	rec.Request = t.request
	rec.Ended, rec.Took = now, now.Sub(t.began)
	rec.Failure = t.failure
	rec.In = int64(len(t.head)) + t.up.moved
	rec.Out = t.down.out
	rec.UpstreamIn, rec.UpstreamOut = t.down.in, t.up.out
}

// carryOver gives the client the bytes that were read beyond the request's end: they begin
// its next request.
func (t *transaction) carryOver() {
	c := t.client
	if len(t.up.excess()) == 0 {
		return
	}
	// The client's own buffer held the beginning of this request, and nothing more.
	c.worker.buffers.put(c.in)
	c.in, t.up.buf = t.up.buf, nil
	c.in.r = t.up.ready
}

// date gives the present time as a Date field has it. It is made anew once a second.
func (w *worker) date() []byte {
	if now := w.loop.Now(); now.Unix() != w.dated {
		w.dated = now.Unix()
		w.dateField = now.UTC().AppendFormat(make([]byte, 0, len(h1.DateLayout)), h1.DateLayout)
	}
	return w.dateField
}
