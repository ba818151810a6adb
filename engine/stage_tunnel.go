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

// slim moves the request's head, of which the record wants to know when the tunnel ends, out
// of the client's buffer into memory of its size: tunnels are many and long.
func (t *transaction) slim() {
	c, limits := t.client, &t.setup.config.Limits
	t.head = bytes.Clone(t.head)
	if _, err := h1.ParseRequest(t.head, &t.request.Request, limits.heads(limits.requestHead())); err != nil {
		panic("BUG: a head that was understood is not: " + err.Error())
	}
	c.worker.buffers.give(c.in)
	c.in = nil
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
	t.client.wait(d)
}

// tunnelOver notes an end that was not orderly.
func (t *transaction) tunnelOver(up, down pumped) stage {
	if up == failed && t.up.broken == source || down == failed && t.down.broken == sink {
		t.record.Aborted = true
	}
	return over
}
