package engine

import (
	"io"
	"net/netip"
	"runtime/debug"
	"time"

	"exaproxy/engine/loop"
)

// A client is one accepted connection and the task that plays what it asks for: both ends of
// a transaction, its helper question and its lookup wake the client. It belongs to its
// worker. Between requests it has neither a transaction nor a buffer.
type client struct {
	worker *worker
	fd     *loop.FD
	waker  *loop.Waker
	timer  *loop.Timer

	deadline time.Time // of what is waited for now
	ends     time.Time // of its lifetime (client_lifetime)
	remote   netip.AddrPort
	local    netip.AddrPort
	port     *Port

	in     *buffer // received and not yet consumed; during a transaction its head is in front
	tx     *transaction
	served int // requests
	phase  phase

	next, previous *client
}

// A phase is what a client does while it has no transaction.
type phase uint8

const (
	resting   phase = iota // waits for a request
	lingering              // its last reply was sent; what it still sends is thrown away
	gone                   // closed
)

// lingerTime bounds lingering. A connection that is closed while bytes wait unread is reset,
// and the reset may overtake the reply (RFC 9112, section 9.6).
const lingerTime = 2 * time.Second

// Run is called when anything happened that concerns the client.
func (c *client) Run() {
	defer c.rescue()
	for c.phase != gone {
		if c.phase == lingering {
			c.linger()
			return
		}
		if c.tx == nil && !c.begin() {
			return
		}
		if c.tx.Run(); c.tx != nil {
			return // it waits
		}
	}
}

// rescue makes a fault of ours cost one transaction and not the program.
func (c *client) rescue() {
	fault := recover()
	if fault == nil {
		return
	}
	c.worker.log.Error("a fault of ours ended a transaction; please report it", "client", c.remote.String(),
		"fault", fault, "stack", string(debug.Stack()))
	defer c.close()
	defer func() { recover() }() // a second fault leaves what the first had left; it was told
	c.drop(Internal)
}

// drop ends the transaction in hand, if there is one, for a reason of ours.
func (c *client) drop(why FailureKind) {
	if tx := c.tx; tx != nil {
		tx.keep = false
		tx.failure = &Failure{Kind: why, Side: OurSide, During: tx.stage.String()}
		tx.stage = over
		tx.end()
	}
}

// begin looks for the first bytes of a request and starts a transaction when they are there.
func (c *client) begin() bool {
	if c.in != nil && !c.in.empty() {
		c.start()
		return true
	}
	err := c.receive()
	if err == nil {
		c.start()
		return true
	}
	c.tidy()
	switch {
	case err != loop.ErrAgain:
		c.left(err)
	case c.expired() || c.worker.leaving:
		c.close()
	}
	return false
}

// receive reads behind what the client's buffer holds, lending one if it has none.
func (c *client) receive() error {
	if c.in == nil {
		c.in = c.worker.buffers.head()
	}
	n, err := c.fd.Read(c.in.room())
	c.in.w += n
	return err
}

// tidy gives an empty buffer back.
func (c *client) tidy() {
	if c.in != nil && c.in.empty() {
		c.worker.buffers.give(c.in)
		c.in = nil
	}
}

// left is called when a connection ended between requests. One that never asked anything
// is told to the log, as Squid does.
func (c *client) left(err error) {
	if c.served == 0 {
		c.start()
		c.tx.failure = &Failure{Kind: ClientGone, Side: ClientSide, During: reading.String(), Err: err}
		c.tx.stage = over
		c.tx.end()
	}
	c.close()
}

// start makes a transaction for the request that begins in the client's buffer.
func (c *client) start() {
	t := c.worker.newTransaction(c)
	c.tx = t
	c.served++
}

// rest is called when a transaction is over and the connection is kept.
func (c *client) rest() {
	c.tx = nil
	c.tidy()
	c.wait(c.worker.setup.config.Timeouts.clientIdle())
}

// part is called when the last transaction is over and the connection is not kept. If the
// client may still be sending, the rest is read before the connection is closed.
func (c *client) part(unread bool) {
	c.tx = nil
	c.worker.buffers.give(c.in)
	c.in = nil
	if !unread || c.fd.Broken() || c.fd.PeerDone() || c.fd.CloseWrite() != nil {
		c.close()
		return
	}
	c.phase = lingering
	c.wait(lingerTime)
	c.linger()
}

// linger throws away what the client still sends, until it closes or the time is up.
func (c *client) linger() {
	sink := c.worker.buffers.relay()
	defer c.worker.buffers.give(sink)
	for moved := 0; moved < pumpBudget; {
		n, err := c.fd.Read(sink.b)
		moved += n
		if err == loop.ErrAgain && !c.expired() {
			return
		}
		if err != nil {
			c.close()
			return
		}
	}
	if c.expired() {
		c.close()
		return
	}
	c.waker.Wake()
}

// wait sets the deadline of what the client waits for, bounded by its lifetime.
func (c *client) wait(d time.Duration) {
	now := c.worker.loop.Now()
	if left := c.ends.Sub(now); d > left {
		d = max(left, 0)
	}
	c.deadline = now.Add(d)
	c.timer.Set(d)
}

// wakeIn wakes the client before its deadline, if d is sooner.
func (c *client) wakeIn(d time.Duration) {
	if left := c.deadline.Sub(c.worker.loop.Now()); d < left {
		c.timer.Set(max(d, 0))
	}
}

// expired says whether the deadline has passed.
func (c *client) expired() bool {
	return c.timer.Expired() && !c.worker.loop.Now().Before(c.deadline)
}

// close ends the connection and the client.
func (c *client) close() {
	if c.phase == gone {
		return
	}
	c.phase = gone
	c.fd.Close()
	c.timer.Clear()
	c.waker.Retire()
	c.worker.buffers.give(c.in)
	c.in = nil
	c.worker.parted(c)
}

// grow makes room for more of a head. It returns false if size bytes are there already.
func (c *client) grow(size int) bool {
	if len(c.in.bytes()) >= size {
		return false
	}
	if c.in.compact(); len(c.in.room()) == 0 {
		c.in = c.worker.buffers.grow(c.in)
	}
	return true
}

// consumed drops n bytes from the front of the client's buffer.
func (c *client) consumed(n int) { c.in.r += n }

// eof says whether err is the orderly end of a stream.
func eof(err error) bool { return err == io.EOF }

// abandon ends the client and what it has in hand, at the end of the worker's patience.
func (c *client) abandon() {
	c.drop(ShuttingDown)
	c.close()
}
