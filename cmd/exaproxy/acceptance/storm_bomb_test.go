package acceptance

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A bomb is a reply without end: begin once, then again and again.
type bomb struct {
	name         string
	begin, again string
	pause        time.Duration // between two
	unread       bool          // the client takes nothing of it
}

var bombs = []bomb{
	{name: "interim replies", again: "HTTP/1.1 103 Early Hints\r\nLink: " + strings.Repeat("x", 500) + "\r\n\r\n"},
	{name: "100 Continue", again: "HTTP/1.1 100 Continue\r\n\r\n"},
	{name: "head", begin: "HTTP/1.1 200 OK\r\n", again: "X-Y: " + strings.Repeat("x", 500) + "\r\n"},
	{name: "status line", begin: "HTTP/1.1 200 ", again: strings.Repeat("x", 500)},
	{name: "chunk extension", begin: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5", again: ";" + strings.Repeat("x", 500)},
	{name: "trailer", begin: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", again: "X-Y: " + strings.Repeat("x", 500) + "\r\n"},
	{name: "tiny chunks", begin: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", again: strings.Repeat("1\r\nx\r\n", 1000), unread: true},
	{name: "body", begin: "HTTP/1.1 200 OK\r\n\r\n", again: strings.Repeat("x", 64<<10), unread: true},
	{name: "declared body", begin: "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n", again: strings.Repeat("x", 64<<10), unread: true},
	{name: "unknown coding", begin: "HTTP/1.1 200 OK\r\nTransfer-Encoding: x-foo\r\n\r\n", again: strings.Repeat("x", 64<<10)},
	{name: "a slow head", begin: "HTTP/1.1 200 OK\r\nX: ", again: "x", pause: 100 * time.Millisecond},
	{name: "silence", pause: 100 * time.Millisecond},
}

var bombers = badPeer{"bombs", 24, 100 * time.Millisecond, func(s *storm, number int) {
	conn := s.dial()
	if conn == nil {
		return
	}
	defer conn.Close()
	kind := number % len(bombs)
	io.WriteString(conn, get(s.people.bombs.url(kind)))
	if bombs[kind].unread {
		s.pass(2 * time.Second)
		return
	}
	conn.SetReadDeadline(time.Now().Add(2 * time.Second))
	io.Copy(io.Discard, conn)
}}

// A bombOrigin answers /N with the Nth bomb.
type bombOrigin struct {
	net.Listener
	all   sync.WaitGroup
	mu    sync.Mutex
	conns []net.Conn
}

func newBombOrigin(t testing.TB, host string) *bombOrigin {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	o := &bombOrigin{Listener: l}
	o.all.Go(o.accept)
	t.Cleanup(func() {
		o.Close()
		o.hangUp()
		o.all.Wait()
	})
	return o
}

func (o *bombOrigin) url(kind int) string {
	_, port, _ := net.SplitHostPort(o.Addr().String())
	return fmt.Sprintf("http://%s/%d", net.JoinHostPort(bombName, port), kind)
}

func (o *bombOrigin) accept() {
	for {
		conn, err := o.Accept()
		if err != nil {
			return
		}
		o.mu.Lock()
		o.conns = append(o.conns, conn)
		o.mu.Unlock()
		o.all.Go(func() {
			throw(conn)
			o.forget(conn)
		})
	}
}

func (o *bombOrigin) forget(conn net.Conn) {
	o.mu.Lock()
	defer o.mu.Unlock()
	conn.Close()
	o.conns = slices.DeleteFunc(o.conns, func(c net.Conn) bool { return c == conn })
}

func (o *bombOrigin) hangUp() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, conn := range o.conns {
		conn.Close()
	}
}

// throw answers one request, until the proxy has enough.
func throw(conn net.Conn) {
	r, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return
	}
	var kind int
	fmt.Sscanf(r.URL.Path, "/%d", &kind)
	b := bombs[kind]
	gone := make(chan struct{}) // the proxy says no more
	go func() { defer close(gone); conn.Read(make([]byte, 1)) }()
	io.WriteString(conn, b.begin)
	again := time.NewTimer(0)
	defer again.Stop()
	for {
		select {
		case <-gone:
			return
		case <-again.C:
		}
		if _, err := io.WriteString(conn, b.again); err != nil {
			return
		}
		again.Reset(b.pause)
	}
}
