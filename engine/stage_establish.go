package engine

// establish answers 200 to a CONNECT before anything else is known of its tunnel: where what follows depends
// on what the client says there (ssl_bump), and where it was redirected or refused and the verdict is told
// inside (connect_verdict page). A browser shows nothing of an answer to CONNECT that is not 200; so it gets
// its 200, and the page as the answer to what it says next.
func (t *transaction) establish() stage {
	t.keepClient = false
	if t.down.dst == nil {
		t.down.begin(flow{dst: t.clientEnd, pre: t.establishedHead()})
	}
	switch t.down.pump(pumpBudget) {
	case failed:
		return t.clientGone()
	case finished:
		t.down.release()
		t.established, t.record.Status = true, 200
		return t.next
	}
	return establishing
}
