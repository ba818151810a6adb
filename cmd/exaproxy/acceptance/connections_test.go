package acceptance

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

const connectionRules = `client_ip_max_connections 3
acl crowded maxconn 1
acl one urlpath_regex ^/one
http_access deny one crowded
http_access allow all
`

// TestConnectionsAreCountedAsSquidDoes has clients open more and more connections to Squid, to us, and to several workers
// of ours, and leave.
func TestConnectionsAreCountedAsSquidDoes(t *testing.T) {
	theirs := squid(t)
	o := newOrigin(t, "127.0.0.1", pages())
	var told string
	for i, p := range []struct {
		program
		more string
	}{{theirs, ""}, {exaproxy(), ""}, {exaproxy(), "workers 4\n"}} {
		x := start(t, p.program, world(t), connectionRules+base+p.more+"http_port 127.0.0.1:"+freePort(t)+"\n")
		got := openMany(t, x, o.URL)
		if i == 0 {
			told = got
		} else if got != told {
			t.Errorf("%q: we answer\n%s\nSquid\n%s", p.more, got, told)
		}
		if !poll(10*time.Second, func() bool { return strings.Contains(x.file("cache.log"), "attempting more than ") }) {
			t.Errorf("%q: cache.log does not say that a client has too many connections", p.more)
		}
	}
}

// openMany opens connections from two addresses, asks on each, and notes the answers; then all leave, until one alone is
// answered again.
func openMany(t *testing.T, x *proxy, origin string) (told string) {
	var open []net.Conn
	leave := func() {
		for _, conn := range open {
			conn.Close()
		}
		open = nil
	}
	defer leave()
	connect := func(from string) net.Conn {
		conn, err := x.dialFrom(from)
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(30 * time.Second))
		open = append(open, conn)
		return conn
	}
	for _, from := range []string{"127.0.0.1", "127.0.0.1", "127.0.0.2", "127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.2"} {
		told += from + " " + answered(connect(from), origin+"/one") + "\n"
	}
	told += "the first, on its connection, " + answered(open[0], origin+"/one") + ", another page " + answered(open[0], origin+"/two") + "\n"
	leave()
	if !poll(20*time.Second, func() bool { leave(); return answered(connect("127.0.0.1"), origin+"/one") == "200" }) {
		t.Error("who has left is counted still")
	}
	return told
}

// answered is the status of an answer, or "closed".
func answered(conn net.Conn, url string) string {
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", url)
	reply, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return "closed"
	}
	defer reply.Body.Close()
	for b := make([]byte, 4096); ; {
		if _, err := reply.Body.Read(b); err != nil {
			return fmt.Sprint(reply.StatusCode)
		}
	}
}
