package acceptance

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// flowCounters marks connections of some clients, and counts those that the proxy has marked.
const flowCounters = `table inet t {
	counter marked {}
	counter masked {}
	counter kept {}
	counter others {}
	chain out {
		type filter hook output priority 0;
		tcp dport 3128 ct state new ip saddr 127.0.0.3 ct mark set 0x5f
		tcp dport 3128 ct state new ip saddr 127.0.0.4 ct mark set 0x12
		tcp sport 3128 ct mark 0x17 counter name marked
		tcp sport 3128 ct mark 0xfb counter name masked
		tcp sport 3128 ct mark 0x12 counter name kept
		tcp sport 3128 ct mark != 0 ct mark != 0x17 ct mark != 0xfb ct mark != 0x12 ct mark != 0x5f counter name others
	}
}
`

// TestConnectionsAreMarkedAsSquidMarksThem has the packet filter count connections by their marks, in a network of its own, and acls
// tell those that it has marked.
func TestConnectionsAreMarkedAsSquidMarksThem(t *testing.T) {
	n := newOwnNetwork(t)
	var o *origin
	var names string
	n.in(func() { o, names = startOrigin(t, "127.0.0.5:8080", from(), nil), nameServer(t) })
	defer o.Close()
	// Squid gives the right up that it needs, unless packets are to be marked, too.
	const conf = `acl nobody src 127.0.0.99
mark_client_packet 0x99 nobody
acl pupil src 127.0.0.2
acl five client_connection_mark 0x5f
acl ten client_connection_mark 0x10/0xf0
mark_client_connection 0x17 pupil
mark_client_connection 0xab/0xf five
http_access deny ten
`
	for _, row := range []struct{ name, from, status, want string }{
		{"a pupil", "127.0.0.2", "HTTP/1.1 200", "marked some, masked none, kept none, others none"},
		{"one with a mark", "127.0.0.3", "HTTP/1.1 200", "marked none, masked some, kept none, others none"},
		{"one whose mark is denied", "127.0.0.4", "HTTP/1.1 403", "marked none, masked none, kept some, others none"},
		{"one without", "127.0.0.6", "HTTP/1.1 200", "marked none, masked none, kept none, others none"},
	} {
		for _, p := range []program{exaproxy(), squid(t)} {
			dir := world(t)
			rules := writeFile(t, dir, "rules", flowCounters)
			var x *proxy
			n.in(func() { x = start(t, p, dir, names+conf+base+"http_port 127.0.0.1:3128\n") })
			n.run("nft", "-f", rules)
			var e exchange
			n.in(func() { e = x.exchange(asked{raw: get("http://127.0.0.5:8080/"), from: row.from}) })
			if !strings.HasPrefix(e.status, row.status) {
				t.Errorf("%s is answered %q by %s", row.name, e.status, p.path)
			}
			if got := n.counted("marked", "masked", "kept", "others"); got != row.want {
				t.Errorf("%s, through %s: %s, want %s", row.name, p.path, got, row.want)
			}
			n.run("nft", "delete", "table", "inet", "t")
			x.end()
		}
	}
}

// TestMarksOfConnectionsThatNobodyKnows denies what an acl would have to tell, and keeps a right of root's only for this.
func TestMarksOfConnectionsThatNobodyKnows(t *testing.T) {
	n := newOwnNetwork(t)
	var x *proxy
	var e exchange
	n.in(func() {
		x = start(t, exaproxy(), world(t), "acl five client_connection_mark 5\nhttp_access deny five\n"+base+"http_port 127.0.0.1:3128\n")
		e = x.exchange(asked{raw: get("http://127.0.0.5:8080/")})
	})
	if !strings.HasPrefix(e.status, "HTTP/1.1 403") {
		t.Errorf("it is answered %q", e.status)
	}
	x.logs("the mark that the packet filter keeps with a client's connection cannot be read", 10*time.Second)
	if rights := capabilities(x.pid()); rights != 1<<unix.CAP_NET_ADMIN {
		t.Errorf("it has the rights %#x", rights)
	}
}

// TestDivertedConnectionsAreMarked has the entry found of a connection that was diverted by NAT, over both families.
func TestDivertedConnectionsAreMarked(t *testing.T) {
	n, _ := divertedWorld(t)
	n.divert("redirect.nft")
	n.run(t, exaproxy(), "http_port 3129 intercept\nmark_client_connection 0x17\nmark_client_packet 0x18\n")
	load := exec.Command("ip", "netns", "exec", n.proxy, "nft", "-f", "-")
	load.Stdin = strings.NewReader("table inet t {\ncounter seen {}\nchain out {\ntype filter hook output priority 0;\nct mark 0x17 meta mark 0x18 counter name seen\n}\n}\n")
	if out, err := load.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, d := range divertedRequests[:2] {
		e := n.exchange(t, d)
		out, err := exec.Command("ip", "netns", "exec", n.proxy, "nft", "reset", "counter", "inet", "t", "seen").CombinedOutput()
		if err != nil || !strings.HasPrefix(e.status, "HTTP/1.1 200") || strings.Contains(string(out), "packets 0 ") {
			t.Errorf("%s: %q, and the packet filter has counted %s (%v)", d.name, e.status, out, err)
		}
	}
}
