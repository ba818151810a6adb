package main

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"syscall"
)

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
		if head, _, ok := bytes.Cut(c.buf[:have], []byte("\r\n\r\n")); ok {
			status, length = parseHead(string(head))
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
	first, fields, _ := strings.Cut(head, "\r\n")
	if version, rest, _ := strings.Cut(first, " "); strings.HasPrefix(version, "HTTP/1.") {
		number, _, _ := strings.Cut(rest, " ")
		status, _ = strconv.Atoi(number)
	}
	for line := range strings.SplitSeq(fields, "\r\n") {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(name, "Content-Length") {
			if length, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64); err == nil {
				return status, length
			}
		}
	}
	return status, -1
}

// discard reads so many bytes and forgets them.
func (c *httpConn) discard(n int64) error {
	if secure, ok := c.conn.(*tls.Conn); ok {
		if _, err := io.CopyN(io.Discard, secure, n); err != nil {
			return fmt.Errorf("read a body: %w", err)
		}
		return nil
	}
	raw, err := c.raw()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Read(func(fd uintptr) bool {
		var over bool
		n, over, failed = truncate(int(fd), n)
		return over
	})
	if err != nil {
		return err
	}
	return failed
}

// truncate has the kernel throw away what of n bytes has arrived, without copying it (MSG_TRUNC, see tcp(7)). It returns
// how many are left, and whether there is nothing to wait for.
func truncate(fd int, n int64) (left int64, over bool, err error) {
	for n > 0 {
		got, _, errno := syscall.Syscall6(syscall.SYS_RECVFROM, uintptr(fd), 0, uintptr(min(n, 1<<20)), syscall.MSG_TRUNC, 0, 0)
		switch {
		case errno == syscall.EAGAIN:
			return n, false, nil
		case errno == syscall.EINTR:
			continue
		case errno != 0:
			return n, true, fmt.Errorf("read a body: %w", errno)
		case got == 0:
			return n, true, fmt.Errorf("read a body: %d bytes missing: %w", n, io.ErrUnexpectedEOF)
		}
		n -= int64(got)
	}
	return 0, true, nil
}

// raw is the socket, below TLS too.
func (c *httpConn) raw() (syscall.RawConn, error) {
	conn := c.conn
	for {
		secure, ok := conn.(*tls.Conn)
		if !ok {
			return conn.(syscall.Conn).SyscallConn()
		}
		conn = secure.NetConn()
	}
}

// closed reports whether the other end has closed a connection on which nothing is due.
func (c *httpConn) closed() bool {
	raw, err := c.raw()
	if err != nil {
		return true
	}
	over := false
	raw.Control(func(fd uintptr) {
		n, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		over = err != syscall.EAGAIN || n > 0
	})
	return over
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
