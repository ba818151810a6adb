package engine

import (
	"time"

	"exaproxy/engine/tlshello"
)

// await makes sure that the present stage's waiting has its deadline. Most stages do not wait.
func (t *transaction) await() {
	if !t.timed {
		t.wait(t.stageTimeout())
	}
}

// wait begins the present stage's waiting anew, for d at most, and no longer than the client may
// live.
func (t *transaction) wait(d time.Duration) {
	now := t.now()
	d = t.client.within(d, now)
	t.timed = true
	t.deadline = now.Add(d)
	t.timer.Set(d)
}

// wakeIn wakes the transaction after d, or at its deadline if that is sooner.
func (t *transaction) wakeIn(d time.Duration) {
	t.timer.Set(max(min(d, t.deadline.Sub(t.now())), 0))
}

// stageTimeout is how long the present stage may wait without anything moving.
func (t *transaction) stageTimeout() time.Duration {
	limits := &t.setup.config.Timeouts
	switch t.stage {
	case greeting:
		return limits.requestStart()
	case reading:
		return limits.request()
	case asking:
		return forever // the helpers' own timeout ends it
	case resolving:
		return limits.names()
	case connecting:
		return t.forwardBy.Sub(t.now())
	case piercing, handshaking, overhearing:
		return min(limits.connect(), t.forwardBy.Sub(t.now()))
	case sending, answering, establishing:
		return limits.write()
	case checking, peeking:
		return checkTime
	case securing:
		if t.handshake != nil {
			return handshakeTime
		}
		return hearTime
	case hearing:
		return hearTime
	case relaying, tunnelling:
		return limits.read()
	case admitting, interpreting, bumping, routing, over:
		return forever
	}
	panic("BUG: no such stage: " + t.stage.String())
}

// overdue says whether the present stage has waited for too long. Before it waits, what may have
// passed is the deadline of another stage.
func (t *transaction) overdue() bool {
	return t.timed && t.timer.Expired() && !t.now().Before(t.deadline)
}

// giveUp is what follows when the present stage has waited for too long.
func (t *transaction) giveUp() stage {
	switch t.stage {
	case greeting:
		t.failure = &Failure{Kind: ClientLate, Side: ClientSide, During: t.stage.String()}
		return t.drop()
	case reading:
		return t.silentClient()
	case asking:
		return t.drop() // the client's lifetime is over
	case resolving:
		t.lookup.Cancel()
		t.lookup = nil
		return t.unresolved(errLookupLate)
	case connecting:
		return t.fail(ConnectLate, UpstreamSide, errConnectLate)
	case piercing:
		return t.unpierced(UpstreamLate, errSaysNothing)
	case handshaking:
		return t.secureLate(ourHandshake)
	case overhearing:
		return t.secureLate(clientsHandshake)
	case sending:
		return t.fail(UpstreamLate, UpstreamSide, errTakesNothing)
	case relaying:
		return t.relayLate()
	case checking:
		return t.checked(&tlshello.Hello{}, tlshello.ErrShort)
	case peeking:
		return t.peeked(&tlshello.Hello{}, tlshello.ErrShort)
	case securing:
		return t.unsecured()
	case hearing:
		return answering // it may be waiting for the server to speak first
	case admitting, interpreting, bumping, routing, tunnelling, establishing, answering, over:
		return t.drop()
	}
	panic("BUG: no such stage: " + t.stage.String())
}

// abandoned says whether the client has left while nothing of a reply was on its way to it.
// With half_closed_clients off, closing its sending side is leaving, once all that it had to
// send was read.
func (t *transaction) abandoned() bool {
	switch t.stage {
	case greeting, reading, checking, peeking, tunnelling, over:
		return false // these read from the client and see for themselves
	case securing:
		return t.handshake == nil && t.clientEnd.Broken() // a handshake says more about how it ended
	case establishing, hearing:
		return t.clientEnd.Broken() // it may have finished what it says in its tunnel
	}
	if t.clientEnd.Broken() {
		return true
	}
	return t.clientEnd.PeerDone() && !t.setup.config.HalfClosed && t.uploaded() && !t.inTunnel
}

// wakeSelf makes the loop play the transaction again after others had their turn.
func (t *transaction) wakeSelf() { t.waker.WakeNextTurn() }
