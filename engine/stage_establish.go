package engine

// establish answers 200 to a CONNECT that was redirected or refused, where the verdict is told
// inside the tunnel (connect_verdict page). A browser shows nothing of an answer to CONNECT that is
// not 200; so it gets its 200, and the page as the answer to what it says next.
func (t *transaction) establish() stage {
	t.keepClient, t.inTunnel = false, true
	if t.down.dst == nil {
		t.down.begin(flow{dst: t.clientEnd, pre: t.establishedHead()})
	}
	switch t.down.pump(pumpBudget) {
	case failed:
		return t.clientGone()
	case finished:
		t.down.release()
		if t.bump {
			return securing
		}
		return hearing
	}
	return establishing
}
