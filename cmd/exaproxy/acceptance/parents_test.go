package acceptance

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// A parent is another proxy, or a server that is configured as one, which writes down what it is asked. It answers 200, or
// what stands in the URL behind "answer=": a status, or nothing at all.
type parent struct {
	t     testing.TB
	addr  string
	tells int // to CONNECT; 200 opens a tunnel, 0 closes the connection

	reaches bool // its tunnels lead where they are to; else to somebody who repeats what is said

	mu    sync.Mutex
	heads []string
	conns map[net.Conn]bool
	count int // connections so far
	l     net.Listener
}

// lasting are the ports that tests have.
var lasting sync.Map

// lastingPort is a port that nobody has, and that the kernel gives to no connection while nobody listens there.
func lastingPort(t testing.TB) string {
	t.Helper()
	for range 1000 {
		port := strconv.Itoa(15000 + rand.IntN(15000)) // below net.ipv4.ip_local_port_range
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			continue
		}
		l.Close()
		if _, taken := lasting.LoadOrStore(port, true); !taken {
			return port
		}
	}
	t.Fatal("there is no port")
	return ""
}

// newParent starts one that says so to CONNECT.
func newParent(t testing.TB, tells int) *parent {
	t.Helper()
	p := &parent{t: t, tells: tells, addr: "127.0.0.1:" + lastingPort(t), conns: map[net.Conn]bool{}}
	p.start()
	t.Cleanup(p.stop)
	return p
}

// start has it listen, again at the same port if it did before.
func (p *parent) start() {
	p.t.Helper()
	l, err := net.Listen("tcp", p.addr)
	if err != nil {
		p.t.Fatal(err)
	}
	p.l = l
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.mu.Lock()
			p.conns[c] = true
			p.count++
			p.mu.Unlock()
			go p.serve(watchConn(p.t, "a parent", c))
		}
	}()
}

// stop ends it with all its connections.
func (p *parent) stop() {
	p.l.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
	clear(p.conns)
}

func (p *parent) port() string {
	_, port, _ := net.SplitHostPort(p.addr)
	return port
}

// take gives the heads that have come since the last take.
func (p *parent) take() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	heads := p.heads
	p.heads = nil
	return heads
}

// connected says how many connections there were.
func (p *parent) connected() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

func (p *parent) serve(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	for {
		var head bytes.Buffer
		request, err := http.ReadRequest(bufio.NewReader(io.TeeReader(oneHead(r), &head)))
		if err != nil {
			return
		}
		p.mu.Lock()
		p.heads = append(p.heads, strings.TrimSuffix(head.String(), "\r\n\r\n"))
		p.mu.Unlock()
		io.CopyN(io.Discard, r, max(request.ContentLength, 0))
		status, echoes := p.answer(request)
		if status == 0 {
			return
		}
		if echoes {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nX-Parent: 1\r\n\r\n")
			p.tunnel(c, r, request.RequestURI)
			return
		}
		body := "from a parent\n"
		fmt.Fprintf(c, "HTTP/1.1 %d X\r\nContent-Type: text/plain\r\n", status)
		if status == 407 {
			io.WriteString(c, "Proxy-Authenticate: Basic realm=\"up\"\r\n")
		}
		fmt.Fprintf(c, "Content-Length: %d\r\n\r\n", len(body))
		if request.Method != "HEAD" {
			io.WriteString(c, body)
		}
	}
}

// tunnel carries what is said in a tunnel.
func (p *parent) tunnel(c net.Conn, said io.Reader, to string) {
	if !p.reaches {
		io.Copy(c, said)
		return
	}
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		io.Copy(server, said)
		server.(*net.TCPConn).CloseWrite()
	}()
	io.Copy(c, server)
}

// answer is the status of the answer, 0 for none; echoes is true if it is a tunnel.
func (p *parent) answer(r *http.Request) (status int, echoes bool) {
	if r.Method == "CONNECT" {
		return p.tells, p.tells == 200
	}
	if _, word, ok := strings.Cut(r.RequestURI, "answer="); ok {
		status, _ = strconv.Atoi(word)
		return status, false
	}
	return 200, false
}

// oneHead is the next head in r, and nothing behind it.
func oneHead(r *bufio.Reader) io.Reader {
	var head bytes.Buffer
	for {
		line, err := r.ReadString('\n')
		head.WriteString(line)
		if err != nil || strings.Trim(line, "\r\n") == "" {
			return &head
		}
	}
}
