package engine

import (
	"log/slog"
	"time"

	"exaproxy/dnsasync"
	"exaproxy/engine/h1"
	"exaproxy/engine/loop"
	"exaproxy/helper"
)

// A worker is a whole proxy on one goroutine. It owns a loop, its listeners, its clients, its
// idle upstreams, and the present setup with its helper pool, resolver and policy. Nothing
// of it is shared, so nothing is locked.
type worker struct {
	engine *Engine
	number int
	log    *slog.Logger

	loop      *loop.Loop
	setup     *setup
	listeners []*listener
	buffers   buffers
	idle      *idlePool

	clients *client // all of them, linked
	open    int     // how many

	transactions []*transaction // free
	requests     []*Request     // free

	// outgoing and head are used within one play only, to compose a head and to read a reply's.
	outgoing h1.Header
	head     h1.Reply
	dialers  []*dialer // free

	dated     int64 // the second of dateField
	dateField []byte

	retired []*setup // replaced; their pools are still ending
	leaving bool     // shutting down: no new clients, no kept connections
	waker   *loop.Waker
	timer   *loop.Timer
}

// A setup is the immutable configuration that a transaction began with, and what one worker
// made of it.
type setup struct {
	config   *Config
	policy   Policy
	helpers  *helper.Pool
	resolver *dnsasync.Resolver
	uses     int  // transactions that began with it and are not over
	replaced bool // by a newer one
	closed   bool
}

func newWorker(e *Engine, number int, c *Config) (*worker, error) {
	kernel, err := c.kernel()
	if err != nil {
		return nil, err
	}
	l, err := loop.New(kernel)
	if err != nil {
		return nil, err
	}
	w := &worker{engine: e, number: number, log: c.logger(), loop: l}
	w.idle = newIdlePool(l)
	w.waker = l.NewWaker(w)
	w.timer = l.NewTimer(w.waker)
	return w, nil
}

// start makes the first setup and begins to listen. It runs on the worker's goroutine.
func (w *worker) start(c *Config, shared []opened) error {
	if err := w.adopt(c); err != nil {
		return err
	}
	return w.listen(shared)
}

// adopt makes a setup of c and uses it for all transactions that begin from now on.
func (w *worker) adopt(c *Config) error {
	s := &setup{config: c}
	s.resolver = dnsasync.New(w.loop, c.Names)
	if c.Helper != nil {
		s.helpers = helper.NewPool(w.loop, c.share(w.number))
	}
	var err error
	s.policy, err = c.NewPolicy(Services{Loop: w.loop, Resolver: s.resolver, Helpers: s.helpers, Log: w.log, Worker: w.number})
	if err != nil {
		s.close()
		return err
	}
	if w.setup != nil {
		w.setup.replaced = true
		w.retired = append(w.retired, w.setup)
	}
	w.setup = s
	w.idle.configure(c)
	w.bury()
	return nil
}

// close ends what the setup began; its helpers may still finish what they were asked.
func (s *setup) close() {
	if s.closed {
		return
	}
	s.closed = true
	if s.policy != nil {
		s.policy.Close()
	}
	if s.helpers != nil {
		s.helpers.Close(true)
	}
	s.resolver.Close()
}

// done counts a transaction of s as over.
func (w *worker) done(s *setup) {
	s.uses--
	if s.replaced && s.uses == 0 {
		w.bury()
	}
}

// bury closes the replaced setups that no transaction uses any more.
func (w *worker) bury() {
	kept := w.retired[:0]
	for _, s := range w.retired {
		if s.uses > 0 {
			kept = append(kept, s)
			continue
		}
		s.close()
	}
	clear(w.retired[len(kept):])
	w.retired = kept
}

// welcome makes a client of an accepted connection.
func (w *worker) welcome(fd *loop.FD, peer loop.Peer, l *listener) {
	c := &client{worker: w, fd: fd, remote: peer.Remote, local: l.bound, port: l.port}
	c.ends = w.loop.Now().Add(w.setup.config.Timeouts.lifetime())
	c.waker = w.loop.NewWaker(c)
	c.timer = w.loop.NewTimer(c.waker)
	fd.SetWaker(c.waker)
	c.next = w.clients
	if c.next != nil {
		c.next.previous = c
	}
	w.clients = c
	w.open++
	c.wait(w.setup.config.Timeouts.requestStart())
	c.waker.Wake()
}

// parted forgets a client that was closed.
func (w *worker) parted(c *client) {
	if c.previous != nil {
		c.previous.next = c.next
	} else {
		w.clients = c.next
	}
	if c.next != nil {
		c.next.previous = c.previous
	}
	c.next, c.previous = nil, nil
	w.open--
	if w.leaving {
		w.waker.Wake()
	}
}

// keptTransactions is how many free transactions a worker keeps for the next requests.
const keptTransactions = 256

func (w *worker) newTransaction(c *client) *transaction {
	var t *transaction
	if last := len(w.transactions) - 1; last >= 0 {
		t, w.transactions[last] = w.transactions[last], nil
		w.transactions = w.transactions[:last]
	} else {
		t = &transaction{}
	}
	t.begin(c, w.setup)
	w.setup.uses++
	return t
}

func (w *worker) freeTransaction(t *transaction) {
	w.done(t.setup)
	w.freeRequest(t.request)
	*t = transaction{}
	if len(w.transactions) < keptTransactions {
		w.transactions = append(w.transactions, t)
	}
}

// newRequest lends a request.
func (w *worker) newRequest() *Request {
	last := len(w.requests) - 1
	if last < 0 {
		return &Request{}
	}
	r := w.requests[last]
	w.requests[last] = nil
	w.requests = w.requests[:last]
	return r
}

// freeRequest takes a request back; nil is nothing.
func (w *worker) freeRequest(r *Request) {
	if r != nil && len(w.requests) < keptTransactions {
		r.reset()
		w.requests = append(w.requests, r)
	}
}

// leave begins to end the worker: no new clients; idle ones are closed, the others when
// their transaction is over, all of them after lifetime. It says whether this was the beginning.
func (w *worker) leave(lifetime time.Duration) (begun bool) {
	if begun = !w.leaving; begun {
		w.leaving = true
		w.stopListening()
		w.eachClient(func(c *client) {
			if c.tx == nil && c.phase == resting {
				c.close()
			}
		})
		w.idle.close()
	}
	if w.timer.Set(lifetime); lifetime <= 0 {
		w.eachClient((*client).abandon)
	}
	w.waker.Wake()
	return begun
}

// Run ends a worker that is leaving when nobody is left, or when the time is up.
func (w *worker) Run() {
	if !w.leaving {
		return
	}
	if w.timer.Expired() {
		w.eachClient((*client).abandon)
	}
	if w.open == 0 {
		w.loop.Stop()
	}
}

// eachClient calls f, which may close the client.
func (w *worker) eachClient(f func(*client)) {
	for c := w.clients; c != nil; {
		next := c.next
		f(c)
		c = next
	}
}

// end releases what the worker holds, after its loop has stopped.
func (w *worker) end() {
	w.eachClient((*client).abandon)
	w.stopListening()
	w.idle.close()
	for _, s := range append(w.retired, w.setup) {
		if s != nil {
			s.close()
		}
	}
	w.loop.Close()
}
