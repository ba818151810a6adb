package engine

// crowd is how many questions to the helpers are a crowd: requests that wait in one hold no more than they
// need. With fewer it is not worth reading a head twice.
const crowd = 128

// holdLess gives back what a request does not need while it waits for the helpers in a crowd. Thousands may
// wait there for minutes, for helpers that are stuck. What is kept is the head, in memory of its size, from
// which the request is made again.
func (t *transaction) holdLess() {
	r := t.request
	if r == nil || t.client.in == nil || t.setup.helpers.Unanswered() < crowd {
		return // or a diverted client that has said nothing
	}
	moved := t.shrinkBuffer()
	switch {
	case r.isItsHead() && len(r.scratch) == r.made && r.Asked == 1:
		if r.Judged.Known || r.Judged.Allow {
			judged := r.Judged
			t.judged, r.Judged = &judged, Judged{}
		}
		t.client.worker.freeRequest(r)
		t.request = nil
	case moved:
		t.reread()
	}
}

// shrinkBuffer moves the head, and what has come behind it, to a buffer of their size, if much is saved.
func (t *transaction) shrinkBuffer() (moved bool) {
	c, head := t.client, len(t.head)
	n := head + len(c.in.bytes())
	if n > len(c.in.b)/2 {
		return false
	}
	small := c.worker.buffers.exactly(n)
	copy(small.b, t.head)
	small.r, small.w = head, head+copy(small.b[head:], c.in.bytes())
	t.head = small.b[:head]
	c.worker.buffers.put(c.in)
	c.in = small
	return true
}

// holdAll makes the request again that holdLess has given back.
func (t *transaction) holdAll() {
	if t.request == nil {
		t.recall()
		t.request.Asked = 1
	}
}
