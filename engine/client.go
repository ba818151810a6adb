package engine

import (
	"io"
	"net/netip"
	"time"

	"exaproxy/engine/canary"
	"exaproxy/engine/loop"
	"exaproxy/engine/tlsend"
)

// A client is one accepted connection: its lifetime, its rest between requests, and the bytes of
// what is parsed next. During a request a transaction has the descriptor's wakes; between requests
// the client is the task, and has neither a transaction nor a buffer. It belongs to its worker.
type client struct {
	worker   *worker
	listener *listener // that has accepted it
	fd       *loop.FD  // the socket
	end      End       // what bytes travel through: the socket, or what is spoken over it
	waker    *loop.Waker
	timer    *loop.Timer // of rest and lingering

	ends       time.Time // of its lifetime (client_lifetime)
	connection Connection
	bound      netip.AddrPort // of the port
	tls        *SeenTLS       // of the tunnel that its CONNECT asked for; nil: nobody has looked
	stateOf    *setup         // whose policy connection.State belongs to; nil: there is none

	in     *buffer // received and not yet consumed; during a transaction its head is in front
	tx     *transaction
	served int // requests

	owner   uint64 // by which its own connections to next hops are known; 0: it has none
	shaking bool   // the handshake of an https_port is not over
	counted bool   // other workers know of it
	phase   phase

	next, previous *client
}

// A phase is what a client does while it has no transaction.
type phase uint8

const (
	idling     phase = iota // waits for a request
	announcing              // has to say first, by a PROXY header, for whom it has connected
	lingering               // its last reply was sent; what it still sends is thrown away
	gone                    // closed
)

// lingerTime bounds lingering. A connection that is closed while bytes wait unread is reset,
// and the reset may overtake the reply (RFC 9112, section 9.6).
const lingerTime = 2 * time.Second

// Run is called when anything happened that concerns the client between its requests.
func (c *client) Run() {
	defer c.recoverFault()
	c.borrows()
	c.serve()
}

// borrows has buffers that are lent from now on marked as the client's, in a canary build.
func (c *client) borrows() {
	if canary.On {
		c.worker.buffers.borrower = canary.Owner(c.connection.Client.Port(), c.served)
	}
}

// serve begins one transaction after the other, until one waits or there is nothing to begin.
func (c *client) serve() {
	for c.phase != gone && c.tx == nil {
		switch c.phase {
		case lingering:
			c.linger()
			return
		case announcing:
			if !c.announced() {
				return
			}
		}
		if !c.begin() {
			return
		}
		c.tx.advance()
	}
}

// recoverFault makes a fault of ours cost one transaction and not the program.
func (c *client) recoverFault() {
	fault := recover()
	if fault == nil {
		return
	}
	c.worker.reportFault("a fault of ours ended a transaction; please report it", fault, "client", c.connection.Client.String())
	defer c.close()
	defer func() { recover() }() // a second fault leaves what the first had left; it was logged
	c.endTransaction(Internal)
}

// endTransaction ends the transaction in hand, if there is one, for a reason of ours.
func (c *client) endTransaction(why FailureKind) {
	if tx := c.tx; tx != nil {
		c.borrows()
		tx.keepClient = false
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
	c.putIfEmpty()
	c.watchHandshake()
	switch {
	case err != loop.ErrAgain:
		c.disconnected(err)
	case c.timer.Expired() && c.served == 0 && c.mayBeForeign() && !c.worker.leaving:
		c.start()
		return true
	case c.timer.Expired() || c.worker.leaving:
		c.close()
	}
	return false
}

// waitForRequest sets how long the client may take to its first request; for a PROXY header and the handshake before it
// there is less time, since that costs memory that the peer determines.
func (c *client) waitForRequest() {
	d := c.worker.setup.config.Timeouts.requestStart()
	if c.shaking || c.phase == announcing {
		d = min(d, handshakeTime)
	}
	c.wait(d)
}

// watchHandshake looks whether the handshake is over.
func (c *client) watchHandshake() {
	if conn, ok := c.end.(*tlsend.Conn); c.shaking && ok && conn.Handshake() != loop.ErrAgain {
		c.shaking = false
		c.waitForRequest()
	}
}

// receive reads behind what the client's buffer holds, lending one if it has none.
func (c *client) receive() error {
	if c.in == nil {
		c.in = c.worker.buffers.head()
	}
	n, err := c.end.Read(c.in.room())
	c.in.w += n
	return err
}

// putIfEmpty gives an empty buffer back.
func (c *client) putIfEmpty() {
	if c.in != nil && c.in.empty() {
		c.worker.buffers.put(c.in)
		c.in = nil
	}
}

// disconnected is called when a connection ended between requests. One that never asked anything
// is recorded, as Squid does.
func (c *client) disconnected(err error) {
	if c.served == 0 {
		c.start()
		c.tx.noteFailure(c.unheard(err)) // for the log
		c.tx.stage = over
		c.tx.end()
	}
	c.close()
}

// start makes a transaction for the request that begins in the client's buffer.
func (c *client) start() {
	if c.stateOf != nil && c.stateOf != c.worker.setup {
		c.dropState() // it is a replaced policy's, and means nothing to the present one
	}
	c.served++
	c.borrows()
	c.tx = c.worker.newTransaction(c)
}

// goIdle is called when a transaction is over and the connection is kept.
func (c *client) goIdle() {
	c.end.SetWaker(c.waker)
	c.putIfEmpty()
	c.wait(c.worker.setup.config.Timeouts.clientIdle())
}

// closeAfterLast is called when the last transaction is over and the connection is not kept. If the
// client may still be sending, the rest is read before the connection is closed.
func (c *client) closeAfterLast(unread bool) {
	c.end.SetWaker(c.waker)
	c.worker.buffers.put(c.in)
	c.in = nil
	if !unread || c.end.Broken() || c.end.PeerDone() || c.end.CloseWrite() != nil {
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
	defer c.worker.buffers.put(sink)
	for moved := 0; moved < pumpBudget; {
		n, err := c.end.Read(sink.b)
		moved += max(n, leastRead)
		if err == loop.ErrAgain && !c.timer.Expired() {
			return
		}
		if err != nil {
			c.close()
			return
		}
	}
	if c.timer.Expired() {
		c.close()
		return
	}
	c.waker.WakeNextTurn()
}

// wait sets how long the client may rest or linger, within its lifetime.
func (c *client) wait(d time.Duration) { c.timer.Set(c.within(d, c.worker.loop.Now())) }

// within is d, or what is left of the client's lifetime if that is less.
func (c *client) within(d time.Duration, now time.Time) time.Duration {
	return max(min(d, c.ends.Sub(now)), 0)
}

// holdState notes whose policy keeps something with the connection, which has to be told of its end.
func (c *client) holdState(s *setup) {
	switch {
	case c.connection.State != nil && c.stateOf == nil:
		c.stateOf = s
		s.uses++
	case c.connection.State == nil && c.stateOf != nil:
		c.dropState()
	}
}

// dropState gives what is kept with the connection back to the policy that kept it.
func (c *client) dropState() {
	s := c.stateOf
	if s == nil {
		return
	}
	c.stateOf = nil
	if c.connection.State != nil {
		s.policy.Disconnected(&c.connection)
		c.connection.State = nil
	}
	c.worker.done(s)
}

// close ends the connection and the client.
func (c *client) close() {
	if c.phase == gone {
		return
	}
	c.phase = gone
	c.end.Close()
	c.uncount()
	c.timer.Clear()
	c.waker.Retire()
	c.worker.buffers.put(c.in)
	c.in = nil
	c.dropState()
	c.worker.idle.dropOwned(c.owner)
	c.worker.removeClient(c)
}

// grow makes room for more of a head. It returns false if size bytes are there already.
func (c *client) grow(size int) bool {
	if len(c.in.bytes()) >= size {
		return false
	}
	if len(c.in.room()) == 0 || c.in.empty() {
		c.in.moveDown()
	}
	if len(c.in.room()) == 0 {
		c.in = c.worker.buffers.grow(c.in)
	}
	return true
}

// consumed drops n bytes from the front of the client's buffer.
func (c *client) consumed(n int) { c.in.r += n }

// eof says whether err is the orderly end of a stream.
func eof(err error) bool { return err == io.EOF }

// closeNow ends the client and what it has in hand, when the worker waits no longer.
func (c *client) closeNow() {
	c.endTransaction(ShuttingDown)
	c.close()
}
