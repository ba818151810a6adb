package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// loadResult is what a load generator reports, as JSON: ours in this form and wrk by its script.
type loadResult struct {
	Requests int     `json:"requests"`
	Seconds  float64 `json:"seconds"`
	Bytes    float64 `json:"bytes"` // of bodies; 0 if not counted
	P50      float64 `json:"p50"`   // milliseconds
	P99      float64 `json:"p99"`
	P999     float64 `json:"p999"`
	Errors   int     `json:"errors"`
	Error    string  `json:"error,omitempty"` // the first
}

// loadOptions are the command line behind "load KIND".
type loadOptions struct {
	proxy       string
	url         string
	connections int
	duration    time.Duration
	every       time.Duration
	direct      bool
	sources     int
}

// load runs the load generator alone: "bench load KIND", with what it needs to know in flags.
func load(arguments []string, in io.Reader, out io.Writer) error {
	kinds := map[string]func(loadOptions, io.Reader, io.Writer) (loadResult, error){
		"connect": loadConnect, "sparse": loadSparse, "idle": loadIdle, "tunnels": loadTunnels, "bulk": loadBulk,
	}
	if len(arguments) == 0 || kinds[arguments[0]] == nil {
		return fmt.Errorf("usage: bench load connect|sparse|idle|tunnels|bulk [-h]")
	}
	var o loadOptions
	flags := flag.NewFlagSet("load "+arguments[0], flag.ContinueOnError)
	flags.StringVar(&o.proxy, "proxy", "", "host:port of the proxy")
	flags.StringVar(&o.url, "url", "", "what to GET at the origin")
	flags.IntVar(&o.connections, "connections", 64, "how many at a time; for idle and tunnels, how many in all")
	flags.DurationVar(&o.duration, "duration", 4*time.Second, "how long, for connect and sparse")
	flags.DurationVar(&o.every, "every", 20*time.Millisecond, "the pause between two GETs, for sparse")
	flags.BoolVar(&o.direct, "direct", false, "do not CONNECT: the proxy forwards connections as they are")
	flags.IntVar(&o.sources, "sources", 4, "how many addresses to connect from, 127.0.3.1 and what follows")
	if err := flags.Parse(arguments[1:]); err != nil {
		return err
	}
	raiseDescriptors()
	r, err := kinds[arguments[0]](o, in, out)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(r)
}

// dialer connects to the proxy from one address after the other.
type dialer struct {
	options loadOptions
	next    atomic.Int64
}

func (d *dialer) dial() (*httpConn, error) {
	source := net.IPv4(127, 0, 3, byte(1+d.next.Add(1)%int64(max(1, d.options.sources))))
	from := net.Dialer{Timeout: 10 * time.Second, LocalAddr: &net.TCPAddr{IP: source}, Control: chooseAddressOnly, KeepAlive: -1}
	conn, err := from.DialContext(context.Background(), "tcp", d.options.proxy)
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	return newHTTPConn(conn), nil
}

// chooseAddressOnly has bind(2) choose the address alone and leave the port to connect(2), which knows the other end: see
// IP_BIND_ADDRESS_NO_PORT in ip(7).
func chooseAddressOnly(_, _ string, raw syscall.RawConn) error {
	const bindAddressNoPort = 24
	var err error
	controlled := raw.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, bindAddressNoPort, 1)
	})
	if controlled != nil {
		return controlled
	}
	return err
}

// tunnel dials, and asks for a tunnel to the URL's host if the proxy is one to be asked.
func (d *dialer) tunnel() (*httpConn, error) {
	c, err := d.dial()
	if err != nil || d.options.direct {
		return c, err
	}
	if err := c.connect(hostOf(d.options.url, "")); err != nil {
		c.conn.Close()
		return nil, err
	}
	return c, nil
}

// httpConn is HTTP/1.1 on a connection, as much of it as a load generator needs.
type httpConn struct {
	conn net.Conn
	buf  []byte // a head, and what has come with it
}

func newHTTPConn(conn net.Conn) *httpConn {
	return &httpConn{conn: conn, buf: make([]byte, 4096)}
}

// get asks for a URL, or the path of one, and discards what is answered. It gives the size of the body.
func (c *httpConn) get(url, host string) (int64, error) {
	if _, err := fmt.Fprintf(c.conn, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", url, host); err != nil {
		return 0, err
	}
	status, length, behind, err := c.head()
	if err != nil {
		return 0, err
	}
	if status != 200 || length < 0 {
		return 0, fmt.Errorf("GET %s is answered %d with a length of %d", url, status, length)
	}
	return length, c.discard(length - behind)
}

// connect asks for a tunnel.
func (c *httpConn) connect(authority string) error {
	if _, err := fmt.Fprintf(c.conn, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", authority, authority); err != nil {
		return err
	}
	status, _, behind, err := c.head()
	if err == nil && (status != 200 || behind > 0) {
		err = fmt.Errorf("CONNECT %s is answered %d with %d bytes behind", authority, status, behind)
	}
	return err
}

// head reads the head of a reply: its status, its Content-Length or -1, and how many bytes behind it have come.
func (c *httpConn) head() (status int, length, behind int64, err error) {
	have := 0
	for {
		n, err := c.conn.Read(c.buf[have:])
		have += n
		if head, _, ok := strings.Cut(string(c.buf[:have]), "\r\n\r\n"); ok {
			status, length = parseHead(head)
			return status, length, int64(have - len(head) - 4), nil
		}
		if err != nil {
			return 0, 0, 0, fmt.Errorf("read the head of a reply: %w", err)
		}
		if have == len(c.buf) {
			return 0, 0, 0, fmt.Errorf("read the head of a reply: more than %d bytes", have)
		}
	}
}

// parseHead finds the status and the Content-Length, -1 if there is none.
func parseHead(head string) (status int, length int64) {
	fmt.Sscanf(head, "HTTP/1.%d %d", new(int), &status)
	length = -1
	for line := range strings.SplitSeq(head, "\r\n") {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(name, "Content-Length") {
			fmt.Sscan(value, &length)
		}
	}
	return status, length
}

// discard reads so many bytes and forgets them. With MSG_TRUNC the kernel does not even copy them: see tcp(7).
func (c *httpConn) discard(n int64) error {
	raw, err := c.conn.(syscall.Conn).SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Read(func(fd uintptr) bool {
		for n > 0 {
			got, _, errno := syscall.Syscall6(syscall.SYS_RECVFROM, fd, 0, uintptr(min(n, 1<<20)), syscall.MSG_TRUNC, 0, 0)
			switch {
			case errno == syscall.EAGAIN:
				return false
			case errno == syscall.EINTR:
				continue
			case errno != 0:
				failed = fmt.Errorf("read a body: %w", errno)
				return true
			case got == 0:
				failed = fmt.Errorf("read a body: %d bytes missing: %w", n, io.ErrUnexpectedEOF)
				return true
			}
			n -= int64(got)
		}
		return true
	})
	if err != nil {
		return err
	}
	return failed
}

// hostOf is the host:port of a URL, or another if the URL is only a path.
func hostOf(url, otherwise string) string {
	_, rest, ok := strings.Cut(url, "://")
	if !ok {
		return otherwise
	}
	host, _, _ := strings.Cut(rest, "/")
	return host
}

// pathOf is the path of a URL.
func pathOf(url string) string {
	_, rest, _ := strings.Cut(url, "://")
	_, path, _ := strings.Cut(rest, "/")
	return "/" + path
}

// percentile of a sorted list: the least of which that part of all is not above.
func percentile(sorted []float64, part float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(0, int(math.Ceil(part*float64(len(sorted))))-1)]
}

// latencies sets the percentiles from milliseconds in any order.
func (l *loadResult) latencies(all []float64) {
	slices.Sort(all)
	l.P50, l.P99, l.P999 = percentile(all, 0.50), percentile(all, 0.99), percentile(all, 0.999)
}

// fail counts an error and keeps the first.
func (l *loadResult) fail(err error) {
	l.Errors++
	if l.Error == "" {
		l.Error = err.Error()
	}
}
