package dnsasync

import (
	"encoding/binary"
	"errors"
	"time"

	"exaproxy/engine/canary"
	"exaproxy/engine/loop"
)

// A stream is a TCP connection to a name server, for what does not fit a datagram
// (RFC 7766). Queries are sent as they come, replies may have any order.
type stream struct {
	server  *server
	fd      *loop.FD
	waker   *loop.Waker
	timer   *loop.Timer
	out     []byte // to be written
	in      []byte // read, and not a complete message yet
	waiting int    // queries
	replies int
}

const (
	streamTimeout     = 10 * time.Second // that a server may be silent while queries wait
	streamIdleTimeout = 5 * time.Second  // without queries until the stream is closed
	lengthSize        = 2                // RFC 1035 section 4.2.2
	firstInput        = 2048
	maxReads          = 16 // in one run
)

var errSilent = errors.New("no answer by TCP in time")

func newStream(s *server) (*stream, error) {
	l := s.resolver.loop
	t := &stream{server: s}
	t.waker = l.NewWaker(t)
	fd, err := l.Dial(loop.DialSpec{Type: loop.Stream, Remote: s.addr}, t.waker)
	if err != nil {
		return nil, err
	}
	t.fd, t.timer = fd, l.NewTimer(t.waker)
	return t, nil
}

// send queues a message. It does not prolong the timeout of replies that are due.
func (t *stream) send(message []byte) {
	if t.waiting == 0 {
		t.timer.Set(streamTimeout)
	}
	t.waiting++
	t.out = binary.BigEndian.AppendUint16(t.out, uint16(len(message)))
	t.out = append(t.out, message...)
	t.waker.Wake()
}

// Run writes and reads as much as possible.
func (t *stream) Run() {
	switch err := t.progress(); {
	case err == nil || err == loop.ErrAgain:
		return
	case t.waiting == 0:
		t.retire()
	default:
		t.fail(err)
	}
}

// progress goes as far as possible; an error other than ErrAgain is the end.
func (t *stream) progress() error {
	if t.timer.Expired() {
		return errSilent
	}
	done, err := t.fd.Connected()
	if !done || err != nil {
		return err
	}
	if err := t.write(); err != nil && err != loop.ErrAgain {
		return err
	}
	return t.read()
}

func (t *stream) write() error {
	if len(t.out) == 0 {
		return nil
	}
	n, err := t.fd.Write(t.out)
	t.out = t.out[:copy(t.out, t.out[n:])]
	canary.Spoil(t.out[len(t.out):], canary.Query, 0)
	return err
}

func (t *stream) read() error {
	for range maxReads {
		t.in = withRoom(t.in)
		n, err := t.fd.Read(t.in[len(t.in):cap(t.in)])
		if err != nil {
			return err
		}
		t.in = t.in[:len(t.in)+n]
		t.receive()
	}
	t.waker.Wake()
	return nil
}

// withRoom returns a buffer that has room for the message that has begun in it.
func withRoom(in []byte) []byte {
	size := firstInput
	if len(in) >= lengthSize {
		size = max(size, lengthSize+int(binary.BigEndian.Uint16(in)))
	}
	if cap(in) >= size {
		return in
	}
	return append(make([]byte, 0, size), in...)
}

// receive handles the messages that are complete.
func (t *stream) receive() {
	rest := t.in
	for len(rest) >= lengthSize {
		end := lengthSize + int(binary.BigEndian.Uint16(rest))
		if len(rest) < end {
			break
		}
		t.handleMessage(rest[lengthSize:end])
		rest = rest[end:]
	}
	t.in = t.in[:copy(t.in, rest)]
	canary.Spoil(t.in[len(t.in):], canary.Stream, 0)
}

func (t *stream) handleMessage(message []byte) {
	s := t.server
	p := s.queryFor(message)
	if p == nil || p.tries[s.index].stream != t {
		s.drop()
		return
	}
	t.replies++
	s.receive(p, message, byTCP)
	if t.waiting == 0 {
		t.timer.Set(streamIdleTimeout)
	} else {
		t.timer.Set(streamTimeout)
	}
}

// fail ends a stream by which replies are expected. A server may close one after a reply
// (RFC 7766 section 6.2.3), and is then asked for the others by another stream; one that
// never replied has failed.
func (t *stream) fail(err error) {
	s := t.server
	t.retire()
	useful := t.replies > 0 && err != errSilent
	if !useful {
		s.recordFailure(byTCP, err)
	}
	for _, p := range s.resolver.waiting() {
		try := &p.tries[s.index]
		if try.stream != t {
			continue
		}
		try.stream = nil
		if !useful || s.askByTCP(p) != nil {
			p.serverFailed(s)
		}
	}
}

// retire closes the stream; the next query by TCP makes another.
func (t *stream) retire() {
	t.server.stream = nil
	t.close()
}

func (t *stream) close() {
	t.fd.Close()
	t.timer.Clear()
	t.waker.Retire()
}
