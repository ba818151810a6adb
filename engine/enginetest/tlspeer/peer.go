package tlspeer

import (
	"crypto/tls"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// A Peer is one side of a TLS connection. Its goroutine shakes hands and then reads, until End.
type Peer struct {
	tls   *tls.Conn
	first []byte

	mu    sync.Mutex
	moved sync.Cond // in or ended has changed
	in    []byte    // has arrived
	ended bool      // and nothing follows it
	out   []byte    // is to leave
	plain []byte    // was said to it
	state State
	err   error
}

// A State is how far a Peer has come.
type State uint8

const (
	Shaking State = iota // hands, with the other side
	Open
	Over // the handshake has failed, or the other side has finished
)

// Client begins a handshake with a server. first is what it says with the end of the handshake.
func Client(c *tls.Config, first ...byte) *Peer {
	return begin(func(w wire) *tls.Conn { return tls.Client(w, c) }, first...)
}

// Server begins a handshake with a client.
func Server(c *tls.Config) *Peer {
	return begin(func(w wire) *tls.Conn { return tls.Server(w, c) })
}

func begin(side func(wire) *tls.Conn, first ...byte) *Peer {
	p := &Peer{first: first}
	p.moved.L = &p.mu
	p.tls = side(wire{p})
	go p.run()
	return p
}

func (p *Peer) run() {
	if err := p.tls.Handshake(); err != nil {
		p.enter(Over, err)
		return
	}
	p.tls.Write(p.first)
	p.enter(Open, nil)
	var part [16 << 10]byte
	for {
		n, err := p.tls.Read(part[:])
		p.mu.Lock()
		p.plain = append(p.plain, part[:n]...)
		p.mu.Unlock()
		if err != nil {
			p.enter(Over, err)
			return
		}
	}
}

func (p *Peer) enter(s State, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state, p.err = s, err
}

// State says how far it has come, and why it came no further.
func (p *Peer) State() (State, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state, p.err
}

// Agreed is what the handshake has led to.
func (p *Peer) Agreed() tls.ConnectionState { return p.tls.ConnectionState() }

// Arrive gives it bytes of the other side's.
func (p *Peer) Arrive(b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.in = append(p.in, b...)
	p.moved.Signal()
}

// End tells it that nothing more arrives.
func (p *Peer) End() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	p.moved.Signal()
}

// Leave takes the bytes that are for the other side.
func (p *Peer) Leave() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.out
	p.out = nil
	return b
}

// Write says something to the other side. The handshake is over.
func (p *Peer) Write(b []byte) (int, error) { return p.tls.Write(b) }

// CloseWrite says that nothing more is said.
func (p *Peer) CloseWrite() error { return p.tls.CloseWrite() }

// Heard takes what the other side has said.
func (p *Peer) Heard() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.plain
	p.plain = nil
	return b
}

// A wire is what crypto/tls reads from and writes to.
type wire struct{ p *Peer }

func (w wire) Read(b []byte) (int, error) {
	w.p.mu.Lock()
	defer w.p.mu.Unlock()
	for len(w.p.in) == 0 {
		if w.p.ended {
			return 0, io.EOF
		}
		w.p.moved.Wait()
	}
	n := copy(b, w.p.in)
	w.p.in = w.p.in[n:]
	return n, nil
}

func (w wire) Write(b []byte) (int, error) {
	w.p.mu.Lock()
	defer w.p.mu.Unlock()
	w.p.out = append(w.p.out, b...)
	return len(b), nil
}

func (wire) Close() error                     { return nil }
func (wire) LocalAddr() net.Addr              { return nil }
func (wire) RemoteAddr() net.Addr             { return nil }
func (wire) SetDeadline(time.Time) error      { return os.ErrNoDeadline }
func (wire) SetReadDeadline(time.Time) error  { return os.ErrNoDeadline }
func (wire) SetWriteDeadline(time.Time) error { return nil } // crypto/tls sets one for close_notify
