package engine

import (
	"log/slog"
	"slices"
	"time"

	"exaproxy/engine/h1"
	"exaproxy/engine/loop"
	"exaproxy/helper"
)

// A worker is a whole proxy on one goroutine. It owns a loop, its listeners, its clients, its
// idle upstreams, and the present setup with its helper pool, resolver and policy. Nothing
// of it is used by another goroutine, so nothing is locked.
type worker struct {
	engine *Engine
	number int
	log    *slog.Logger

	loop      *loop.Loop
	setup     *setup
	listeners []*listener
	buffers   buffers
	owners    uint64 // clients that have connections of their own, so far
	idle      *idlePool

	lasting any // of the policies, one after the other

	clients  *client // all of them, linked
	open     int     // how many
	accepted uint64  // so far

	playedFrom time.Time // since when a transaction is played, if Config.MeasureBusy asks; zero: none is

	connections   connectionCounts // of everybody's clients
	countWarnings loop.Limiter

	limits             descriptorLimits
	descriptorWarnings loop.Limiter

	transactions loop.FreeList[transaction]
	requests     loop.FreeList[Request]
	dialers      loop.FreeList[dialer]

	// outgoing and head are used within one play only, to compose a head and to read a reply's.
	outgoing h1.Header
	head     h1.Reply

	dated     int64 // the second of dateField
	dateField []byte

	faults loop.Limiter // of what is logged of faults of ours

	clientMarkWarnings, serverMarkWarnings loop.Limiter // of marks of their connections

	retired []*setup       // replaced, and still used
	pools   []*helper.Pool // that may have children
	hurried bool           // children are hardly waited for
	until   time.Time      // when shutdown_lifetime is over
	leaving bool           // shutting down: no new clients, no kept connections
	waker   *loop.Waker
	timer   *loop.Timer
	tunnels *openTunnels
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
	w := &worker{engine: e, number: number, log: c.logger(), loop: l, buffers: newBuffers(), connections: make(connectionCounts)}
	w.transactions.Most, w.requests.Most, w.dialers.Most = keptTransactions, keptTransactions, keptDialers
	l.OnPanic(w.taskPanicked)
	w.idle = newIdlePool(l)
	w.waker = l.NewWaker(w)
	w.timer = l.NewTimer(w.waker)
	w.tunnels = newOpenTunnels(w)
	return w, nil
}

// start makes the first setup and begins to listen. It runs on the worker's goroutine.
func (w *worker) start(c *Config, ports []opened) error {
	ch, err := w.prepare(c, ports)
	if err != nil {
		return err
	}
	ch.commit(ports)
	return nil
}

// addClient makes a client of an accepted connection.
func (w *worker) addClient(fd *loop.FD, from loop.Peer, l *listener) {
	if !l.port.ProxyHeader && w.tooMany(from.Remote) {
		fd.Close()
		return
	}
	c := &client{worker: w, listener: l, fd: fd, end: fd, bound: l.bound, connection: Connection{ID: w.connectionID(), Client: from.Remote, Local: l.bound, Port: l.port}}
	c.ends = w.loop.Now().Add(w.setup.config.Timeouts.lifetime())
	c.waker = w.loop.NewWaker(c)
	c.timer = w.loop.NewTimer(c.waker)
	fd.SetWaker(c.waker)
	switch {
	case l.port.ProxyHeader:
		c.phase = announcing
	case l.tls != nil:
		c.secure()
	}
	c.next = w.clients
	if c.next != nil {
		c.next.previous = c
	}
	w.clients = c
	w.open++
	c.count()
	c.waitForRequest()
	c.waker.Wake()
}

// connectionID numbers the connections that are accepted.
func (w *worker) connectionID() uint64 {
	w.accepted++
	return w.accepted*uint64(len(w.engine.workers)) + uint64(w.number)
}

// trim lets go of memory that was needed in a rush.
func (w *worker) trim() {
	w.engine.letGo.Add(int64(w.buffers.trim()))
	for _, t := range w.transactions.Trim() {
		t.retire()
	}
	w.requests.Trim()
	w.dialers.Trim()
	for _, p := range w.pools {
		p.Trim()
	}
}

// removeClient forgets a client that was closed.
func (w *worker) removeClient(c *client) {
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

// shutDown begins to end the worker: no new clients; idle ones are closed, the others when
// their transaction is over, all of them after lifetime. It says whether this was the beginning.
func (w *worker) shutDown(lifetime time.Duration) (begun bool) {
	w.hurried = w.leaving && lifetime <= 0
	if begun = !w.leaving; begun {
		w.leaving = true
		w.endStandbys()
		w.stopListening()
		w.eachClient(func(c *client) {
			if c.tx == nil && (c.phase == idling || c.phase == announcing) {
				c.close()
			}
		})
		w.idle.close()
	}
	w.until = w.loop.Now().Add(lifetime)
	if w.timer.Set(lifetime); lifetime <= 0 {
		w.eachClient((*client).closeNow)
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
		w.eachClient((*client).closeNow)
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

// Helpers have what is left of shutdown_lifetime to end by themselves and then after SIGTERM, within these.
const (
	mostGrace    = 10 * time.Second
	leastGrace   = 2 * time.Second
	hurriedGrace = 200 * time.Millisecond // when the end is asked for again
	killedTime   = 5 * time.Second        // that the kernel may take to end those that were killed, on a busy machine
)

// helpersGrace is how long helpers have until they are killed.
func (w *worker) helpersGrace() time.Duration {
	if w.hurried {
		return hurriedGrace
	}
	return min(max(w.until.Sub(w.loop.Now()), leastGrace), mostGrace)
}

// endHelpers ends the helpers, and waits for them: one that ignores the end of its input and SIGTERM must not
// outlive us.
func (w *worker) endHelpers() {
	for w.hastenHelpers(); !w.timer.Expired() && slices.ContainsFunc(w.pools, func(p *helper.Pool) bool { return !p.Closed() }); {
		hurried := w.hurried
		w.loop.Turn(true)
		if w.hurried && !hurried {
			w.hastenHelpers()
		}
	}
}

func (w *worker) hastenHelpers() {
	grace := w.helpersGrace()
	for _, p := range w.pools {
		p.CloseWithin(grace)
	}
	w.timer.Set(grace + killedTime)
}

// end releases what the worker holds, after its loop has stopped.
func (w *worker) end() {
	w.eachClient((*client).closeNow)
	w.stopListening()
	w.idle.close()
	for _, s := range append(w.retired, w.setup) {
		if s != nil {
			s.close()
		}
	}
	w.endHelpers()
	w.loop.Close()
}
