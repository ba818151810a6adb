package acceptance

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// lifeLines are what cache.log says of peers that come and go, with their port in the place of a word.
func lifeLines(x *proxy, p *parent) (lines []string) {
	for line := range strings.Lines(x.said()) {
		for _, word := range []string{"TCP connection to ", "Detected "} {
			if at := strings.Index(line, word); at >= 0 {
				lines = append(lines, strings.ReplaceAll(strings.TrimSpace(line[at:]), p.port(), "{port}"))
			}
		}
	}
	return lines
}

// TestDeadAndRevivedPeers has a parent die and come back, and holds what cache.log says against Squid's.
func TestDeadAndRevivedPeers(t *testing.T) {
	said := map[string][]string{}
	for name, p := range map[string]program{"ours": exaproxy(), "Squid's": squid(t)} {
		one, two := newParent(t, 200), newParent(t, 200)
		conf := fmt.Sprintf("cache_peer 127.0.0.1 parent %s 0 %s name=p1\ncache_peer 127.0.0.1 parent %s 0 %s name=p2\nnever_direct allow all\nworkers 1\n",
			one.port(), peerOptions, two.port(), peerOptions)
		x := start(t, p, world(t), "http_port 127.0.0.1:"+freePort(t)+"\n"+noNetDB+conf+base)
		asks := func() (parent string) {
			one.take()
			two.take()
			x.exchange(asked{raw: ask("GET", "http://nx.test/", "")})
			if len(one.take()) > 0 {
				return "p1"
			}
			if len(two.take()) > 0 {
				return "p2"
			}
			return "nobody"
		}
		x.eventually("uses its first parent", 10*time.Second, func() bool { return asks() == "p1" })
		one.stop()
		for range 12 {
			if got := asks(); got != "p2" {
				t.Errorf("%s: with the first parent gone, %s was asked", name, got)
			}
		}
		one.start()
		x.eventually("uses its first parent again", 10*time.Second, func() bool { return asks() == "p1" })
		x.eventually("says so", 10*time.Second, func() bool { return strings.Contains(x.said(), "Detected REVIVED Parent: p1") })
		said[name] = lifeLines(x, one)
	}
	ours, theirs := strings.Join(said["ours"], "\n"), strings.Join(said["Squid's"], "\n")
	if ours != theirs || !strings.HasSuffix(ours, "Detected DEAD Parent: p1\nDetected REVIVED Parent: p1") {
		t.Errorf("cache.log says\n%s\nand Squid's\n%s", ours, theirs)
	}
}

// TestAParentDiesUnderLoad has one of two parents die and come back again and again while many ask. No request is lost.
func TestAParentDiesUnderLoad(t *testing.T) {
	one, two := newParent(t, 200), newParent(t, 200)
	conf := fmt.Sprintf("cache_peer 127.0.0.1 parent %s 0 no-query round-robin name=p1\ncache_peer 127.0.0.1 parent %s 0 no-query round-robin name=p2\nnever_direct allow all\n",
		one.port(), two.port())
	x := start(t, exaproxy(), world(t), openPort+conf+base)
	const clients, each = 8, 400
	results := make(chan error, clients)
	for range clients {
		go func() { results <- asksWithoutLoss(x, each) }()
	}
	for left := clients; left > 0; {
		for _, change := range []func(){one.stop, one.start} {
			change()
			seen := two.connected() + len(two.take())
			poll(20*time.Millisecond, func() bool { return two.connected() > seen })
		}
		for more := true; more && left > 0; {
			select {
			case err := <-results:
				left--
				if err != nil {
					t.Error(err)
				}
			default:
				more = false
			}
		}
		one.take()
	}
	if log := strings.Join(x.accessLog(), "\n"); !strings.Contains(log, "ROUNDROBIN_PARENT/127.0.0.1") {
		t.Errorf("the log has no word of parents:\n%.500s", log)
	}
}

// asksWithoutLoss asks on one connection, and returns what was lost.
func asksWithoutLoss(x *proxy, times int) error {
	conn, err := x.dialFrom("")
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	r := bufio.NewReader(conn)
	for i := range times {
		if _, err := fmt.Fprintf(conn, "GET http://nx.test/%d HTTP/1.1\r\nHost: nx.test\r\n\r\n", i); err != nil {
			return err
		}
		reply, err := http.ReadResponse(r, nil)
		if err != nil {
			return fmt.Errorf("request %d: %w", i, err)
		}
		body, err := io.ReadAll(reply.Body)
		if err != nil || reply.StatusCode != 200 {
			return fmt.Errorf("request %d: %s %v\n%.300s", i, reply.Status, err, body)
		}
	}
	return nil
}
