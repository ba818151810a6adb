package tlsend

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"exaproxy/engine/loop"
)

const (
	// maxReceived is how many bytes of a handshake are read before crypto/tls takes them.
	maxReceived = 64 << 10
	// maxHandshake is how many bytes of a handshake are taken from a peer, as long as OpenSSL takes a chain of
	// certificates of 100 KB. What is longer than usualHandshake counts for all that go on, since it is kept, as
	// read and as understood, for as long as the connection: of those no more than maxLong is taken.
	maxHandshake   = 128 << 10
	usualHandshake = 16 << 10
	maxLong        = 32 << 20
	// maxUnsent is how many bytes may wait to be sent before nothing more is read: answers to key
	// updates come while reading (RFC 8446, section 4.6.3).
	maxUnsent = 64 << 10
)

// A link is what crypto/tls reads from and writes to.
type link struct {
	fd    *loop.FD // used on the loop only
	queue Queue

	mu      sync.Mutex // of the handshake: the fields below are shared until it is over
	shaking bool
	in      []byte          // received, and not yet read
	end     error           // what follows it; nil: more may come
	full    bool            // no more is read until some of in is
	arrived chan struct{}   // one signal: in or end has changed
	poke    func()          // has the loop look: there is output, or room
	last    [alertSize]byte // of what was received
	first   [headSize]byte  // of what was received: the beginning of a record's header
	begun   int             // how much of that is there

	out []byte // written, and not yet sent

	taken int  // bytes that crypto/tls has taken during the handshake
	long  int  // of those, what counts
	over  bool // nothing of them does any more
}

// long is what all connections have taken beyond usualHandshake.
var long atomic.Int64

var (
	errLongHandshake  = errors.New("the handshake is too long")
	errLongHandshakes = errors.New("there are too many long handshakes")
)

// take counts n bytes of the handshake. mu is held.
func (l *link) take(n int) error {
	if l.over {
		return os.ErrClosed
	}
	l.taken += n
	beyond := max(l.taken-usualHandshake, 0) - l.long
	if beyond == 0 {
		return nil
	}
	l.long += beyond
	switch {
	case long.Add(int64(beyond)) > maxLong:
		return errLongHandshakes
	case l.taken > maxHandshake:
		return errLongHandshake
	}
	return nil
}

// giveBack counts the handshake no more, whose connection is over.
func (l *link) giveBack() {
	l.mu.Lock()
	defer l.mu.Unlock()
	long.Add(-int64(l.long))
	l.long, l.over = 0, true
}

// A Queue is those handshakes of which as many compute at once as there are processors; the others wait for
// their turn. Those of clients that anybody can make have a queue of their own, so that they keep nobody
// else waiting.
type Queue chan struct{}

// NewQueue makes a queue.
func NewQueue() Queue { return make(Queue, runtime.GOMAXPROCS(0)) }

func (l *link) turn() { l.queue <- struct{}{} }
func (l *link) pass() { <-l.queue }

// Read implements net.Conn.
func (l *link) Read(p []byte) (int, error) {
	if l.shaking {
		return l.wait(p)
	}
	if len(l.in) > 0 {
		n := copy(p, l.in)
		if l.in = l.in[n:]; len(l.in) == 0 {
			l.in = nil
		}
		return n, nil
	}
	switch {
	case l.end != nil:
		return 0, l.end
	case len(l.out) > maxUnsent:
		return 0, nothingNow{}
	}
	n, err := l.fd.Read(p)
	if err == loop.ErrAgain {
		err = nothingNow{}
	}
	return n, err
}

// wait reads during the handshake, on its goroutine. While it waits another may compute.
func (l *link) wait(p []byte) (int, error) {
	for {
		l.mu.Lock()
		if len(l.in) > 0 {
			n := copy(p, l.in)
			l.in = l.in[n:]
			full, err := l.full, l.take(n)
			l.full = false
			l.mu.Unlock()
			if full {
				l.poke()
			}
			return n, err
		}
		err := l.end
		l.mu.Unlock()
		if err != nil {
			return 0, err
		}
		l.pass()
		<-l.arrived
		l.turn()
	}
}

// Write implements net.Conn. It never fails: what becomes of the bytes is seen when they are sent.
func (l *link) Write(p []byte) (int, error) {
	if !l.shaking {
		l.out = append(l.out, p...)
		return len(p), nil
	}
	l.mu.Lock()
	l.out = append(l.out, p...)
	l.mu.Unlock()
	l.poke()
	return len(p), nil
}

// receive moves what has arrived to the handshake.
func (l *link) receive() {
	l.mu.Lock()
	defer l.mu.Unlock()
	part := getBuffer()
	defer putBuffer(part)
	for l.end == nil && len(l.in) < maxReceived {
		n, err := l.fd.Read(part[:cap(part)])
		l.in = append(l.in, part[:n]...)
		l.remember(part[:n])
		l.begins(part[:n])
		if err == loop.ErrAgain {
			break
		}
		l.end = err
	}
	l.full = len(l.in) >= maxReceived
	l.signal()
}

// alertSize is how long a record with an alert is that is not encrypted (RFC 8446, sections 5.1 and 6).
const alertSize = 7

// remember keeps the end of what was received.
func (l *link) remember(p []byte) {
	if n := len(p); n >= alertSize {
		copy(l.last[:], p[n-alertSize:])
	} else {
		copy(l.last[:], l.last[n:])
		copy(l.last[alertSize-n:], p)
	}
}

// headSize is how much of a record's header is kept: its type and its version (RFC 8446, section 5.1).
const headSize = 3

// begins keeps the beginning of what was received.
func (l *link) begins(p []byte) { l.begun += copy(l.first[l.begun:], p) }

// alert is the alert that was received last, in plaintext. OpenSSL sends it so before it has keys of its own, and to
// crypto/tls, which has them by then, it is a record that cannot be decrypted.
func (l *link) alert() (a tls.AlertError, ok bool) {
	const alertType, majorVersion, fatal = 21, 3, 2
	b := &l.last
	return tls.AlertError(b[6]), b[0] == alertType && b[1] == majorVersion && b[3] == 0 && b[4] == 2 && b[5] == fatal
}

// spoken says whether the peer has sent anything, or will not.
func (l *link) spoken() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.in) > 0 || l.end != nil
}

// stop ends the handshake, if it waits or will.
func (l *link) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.end == nil || l.end == io.EOF {
		l.end = os.ErrClosed
	}
	l.in = nil
	l.signal()
}

func (l *link) signal() {
	select {
	case l.arrived <- struct{}{}:
	default:
	}
}

// send sends what was written. It returns loop.ErrAgain if some of it is left.
func (l *link) send() error {
	if l.shaking {
		l.mu.Lock()
		defer l.mu.Unlock()
	}
	if len(l.out) == 0 {
		putBuffer(l.out)
		l.out = nil
		return nil
	}
	n, err := l.fd.Write(l.out)
	if n == len(l.out) {
		putBuffer(l.out)
		l.out = nil
		return nil
	}
	l.out = l.out[:copy(l.out, l.out[n:])]
	return err
}

// Close implements net.Conn. The descriptor is the Conn's.
func (l *link) Close() error { return nil }

// LocalAddr and RemoteAddr implement net.Conn; crypto/tls does not look at them.
func (l *link) LocalAddr() net.Addr  { return nil }
func (l *link) RemoteAddr() net.Addr { return nil }

// Deadlines are the owner's.

func (l *link) SetDeadline(time.Time) error      { return nil }
func (l *link) SetReadDeadline(time.Time) error  { return nil }
func (l *link) SetWriteDeadline(time.Time) error { return nil }

// nothingNow says that nothing has arrived. It is a temporary net.Error, for crypto/tls keeps all
// others.
type nothingNow struct{}

func (nothingNow) Error() string   { return "nothing has arrived" }
func (nothingNow) Timeout() bool   { return false }
func (nothingNow) Temporary() bool { return true }

var _ net.Error = nothingNow{}

// buffers are lent for what is about to be sent: the sealed records of one Write.
var buffers = sync.Pool{New: func() any { return new([sealed]byte) }}

// sealed is room for the records of maxPlain bytes.
const sealed = maxPlain + 2048

func getBuffer() []byte { return buffers.Get().(*[sealed]byte)[:0] }

func putBuffer(b []byte) {
	if cap(b) == sealed {
		buffers.Put((*[sealed]byte)(b[:sealed]))
	}
}
