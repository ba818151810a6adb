package engine

// keptTransactions is how many free transactions and requests a worker keeps for the next.
const keptTransactions = 256

// newTransaction makes a transaction for the request that begins in c's buffer.
func (w *worker) newTransaction(c *client) *transaction {
	t := w.transactions.Get()
	if t.waker == nil {
		t.waker = w.loop.NewWaker(t)
		t.timer = w.loop.NewTimer(t.waker)
	}
	t.begin(c, w.setup)
	w.setup.uses++
	return t
}

// begin makes t a transaction of c under s.
func (t *transaction) begin(c *client, s *setup) {
	w := c.worker
	now := w.loop.Now()
	t.client, t.clientEnd, t.setup, t.began, t.entered = c, c.end, s, now, now
	t.clientEnd.SetWaker(t.waker)
	t.record.Unread = true
	t.request = w.requests.Get()
	t.fillInConnection()
	t.up.pool, t.down.pool = &w.buffers, &w.buffers
}

// fillInConnection gives the request what is known of it from its connection.
func (t *transaction) fillInConnection() {
	r, c := t.request, &t.client.connection
	if c.Session == nil {
		c.Session = session(t.clientEnd)
	}
	r.Started, r.Waker = t.began, t.waker
	r.Connection = c
	r.Notes = append(r.Notes, c.Notes...)
	r.Client, r.Local, r.Port = c.Client, c.Local, c.Port
	if tls := t.client.tls; tls != nil {
		r.TLS = tls
		r.User, r.Claimed = tls.user, tls.user // there can be no credentials in a tunnel
		r.Client, r.Told, r.ToldName = tls.client, tls.told, tls.toldName
	}
}

// freeTransaction takes a transaction back. One that was woken meanwhile does nothing.
func (w *worker) freeTransaction(t *transaction) {
	s := t.setup
	w.freeRequest(t.request)
	*t = transaction{waker: t.waker, timer: t.timer}
	if !w.transactions.Put(t) {
		t.retire()
	}
	w.done(s)
}

// retire has nothing refer to a transaction that is not used again. Free ones keep their timers as they were, since
// it costs less to move a deadline than to set it.
func (t *transaction) retire() {
	t.timer.Clear()
	t.waker.Retire()
}

// freeRequest takes a request back; nil is nothing.
func (w *worker) freeRequest(r *Request) {
	if r != nil {
		r.reset(w.buffers.borrower)
		w.requests.Put(r)
	}
}
