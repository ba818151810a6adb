package engine

import (
	"bytes"
	"time"

	"exaproxy/engine/h1"
)

const established = "HTTP/1.1 200 Connection established\r\n\r\n"

// halfClosed bounds how long a tunnel of which one end has finished may be silent.
const halfClosed = time.Minute

// openTunnel tells the client that the tunnel is there and begins both flows.
func (t *transaction) openTunnel() {
	c, pool := t.client, &t.client.worker.buffers
	t.keep, t.replied = false, true
	t.record.Tunnel, t.record.Status = true, 200
	first := pool.fit(len(c.in.bytes()))
	if first != nil {
		first.w = copy(first.b, c.in.bytes())
		c.consumed(first.w)
	}
	t.up.begin(flow{src: c.fd, dst: t.upstream.fd, buf: first, body: h1.Tunnel()})
	t.slim()
	pre := pool.head()
	pre.fill(append(pre.b[:0], established...))
	t.down.begin(flow{src: t.upstream.fd, dst: c.fd, pre: pre, body: h1.Tunnel()})
}

// slim gives back what a tunnel does not need, for tunnels are many and long: of the request, the
// record will want to know what its head says, and that is kept in memory of its size.
func (t *transaction) slim() {
	w, r := t.client.worker, t.request
	t.head = bytes.Clone(t.head)
	w.buffers.give(t.client.in)
	t.client.in = nil
	if r.State != nil || r.User != "" || r.WasRewritten {
		t.reread() // there is more to know of it
		return
	}
	w.freeRequest(r)
	t.request = nil
}

// recall makes the request again that slim has given back.
func (t *transaction) recall() {
	if t.request == nil {
		t.request = t.client.worker.newRequest()
		t.introduce()
		t.reread()
	}
}

// reread parses the head anew, from where it is kept now.
func (t *transaction) reread() {
	limits := &t.setup.config.Limits
	if _, err := h1.ParseRequest(t.head, &t.request.Request, limits.heads(limits.requestHead())); err != nil {
		panic("BUG: a head that was understood is not: " + err.Error())
	}
}

// tunnel carries bytes both ways. When one end has finished, the other is told, and what it
// still has to say is carried.
func (t *transaction) tunnel() stage {
	before := t.moved()
	up, down := t.up.pump(pumpBudget), t.down.pump(pumpBudget)
	if up == failed || down == failed || up == ended && down == ended {
		return t.tunnelOver(up, down)
	}
	if up == ended {
		t.upstream.fd.CloseWrite()
	}
	if down == ended {
		t.client.fd.CloseWrite()
	}
	if t.moved() != before {
		t.tunnelWait(up == ended || down == ended)
	}
	if up == tired || down == tired {
		t.wakeSelf()
	}
	return tunnelling
}

func (t *transaction) tunnelWait(half bool) {
	d := t.patience()
	if half {
		d = min(d, halfClosed)
	}
	t.wait(d)
}

// tunnelOver notes an end that was not orderly.
func (t *transaction) tunnelOver(up, down pumped) stage {
	if up == failed && t.up.broken == source || down == failed && t.down.broken == sink {
		t.record.Aborted = true
	}
	return over
}
