package tlsend

import (
	"cmp"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"exaproxy/engine/loop"
)

// maxPlain is how many bytes are sealed before they are sent.
const maxPlain = 32 << 10

// lingerTime is how long a connection that was closed may take to send what it still has.
const lingerTime = 2 * time.Second

// phase is where in its life a Conn is.
type phase uint8

const (
	shaking phase = iota
	open
	failed  // the handshake
	closing // what is left is sent
	closed
)

// A Conn is TLS over a descriptor.
type Conn struct {
	loop  *loop.Loop
	waker *loop.Waker // the descriptor's
	timer *loop.Timer // of closing; nil before
	owner *loop.Waker
	tls   *tls.Conn
	link  link

	awaiting *tls.Config // a client's first bytes, for a handshake under it; nil once they have come

	phase      phase
	more       bool // crypto/tls may hold plaintext
	peerDone   bool // close_notify has come, or the end
	halfClosed bool
	drains     bool  // when it is closed
	broken     error // why nothing more can be sent
	err        error // of the handshake
}

// Server begins a handshake with a client. fd becomes the Conn's; received is what was read from it already.
// The owner is woken when the handshake is over.
func Server(l *loop.Loop, fd *loop.FD, received []byte, config *tls.Config, q Queue, owner *loop.Waker) *Conn {
	c := newConn(l, fd, q, owner)
	c.link.in = append([]byte(nil), received...)
	c.link.begins(received)
	c.awaiting = config
	return c
}

// Client begins a handshake with a server. fd becomes the Conn's.
// The owner is woken when the handshake is over.
func Client(l *loop.Loop, fd *loop.FD, config *tls.Config, q Queue, owner *loop.Waker) *Conn {
	c := newConn(l, fd, q, owner)
	c.begin(tls.Client(&c.link, config))
	return c
}

func newConn(l *loop.Loop, fd *loop.FD, q Queue, owner *loop.Waker) *Conn {
	c := &Conn{loop: l, owner: owner}
	c.waker = l.NewWaker(c)
	c.link = link{fd: fd, queue: q, shaking: true, arrived: make(chan struct{}, 1)}
	c.link.poke = func() { l.Post(c.Run) }
	fd.SetWaker(c.waker)
	c.waker.Wake() // what has arrived meanwhile
	return c
}

// hear begins a server's handshake with the first that its client says. One that is silent costs neither a
// goroutine nor what crypto/tls keeps.
func (c *Conn) hear() {
	c.link.receive()
	if c.awaiting != nil && c.link.spoken() {
		c.begin(tls.Server(&c.link, c.awaiting))
		c.awaiting = nil
	}
}

// begin starts the handshake.
func (c *Conn) begin(over *tls.Conn) {
	c.tls = over
	go c.shake()
}

// shake is the goroutine of the handshake.
func (c *Conn) shake() {
	err := c.compute()
	c.loop.Post(func() { c.shaken(err) })
}

// compute has crypto/tls shake hands. What the peer has sent is none of the program's business: a panic
// about it ends the handshake alone.
func (c *Conn) compute() (err error) {
	c.link.turn()
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("a fault of ours in the handshake: %v", fault)
		}
		c.link.pass()
	}()
	return c.tls.Handshake()
}

// shaken is called when the handshake is over.
func (c *Conn) shaken(err error) {
	c.link.shaking = false
	switch {
	case c.phase == closed:
		return // and so is the descriptor
	case err != nil:
		if alert, ok := c.link.alert(); ok {
			err = &net.OpError{Op: "remote error", Err: alert}
		}
		c.phase, c.err = failed, err
	default:
		c.phase, c.more = open, true
	}
	c.send()
	c.owner.Wake()
}

// Run does what the descriptor has become ready for, and wakes the owner.
func (c *Conn) Run() {
	switch c.phase {
	case shaking:
		c.hear()
		c.send()
		return
	case closing:
		c.finish()
		return
	case closed:
		return
	}
	c.send()
	c.owner.Wake()
}

// send sends what crypto/tls has written.
func (c *Conn) send() {
	if c.phase == closed {
		return
	}
	if err := c.link.send(); err != nil && err != loop.ErrAgain && c.broken == nil {
		c.broken = err
	}
}

// Handshake says how the handshake went: loop.ErrAgain until it is over. All else may be used when it
// returns nil.
func (c *Conn) Handshake() error {
	switch c.phase {
	case shaking:
		return loop.ErrAgain
	case open:
		return nil
	case failed:
		return c.err
	}
	return os.ErrClosed
}

// RecordVersion is the version of the first record that the peer has sent; 0 if it has sent none. It may be asked
// when the handshake is over.
func (c *Conn) RecordVersion() uint16 {
	if c.link.begun < headSize {
		return 0
	}
	return binary.BigEndian.Uint16(c.link.first[1:])
}

// State is what was agreed on.
func (c *Conn) State() tls.ConnectionState { return c.tls.ConnectionState() }

// Read implements engine.End. During the handshake there is nothing yet, and after one that failed its error.
func (c *Conn) Read(p []byte) (int, error) {
	if c.phase != open {
		return 0, cmp.Or(c.Handshake(), os.ErrClosed)
	}
	if !c.Readable() {
		return 0, loop.ErrAgain
	}
	n, err := c.open(p)
	c.send()                               // answers to key updates
	c.more = !errors.Is(err, nothingNow{}) // of the same record, or of one that has arrived with it; or the end
	switch {
	case n > 0:
		return n, nil
	case !c.more:
		return 0, loop.ErrAgain
	}
	c.peerDone = true
	if err == nil { // p is empty
		return 0, nil
	}
	return 0, err
}

// recordsAtOnce is how many records one Read opens at most. Whoever sends many small ones has them passed on together,
// and does not keep others waiting for long.
const recordsAtOnce = 32

// open reads what has arrived, as much as p holds.
func (c *Conn) open(p []byte) (n int, err error) {
	for range recordsAtOnce {
		got, err := c.tls.Read(p[n:])
		if n += got; err != nil || n == len(p) {
			return n, err
		}
	}
	return n, nil
}

// Write implements engine.End.
func (c *Conn) Write(p []byte) (int, error) {
	written := 0
	for written < len(p) {
		if err := c.room(); err != nil {
			return written, err
		}
		n, err := c.seal(p[written:min(len(p), written+maxPlain)])
		written += n
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// room looks whether what was written before is sent.
func (c *Conn) room() error {
	switch {
	case c.phase != open || c.halfClosed:
		return os.ErrClosed
	case len(c.link.out) > 0:
		c.send()
	}
	switch {
	case c.broken != nil:
		return c.broken
	case len(c.link.out) > 0:
		return loop.ErrAgain
	}
	return nil
}

// seal writes plaintext and sends its records, as far as they are taken. The rest is sent when there is
// room.
func (c *Conn) seal(plain []byte) (int, error) {
	c.link.out = getBuffer()
	n, err := c.tls.Write(plain)
	c.send()
	if err == nil {
		err = c.broken
	}
	return n, err
}

// Writev implements engine.End. Small pieces go out as one record.
func (c *Conn) Writev(p [][]byte) (int, error) {
	all := 0
	for _, piece := range p {
		all += len(piece)
	}
	if all <= maxPlain {
		together := getBuffer()
		for _, piece := range p {
			together = append(together, piece...)
		}
		n, err := c.Write(together)
		putBuffer(together)
		return n, err
	}
	written := 0
	for _, piece := range p {
		n, err := c.Write(piece)
		written += n
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// CloseWrite implements engine.End, by close_notify (RFC 8446, section 6.1).
func (c *Conn) CloseWrite() error {
	if c.phase != open || c.halfClosed {
		return nil
	}
	c.halfClosed = true
	err := c.tls.CloseWrite()
	c.send()
	return err
}

// Close implements engine.End. What is left to be sent, and close_notify, goes on being sent for a while.
func (c *Conn) Close() {
	switch c.phase {
	case closing, closed:
		return
	case shaking:
		c.release().Close()
		return
	}
	c.CloseWrite()
	c.drains = c.phase == failed
	c.phase, c.owner = closing, nil
	c.timer = c.loop.NewTimer(c.waker)
	c.timer.Set(lingerTime)
	c.finish()
}

// finish closes the descriptor once all is sent, or cannot be.
func (c *Conn) finish() {
	c.send()
	switch {
	case c.broken != nil || c.timer.Expired():
	case len(c.link.out) > 0, c.drains && !c.drained():
		return
	}
	c.release().Close()
}

// drainAtOnce is how often one play reads what is thrown away.
const drainAtOnce = 8

// drained throws away what a peer goes on to send whose handshake failed, and says whether it has ended. A
// descriptor that is closed while bytes wait unread is reset, and that may overtake the alert which says why.
func (c *Conn) drained() bool {
	if !c.halfClosed {
		c.halfClosed = true
		c.link.fd.CloseWrite()
	}
	part := getBuffer()
	defer putBuffer(part)
	for range drainAtOnce {
		if _, err := c.link.fd.Read(part[:cap(part)]); err != nil {
			return err != loop.ErrAgain
		}
	}
	c.waker.Wake()
	return false
}

// Reset implements engine.End.
func (c *Conn) Reset() {
	if c.phase != closed {
		c.release().Reset()
	}
}

// release ends the Conn's life and returns the descriptor, to be closed.
func (c *Conn) release() *loop.FD {
	if c.phase == shaking {
		c.link.stop()
	} else {
		putBuffer(c.link.out)
		c.link.out = nil
	}
	c.link.giveBack()
	c.phase, c.owner = closed, nil
	c.timer.Clear()
	c.waker.Retire()
	return c.link.fd
}

// Readable implements engine.End.
func (c *Conn) Readable() bool {
	return c.phase == open && (c.more || len(c.link.in) > 0 || c.link.fd.Readable())
}

// PeerDone implements engine.End.
func (c *Conn) PeerDone() bool { return c.peerDone || c.link.fd.PeerDone() }

// Broken implements engine.End.
func (c *Conn) Broken() bool { return c.broken != nil || c.link.fd.Broken() }

// SetWaker implements engine.End.
func (c *Conn) SetWaker(w *loop.Waker) { c.owner = w }

// Descriptor implements engine.End: nothing can be moved past TLS.
func (c *Conn) Descriptor() (sys int, ok bool) { return -1, false }

var _ io.ReadWriter = (*Conn)(nil)
