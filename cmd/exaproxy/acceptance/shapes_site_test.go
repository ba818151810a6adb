package acceptance

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// What ends the bodies of the requests around a shape. A client that has read sayingOf(second) has been answered on the same connection.
const (
	warm   = "warm"
	first  = "first"
	second = "second"
)

func sayingOf(path string) string { return "<<" + path + ">>" }

// sites are the origins of a world of shapes: one listener, which is another server at each address of 127.0.0.0/8. Each writes
// down every byte that it receives.
type sites struct {
	t       testing.TB
	l       net.Listener
	mu      sync.Mutex
	heard   map[string][]*heard // by the server's address, what came on each of its connections
	replies map[string]siteReply
	plain   map[string]func(string) string // how what is not the same twice is told, by address
	serving sync.WaitGroup
	ready   chan struct{} // closed when the maps are filled
	last    chan struct{} // closed when the last connection was accepted
}

// A heard is what came on one connection.
type heard struct {
	text     string
	requests []wire
}

// A siteReply is what a server sends as its answer to the first request that is not for what we know.
type siteReply struct {
	raw  string
	ends bool // it closes the connection behind it
}

func newSites(t testing.TB) *sites {
	t.Helper()
	l, err := net.Listen("tcp4", "0.0.0.0:0") // all of 127.0.0.0/8
	if err != nil {
		t.Fatal(err)
	}
	s := &sites{t: t, l: l, heard: map[string][]*heard{}, replies: map[string]siteReply{}, plain: map[string]func(string) string{}, ready: make(chan struct{}), last: make(chan struct{})}
	go s.accept()
	t.Cleanup(func() { l.Close() })
	return s
}

func (s *sites) port() string {
	_, port, _ := net.SplitHostPort(s.l.Addr().String())
	return port
}

// lastCaller is the address of the connection that ends it all.
const lastCaller = "127.0.0.99"

func (s *sites) accept() {
	defer close(s.last)
	<-s.ready
	for {
		conn, err := s.l.Accept()
		if err != nil {
			return
		}
		at, _, _ := net.SplitHostPort(conn.LocalAddr().String())
		if s.plain[at] == nil { // nobody's
			conn.Close()
			if at == lastCaller {
				return
			}
			continue
		}
		heard := new(heard)
		s.mu.Lock()
		s.heard[at] = append(s.heard[at], heard)
		reply, plain := s.replies[at], s.plain[at]
		s.mu.Unlock()
		s.serving.Go(func() {
			said := serveSite(watchConn(s.t, "an origin", conn).(halfCloser), reply, plain)
			s.mu.Lock()
			*heard = said
			s.mu.Unlock()
		})
	}
}

// settle waits until everything was heard that the proxy, which has ended, has sent.
func (s *sites) settle() {
	s.t.Helper()
	conn, err := net.Dial("tcp", lastCaller+":"+s.port())
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	<-s.last // connections are accepted in their order
	s.l.Close()
	s.serving.Wait()
}

// at is what the server at an address has heard, connection by connection.
func (s *sites) at(address string) (text string, requests []wire) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, heard := range s.heard[address] {
		if text != "" && heard.text != "" {
			text += "(on another connection)\n"
		}
		text += heard.text
		requests = append(requests, heard.requests...)
	}
	return text, requests
}

// serveSite answers requests, and returns what it has heard.
func serveSite(conn halfCloser, reply siteReply, plain func(string) string) (h heard) {
	defer conn.Close()
	var in []byte
	buf := make([]byte, 64<<10)
	for {
		w, rest, ok := cutWire(in, "")
		if ok && w.whole {
			h.text += w.text(plain)
			h.requests = append(h.requests, w)
			in = bytes.Clone(rest)
			if ends := answerShape(conn, w, reply); !ends {
				continue
			}
			conn.CloseWrite()
			io.Copy(io.Discard, conn)
			return h
		}
		n, err := conn.Read(buf)
		in = append(in, buf[:n]...)
		switch {
		case err == nil:
			continue
		case ok: // how much of it has come depends on who is faster
			h.text += printable(plain(w.start)) + "\n(the rest does not come)\n"
		case len(in) > 0 && in[0] == '\x16':
			h.text += "(TLS)\n"
		case len(in) > 0:
			h.text += "(no request) " + printable(plain(string(in))) + "\n"
		}
		return h
	}
}

// answerShape answers one request, and says whether the connection is to end.
func answerShape(conn io.Writer, w wire, reply siteReply) (ends bool) {
	method, target, _ := strings.Cut(w.start, " ")
	target, _, _ = strings.Cut(target, " ")
	path := target[strings.LastIndexByte(target, '/')+1:]
	if path != warm && path != second {
		path = first
		if reply.raw != "" {
			io.WriteString(conn, reply.raw)
			return reply.ends
		}
	}
	body := sayingOf(path)
	head := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", len(body))
	if method == "HEAD" {
		body = ""
	}
	io.WriteString(conn, head+body)
	return false
}
