package engine

// fail notes why the transaction did not go as asked, and tells the client by a page, unless
// something has gone to it already.
func (t *transaction) fail(kind FailureKind, side Side, err error) stage {
	return t.failWith(&Failure{Kind: kind, Side: side, Err: err})
}

func (t *transaction) failWith(f *Failure) stage {
	if !t.noteFailure(f) {
		return t.drop()
	}
	return t.tell()
}

// tell is how the client learns of localReply. If its tunnel is there for it already, that is inside of it: in
// TLS, if the port has an authority, or not at all.
func (t *transaction) tell() stage {
	if !t.established || t.inTunnel {
		return answering
	}
	t.handshake, t.decrypts = nil, false // with whom it was, and what for, does not matter any more
	switch {
	case t.request.TLS == nil: // it speaks another protocol than we do
		t.inTunnel = true
		return answering
	case t.request.Port.Certificate == nil:
		t.alert()
		return t.drop()
	}
	t.inTunnel = true
	return securing
}

// noteFailure notes a failure and makes its page. answerable is false if the client cannot be told:
// it has left, or has been given some of a reply.
func (t *transaction) noteFailure(f *Failure) (answerable bool) {
	if f.During == "" {
		f.During = t.stage.String()
	}
	if t.failure == nil {
		t.failure = f
	}
	if t.replied || t.down.headCut() || f.Side == ClientSide && f.Kind == ClientGone {
		return false
	}
	if f.Kind == BadRequest {
		t.keepClient = false // as Squid: who knows what follows
	}
	t.down.release()
	t.setReply(t.setup.policy.Page(t.request, f))
	return true
}

// setReply makes r what answering gives the client.
func (t *transaction) setReply(r LocalReply) {
	t.localReply = r
	t.record.Page = r.Page
}

// drop ends the transaction, and the client's connection after it, without a word.
func (t *transaction) drop() stage {
	t.keepClient = false
	return over
}

// clientGone ends a transaction whose client has left.
func (t *transaction) clientGone() stage {
	t.record.Aborted = true
	if t.failure == nil {
		t.failure = &Failure{Kind: ClientGone, Side: ClientSide, During: t.stage.String()}
	}
	return t.drop()
}

// uploaded says whether the request's body, if it has one, has been read completely.
func (t *transaction) uploaded() bool { return t.up.body.Done() }
