package dnsasync

import (
	"time"

	"exaproxy/engine/canary"
	"exaproxy/engine/loop"
)

// A socket sends datagrams to one server and receives its replies. It is connected, so that
// the kernel drops what others send, and reports when the server refuses. Its port is
// random; a new socket replaces it now and then, so that a port does not become known
// (RFC 5452 section 9.2).
type socket struct {
	server  *server
	fd      *loop.FD
	waker   *loop.Waker
	opened  time.Time
	sent    int // datagrams
	replies int
	strays  int // messages that were no reply
	waiting int // queries
}

const (
	maxSent      = 1000
	maxAge       = time.Minute
	maxDraining  = 4  // sockets of a server that wait for their last replies
	maxDatagrams = 64 // read in one run
	// maxStrays is how many messages more than it was sent a server may seem to send: networks repeat datagrams.
	maxStrays = 16
)

func newSocket(s *server) (*socket, error) {
	l := s.resolver.loop
	k := &socket{server: s, opened: l.Now()}
	k.waker = l.NewWaker(k)
	fd, err := l.Dial(loop.DialSpec{Type: loop.Datagram, Remote: s.addr}, k.waker)
	if err != nil {
		return nil, err
	}
	k.fd = fd
	k.waker.Wake() // it is presumed readable, and gives no edge before ErrAgain
	return k, nil
}

// send sends a datagram to the server, by a new socket if it is time for one.
func (s *server) send(message []byte) (*socket, error) {
	if k := s.socket; k != nil && k.expired() {
		s.retire(k)
	}
	if k := s.socket; k != nil {
		// An error here is about an earlier datagram; this one was not sent.
		if err := k.write(message); err == nil {
			return k, nil
		} else {
			k.fail(err)
		}
	}
	k, err := newSocket(s)
	if err != nil {
		return nil, err
	}
	if err := k.write(message); err != nil {
		k.close()
		return nil, err
	}
	s.socket = k
	return k, nil
}

// expired reports whether another socket should replace it.
func (k *socket) expired() bool {
	age := k.server.resolver.loop.Now().Sub(k.opened)
	return (k.sent >= maxSent || age >= maxAge) && k.server.draining < maxDraining
}

// retire lets no more datagrams be sent by k. It is closed when the last reply is there.
func (s *server) retire(k *socket) {
	s.socket = nil
	if k.waiting == 0 {
		k.close()
		return
	}
	s.draining++
}

func (k *socket) write(message []byte) error {
	k.sent++
	_, err := k.fd.Write(message)
	if err == loop.ErrAgain {
		return nil // lost, as datagrams may be
	}
	return err
}

// Run reads the replies that have come.
func (k *socket) Run() {
	input := k.server.resolver.input
	for range maxDatagrams {
		n, err := k.fd.Read(input)
		if err == loop.ErrAgain {
			return
		}
		if err != nil {
			k.fail(err)
			return
		}
		k.receive(input[:n])
		canary.Spoil(input[:n:n], canary.Datagram, 0)
		if !k.fd.Open() {
			return // it was draining, and this was the last
		}
	}
	k.waker.Wake()
}

func (k *socket) receive(message []byte) {
	p := k.server.queryFor(message)
	if p == nil || p.tries[k.server.index].socket != k {
		k.server.drop()
		k.server.recordSign(message)
		k.stray()
		return
	}
	if k.server.receive(p, message, byUDP) {
		k.replies++
	} else {
		k.stray()
	}
}

// stray counts a message that was no reply. A server sends as many messages as it was sent, those for queries that are over
// among them. Whoever sends more guesses at identifiers: the port is known, and given up (RFC 5452 section 9.3).
func (k *socket) stray() {
	k.strays++
	late := k.sent - k.replies - k.waiting
	if k.strays > max(late, 0)+maxStrays {
		k.server.recordForgery()
		k.abandon(func(p *query) { p.evade(k.server) })
	}
}

// fail closes the socket, because the kernel reports that the server cannot be reached, and
// sends the queries that wait for a reply to the next server.
func (k *socket) fail(err error) {
	k.server.recordFailure(byUDP, err)
	k.abandon(func(p *query) { p.serverFailed(k.server) })
}

// abandon closes the socket, and then does something with the queries that wait for a reply by it.
func (k *socket) abandon(then func(*query)) {
	s := k.server
	if s.socket == k {
		s.socket = nil
	} else {
		s.draining--
	}
	k.close()
	for _, p := range s.resolver.waiting() {
		if try := &p.tries[s.index]; try.socket == k {
			try.socket = nil
			then(p)
		}
	}
}

// queryDone records that one query less waits for a reply.
func (k *socket) queryDone() {
	k.waiting--
	if k.waiting == 0 && k.server.socket != k && k.fd.Open() {
		k.server.draining--
		k.close()
	}
}

func (k *socket) close() {
	k.fd.Close()
	k.waker.Retire()
}
