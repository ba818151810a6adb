package acceptance

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"exaproxy/engine/canary"
	"exaproxy/engine/canary/canarytest"
)

// What follows looks for the marks of package canary in all that peers of the proxy receive. Only in a build
// with the tag canary, of which the proxy is one too, are there any.

// buildFlags are those of the proxy.
func buildFlags() []string {
	if canary.On {
		return []string{"-tags=canary", "-pgo=off"}
	}
	return nil
}

// checkMarks fails the test if somebody was given memory of another.
func checkMarks(t testing.TB, who string, w *canarytest.Watch, p []byte) {
	t.Helper()
	if whose := w.See(p); whose != "" {
		t.Errorf("%s was given %s", who, whose)
	}
}

// look looks at what the proxy has written to files and to standard error, where it and the helpers say what
// they have noticed themselves.
func (x *proxy) look() {
	x.t.Helper()
	if !canary.On || x.cmd.Path != built.proxy {
		return
	}
	for name, text := range map[string]string{"standard error": x.said(), "cache.log": x.cacheLog(), "access.log": x.file("access.log")} {
		checkMarks(x.t, name, &canarytest.Watch{}, []byte(text))
		if at := strings.Index(text, "CANARY:"); at >= 0 {
			x.t.Errorf("%s has %.300s", name, text[at:])
		}
	}
}

// lookAtLine ends a helper that was asked with memory of another, which it says on standard error.
func lookAtLine(line []byte) {
	var w canarytest.Watch
	if whose := w.See(line); whose != "" {
		fmt.Fprintf(os.Stderr, "CANARY: a helper was given %s\n", whose)
		os.Exit(1)
	}
}

// A watched connection looks at what is read from it. TLS and pictures are random: a mark is a longer run.
type watched struct {
	net.Conn
	t     testing.TB
	who   string
	marks canarytest.Watch
}

// watchConn has a connection of a client or an origin looked at.
func watchConn(t testing.TB, who string, conn net.Conn) net.Conn {
	if !canary.On {
		return conn
	}
	return &watched{Conn: conn, t: t, who: who + " at " + conn.LocalAddr().String(), marks: canarytest.Watch{Least: canarytest.InRandom}}
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	checkMarks(w.t, w.who, &w.marks, p[:n])
	return n, err
}

func (w *watched) CloseWrite() error { return w.Conn.(halfCloser).CloseWrite() }

// halfCloser is a connection that can end what is sent and still be read.
type halfCloser interface {
	net.Conn
	CloseWrite() error
}

// A watchedListener accepts watched connections.
type watchedListener struct {
	net.Listener
	t testing.TB
}

func (l watchedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return watchConn(l.t, "an origin", conn), nil
}

// watchedPackets looks at the datagrams that come.
type watchedPackets struct {
	net.PacketConn
	t testing.TB
}

func (w watchedPackets) ReadFrom(p []byte) (int, net.Addr, error) {
	n, from, err := w.PacketConn.ReadFrom(p)
	checkMarks(w.t, "a name server", &canarytest.Watch{}, p[:n])
	return n, from, err
}

// dial connects to the proxy.
func (x *proxy) dial() (net.Conn, error) {
	conn, err := net.DialTimeout("tcp", x.addr(), 20*time.Second)
	if err != nil {
		return nil, err
	}
	return watchConn(x.t, "a client", conn), nil
}

// TestPeersLookForMarks leaks to each kind of peer memory that was given back.
func TestPeersLookForMarks(t *testing.T) {
	if !canary.On {
		t.Skip("there are marks in a canary build only")
	}
	leak := make([]byte, 40)
	canary.Spoil(leak, canary.Test, 0)
	c := &complaints{TB: t}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	near, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	far, err := watchedListener{l, c}.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	near.Write(leak)
	far.Read(make([]byte, 100))
	far.Write(leak)
	watchConn(c, "a client", near).Read(make([]byte, 100))
	for i, who := range []string{"an origin at 127.0.0.1:", "a client at 127.0.0.1:"} {
		if i >= len(c.said) || !strings.HasPrefix(c.said[i], who) || !strings.Contains(c.said[i], "was given memory of another: a test's memory") {
			t.Errorf("complaint %d is not of %s: %q", i, who, c.said)
		}
	}
}

// complaints keeps what a test is failed with.
type complaints struct {
	testing.TB
	said []string
}

func (c *complaints) Helper() {}

func (c *complaints) Errorf(format string, a ...any) {
	c.said = append(c.said, fmt.Sprintf(format, a...))
}
