package engine

import (
	"bytes"
	"time"

	"exaproxy/engine/h1"
)

const established = "HTTP/1.1 200 Connection established\r\n\r\n"

// halfClosed bounds how long a tunnel of which one end has finished may be silent.
const halfClosed = time.Minute

// openTunnel tells the client that the tunnel is there and begins both flows, unless the policy looks at
// what the client says first. first, if it is not nil, holds what the other side has said already; it
// is taken over.
func (t *transaction) openTunnel(first *buffer) stage {
	c, pool := t.client, &t.client.worker.buffers
	t.isTunnel(200)
	if t.setup.policy.Looks(t.request) {
		if !t.established {
			t.down.begin(flow{dst: t.clientEnd, pre: t.establishedHead()})
		}
		t.serverSaid = first
		return checking
	}
	if t.established {
		t.carry(t.takeHeard(), nil, first)
		return tunnelling
	}
	said := pool.fit(len(c.in.bytes()))
	if said != nil {
		said.w = copy(said.b, c.in.bytes())
		c.consumed(said.w)
	}
	t.carry(said, t.establishedHead(), first)
	return tunnelling
}

// isTunnel notes that the client has its tunnel, or is about to be told so by that status.
func (t *transaction) isTunnel(status int) {
	t.keepClient, t.replied = false, true
	t.record.Tunnel, t.record.Status = true, status
}

// carry begins both flows of a tunnel: with what the client has said, with what it is to be told, and with
// what the other side has said. Each may be nil, and is taken over.
func (t *transaction) carry(said, head, first *buffer) {
	t.up.begin(flow{src: t.clientEnd, dst: t.upstream.end, buf: said, body: h1.Tunnel()})
	t.releaseForTunnel()
	t.down.begin(flow{src: t.upstream.end, dst: t.clientEnd, pre: head, buf: first, body: h1.Tunnel()})
}

// establishedHead is the answer to a CONNECT whose tunnel is there.
func (t *transaction) establishedHead() *buffer {
	head := t.client.worker.buffers.head()
	head.fill(append(head.b[:0], established...))
	return head
}

// releaseForTunnel gives back what a tunnel does not need, for tunnels are many and long: of the
// request, the record will want to know what its head says, and that is kept in memory of its size.
func (t *transaction) releaseForTunnel() {
	w, r := t.client.worker, t.request
	t.head = bytes.Clone(t.head)
	w.buffers.put(t.client.in)
	t.client.in = nil
	if !r.isItsHead() {
		t.reread() // there is more to know of it
		return
	}
	w.freeRequest(r)
	t.request = nil
}

// recall makes the request again that releaseForTunnel has given back.
func (t *transaction) recall() {
	if t.request == nil {
		t.request = t.client.worker.requests.Get()
		t.fillInConnection()
		t.reread()
		t.request.Hierarchy, t.request.Peer = t.record.Hierarchy, t.record.Peer
		if t.judged != nil {
			t.request.Judged, t.judged = *t.judged, nil
		}
	}
}

// reread parses the head anew, from where it is kept now.
func (t *transaction) reread() {
	limits := &t.setup.config.Limits
	if _, err := h1.ParseRequest(t.head, &t.request.Request, limits.heads(limits.requestHead())); err != nil {
		panic("BUG: a head that was understood is not: " + err.Error())
	}
	if seen := t.request.TLS; seen != nil && seen.Bumped {
		seen.complete(t.request, limits.Whitespace) // it was
	}
	if f := t.completeTarget(); f != nil {
		panic("BUG: a target that was completed cannot be: " + f.Error())
	}
	t.request.hostOfTarget()
	t.request.Persistent = t.keepClient
}

// tunnel carries bytes both ways. When one end has finished, the other is told, and what it
// still has to say is carried.
func (t *transaction) tunnel() stage {
	before, wasHalf := t.moved(), t.up.over() || t.down.over()
	up := sourceEmpty
	switch t.firstWords() {
	case judgeable:
		t.failure = &Failure{Kind: NotTLS, Side: ClientSide, During: t.stage.String(), Err: errAsksAfterAll}
		t.inTunnel = true // what it goes on to say is thrown away, and it sees an orderly end
		return t.drop()
	case undecided:
	case harmless:
		up = t.up.pump(pumpBudget)
	}
	down := t.down.pump(pumpBudget)
	if up == failed || down == failed || up == finished && down == finished {
		return t.tunnelOver(up, down)
	}
	if up == finished {
		t.upstream.end.CloseWrite()
	}
	if down == finished {
		t.clientEnd.CloseWrite()
	}
	if half := up == finished || down == finished; t.moved() != before || half != wasHalf {
		t.tunnelWait(half)
	}
	if up == budgetSpent || down == budgetSpent {
		t.wakeSelf()
	}
	return tunnelling
}

func (t *transaction) tunnelWait(half bool) {
	d := t.stageTimeout()
	if half {
		d = min(d, halfClosed)
	}
	t.wait(d)
}

// tunnelOver notes an end that was not orderly.
func (t *transaction) tunnelOver(up, down outcome) stage {
	if up == failed && t.up.broken == source || down == failed && t.down.broken == sink {
		t.record.Aborted = true
	}
	return over
}
