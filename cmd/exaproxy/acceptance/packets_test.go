package acceptance

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// from answers with the address that a request comes from.
func from() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		w.Header().Set("Connection", "close")
		io.WriteString(w, "from "+host)
	})
}

// TestOutgoingAddressesAreSquids has origins say where requests come from, through us and through Squid.
func TestOutgoingAddressesAreSquids(t *testing.T) {
	requireIPv6(t)
	four, six := newOrigin(t, "127.0.0.5", from()), newOrigin(t, "::1", from())
	list := []asked{
		{name: "a pupil", raw: get("http://127.0.0.5:" + four.port() + "/"), from: "127.0.0.2"},
		{name: "a teacher", raw: get("http://127.0.0.5:" + four.port() + "/"), from: "127.0.0.3"},
		{name: "somebody else", raw: get("http://127.0.0.5:" + four.port() + "/"), from: "127.0.0.4"},
		{name: "a pupil to IPv6", raw: get("http://[::1]:" + six.port() + "/"), from: "127.0.0.2"},
		{name: "a pupil by name", raw: get("http://origin.test:" + four.port() + "/"), from: "127.0.0.2"},
		{name: "somebody else by name", raw: get("http://origin.test:" + four.port() + "/"), from: "127.0.0.4"},
		{name: "a pupil's tunnel", raw: request("CONNECT", "origin.test:"+four.port()), then: "GET / HTTP/1.0\r\n\r\n", from: "127.0.0.2"},
		{name: "another address that is not ours", raw: get("http://127.0.0.5:" + four.port() + "/"), from: "127.0.0.6"},
	}
	const pupil = "acl pupil src 127.0.0.2\nacl teacher src 127.0.0.3\nacl nowhere src 127.0.0.6\nacl six dst ::1\nacl origin dst 127.0.0.5\nacl name dstdomain origin.test\n"
	for _, lines := range []string{
		"tcp_outgoing_address 127.0.0.22 pupil\ntcp_outgoing_address 127.0.0.33 teacher\ntcp_outgoing_address 192.0.2.77 nowhere\ntcp_outgoing_address 127.0.0.44\n",
		"tcp_outgoing_address 127.0.0.44\ntcp_outgoing_address 127.0.0.22 pupil\n",
		"tcp_outgoing_address ::1 pupil\ntcp_outgoing_address 127.0.0.22 pupil\ntcp_outgoing_address ::1\n",
		"tcp_outgoing_address 127.0.0.22 !teacher\n",
		"tcp_outgoing_address 127.0.0.22 pupil name\ntcp_outgoing_address 127.0.0.33 origin\n",
		"tcp_outgoing_address 127.0.0.22 six\ntcp_outgoing_address localhost teacher\n",
	} {
		conf := nameServer(t) + pupil + lines
		ours, theirs := comparison{t: t, conf: conf, hosts: "127.0.0.5 origin.test\n"}.hold(list)
		for i, a := range list {
			if a.from == "127.0.0.6" && strings.Contains(lines, "nowhere") {
				a.deliberate = "Squid does not tell why it cannot connect from such an address"
			}
			a.name += " with " + lines
			judge(t, a, aspect{"status line", ours[i].status, theirs[i].status}, aspect{"X-Squid-Error", ours[i].fault, theirs[i].fault},
				aspect{"body", bodyOf(ours[i]), bodyOf(theirs[i])})
		}
	}
}

// bodyOf is that of a reply that is no page of the proxy's.
func bodyOf(e exchange) string {
	if e.fault != "" {
		return "(page)"
	}
	return string(e.reply[strings.LastIndex(string(e.reply), "\r\n\r\n")+4:])
}

// An ownNetwork is one of a test's own, with nothing in it but loopback. It is gone with those who are in it.
type ownNetwork struct {
	t    *testing.T
	own  *os.File
	host *os.File // that of the test
}

// newOwnNetwork makes one; the test is skipped if it may not.
func newOwnNetwork(t *testing.T) *ownNetwork {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("networks are made by root only")
	}
	peer(t, "nft", "nftables")
	peer(t, "ip", "iproute2")
	n := &ownNetwork{t: t, host: netOf(t)}
	n.locked(func() {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			t.Skipf("no network can be made: %v", err)
		}
		n.own = netOf(t)
	})
	t.Cleanup(func() { n.own.Close(); n.host.Close() })
	n.run("ip", "link", "set", "lo", "up")
	return n
}

// netOf is the network of the present thread.
func netOf(t *testing.T) *os.File {
	f, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// locked does something on a thread that is then brought back to the network of the test.
func (n *ownNetwork) locked(f func()) {
	runtime.LockOSThread()
	defer func() {
		if err := unix.Setns(int(n.host.Fd()), unix.CLONE_NEWNET); err == nil { // else it ends with its goroutine
			runtime.UnlockOSThread()
		}
	}()
	f()
}

// in does something in the network: sockets that are made are there, and programs that are started.
func (n *ownNetwork) in(f func()) {
	n.t.Helper()
	n.locked(func() {
		n.t.Helper()
		if err := unix.Setns(int(n.own.Fd()), unix.CLONE_NEWNET); err != nil {
			n.t.Fatal(err)
		}
		f()
	})
}

// run runs a program in the network, and returns what it says.
func (n *ownNetwork) run(program string, args ...string) (said string) {
	n.t.Helper()
	n.in(func() {
		out, err := exec.Command(program, args...).CombinedOutput()
		if err != nil {
			n.t.Fatalf("%s %q: %v\n%s", program, args, err, out)
		}
		said = string(out)
	})
	return said
}

// counted are how many packets have been seen by each counter of the table t.
func (n *ownNetwork) counted(names ...string) string {
	n.t.Helper()
	var all []string
	for _, name := range names {
		_, after, _ := strings.Cut(n.run("nft", "list", "counter", "inet", "t", name), "packets ")
		seen := "none"
		if !strings.HasPrefix(after, "0 ") {
			seen = "some"
		}
		all = append(all, name+" "+seen)
	}
	return strings.Join(all, ", ")
}

const packetCounters = `table inet t {
	counter outtos {}
	counter outmark {}
	counter clienttos {}
	counter clientmark {}
	counter others {}
	chain out {
		type filter hook output priority 0;
		tcp dport 8080 ip dscp 0x08 counter name outtos
		tcp dport 8080 meta mark 0x17 counter name outmark
		tcp sport 3128 ip dscp 0x10 counter name clienttos
		tcp sport 3128 meta mark 0x80000018 counter name clientmark
		meta mark != 0 meta mark != 0x17 meta mark != 0x80000018 counter name others
	}
}
`

// TestPacketsAreMarkedAsSquidMarksThem has the packet filter count what packets bear, in a network of its own.
func TestPacketsAreMarkedAsSquidMarksThem(t *testing.T) {
	n := newOwnNetwork(t)
	var o *origin
	var names string
	n.in(func() { o, names = startOrigin(t, "127.0.0.5:8080", from(), nil), nameServer(t) })
	defer o.Close()
	conf := names + "logformat packets %>a %>qos %<qos %>nfmark %<nfmark %Ss\naccess_log stdio:{dir}/packets.log packets\nacl pupil src 127.0.0.2\nacl denied dstdomain denied.test\ntcp_outgoing_tos 0x20 pupil\ntcp_outgoing_mark 0x17 pupil\nclientside_tos 0x40 pupil\nmark_client_packet 0x80000018 pupil\nhttp_access deny denied\n"
	for _, row := range []struct{ name, from, url, want string }{
		{"a pupil", "127.0.0.2", "http://127.0.0.5:8080/", "outtos some, outmark some, clienttos some, clientmark some, others none"},
		{"somebody else", "127.0.0.3", "http://127.0.0.5:8080/", "outtos none, outmark none, clienttos none, clientmark none, others none"},
		{"a pupil who is refused", "127.0.0.2", "http://denied.test/", "outtos none, outmark none, clienttos some, clientmark some, others none"},
	} {
		var logs []string
		for _, p := range []program{exaproxy(), squid(t)} {
			dir := world(t)
			rules := writeFile(t, dir, "rules", packetCounters)
			var x *proxy
			n.in(func() { x = start(t, p, dir, conf+base+"http_port 127.0.0.1:3128\n") })
			n.run("nft", "-f", rules)
			var e exchange
			n.in(func() { e = x.exchange(asked{raw: get(row.url), from: row.from}) })
			if !strings.HasPrefix(e.status, "HTTP/1.1 200") && !strings.HasPrefix(e.status, "HTTP/1.1 403") {
				t.Errorf("%s is answered %q by %s", row.name, e.status, p.path)
			}
			if got := n.counted("outtos", "outmark", "clienttos", "clientmark", "others"); got != row.want {
				t.Errorf("%s, through %s: %s, want %s", row.name, p.path, got, row.want)
			}
			n.run("nft", "delete", "table", "inet", "t")
			x.eventually("logs it", 10*time.Second, func() bool { return strings.Contains(x.file("packets.log"), row.from+" ") })
			logs = append(logs, x.file("packets.log"))
			x.end()
		}
		if logs[0] != logs[1] {
			t.Errorf("%s is logged as %q, by Squid as %q", row.name, logs[0], logs[1])
		}
	}
}

// TestARightForMarksIsKeptOnlyForThem looks at the rights of the process, and has a reload ask for marks.
func TestARightForMarksIsKeptOnlyForThem(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("there is no right to keep")
	}
	x := start(t, exaproxy(), world(t), base+openPort)
	if rights := capabilities(x.pid()); rights != 0 {
		t.Errorf("without marks it has the rights %#x", rights)
	}
	writeFile(t, x.dir, "squid.conf", fill(x.dir, "tcp_outgoing_mark 7\n"+base+openPort))
	x.signal(syscall.SIGHUP)
	x.logs("the configuration was not changed: tcp_outgoing_mark, mark_client_packet and qos_flows mark: operation not permitted", 20*time.Second)

	y := start(t, exaproxy(), world(t), "tcp_outgoing_mark 7\nurl_rewrite_program {helper} -record {dir}/lines -answer ERR\\n\nurl_rewrite_children 1 startup=1\n"+base+openPort)
	if rights := capabilities(y.pid()); rights != 1<<unix.CAP_NET_RAW {
		t.Errorf("with marks it has the rights %#x", rights)
	}
	for _, pid := range children(y.pid()) {
		if rights := capabilities(pid); rights != 0 {
			t.Errorf("a helper has the rights %#x", rights)
		}
	}
}

// capabilities are those that a process has.
func capabilities(pid int) (set uint64) {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, after, _ := strings.Cut(string(b), "CapPrm:")
	fmt.Sscanf(strings.TrimSpace(after), "%x", &set)
	return set
}

// TestAPortWhoseAddressComesLater serves when its interface has the address, and after that has gone and come again.
func TestAPortWhoseAddressComesLater(t *testing.T) {
	n := newOwnNetwork(t)
	var x *proxy
	n.in(func() {
		x = start(t, exaproxy(), world(t), "http_access deny all\n"+base+"http_port 192.0.2.1:3128\nhttp_port [2001:db8::1]:3128\n")
	})
	x.logs("no interface has the address of local=192.0.2.1:3128 yet", 10*time.Second)
	for range 2 {
		for _, at := range []string{"192.0.2.1", "2001:db8::1"} {
			args := []string{"addr", "add", at, "dev", "lo"}
			if netip.MustParseAddr(at).Is6() {
				args = append(args, "nodad")
			}
			n.run("ip", args...)
			n.in(func() {
				var conn net.Conn
				poll(10*time.Second, func() (yes bool) { // the kernel makes the route a moment later
					var err error
					conn, err = net.DialTimeout("tcp", net.JoinHostPort(at, "3128"), 10*time.Second)
					return err == nil
				})
				if conn == nil {
					t.Fatalf("nobody serves at %s", at)
				}
				defer conn.Close()
				conn.SetDeadline(time.Now().Add(20 * time.Second))
				io.WriteString(conn, get("http://x.test/"))
				if e := readExchange(conn, "GET", ""); !strings.HasPrefix(e.status, "HTTP/1.1 403") {
					t.Errorf("at %s it answers %q", at, e.status)
				}
			})
			bits := "/32"
			if netip.MustParseAddr(at).Is6() {
				bits = "/128"
			}
			n.run("ip", "addr", "del", at+bits, "dev", "lo")
		}
	}
}

// TestWithoutIPv6 serves IPv4 where a port is for both families, or for any address of IPv6, which ends Squid.
func TestWithoutIPv6(t *testing.T) {
	n := newOwnNetwork(t)
	n.in(func() {
		for _, name := range []string{"all", "lo"} {
			if err := os.WriteFile("/proc/sys/net/ipv6/conf/"+name+"/disable_ipv6", []byte("1"), 0o644); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
		}
	})
	for _, port := range []string{"3128", "0.0.0.0:3128", "[::]:3128"} {
		var e exchange
		n.in(func() {
			x := start(t, exaproxy(), world(t), "http_access deny all\n"+base+"http_port "+port+"\n")
			defer x.end()
			conn, err := net.DialTimeout("tcp", "127.0.0.1:3128", 10*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(20 * time.Second))
			io.WriteString(conn, get("http://x.test/"))
			e = readExchange(conn, "GET", "")
		})
		if !strings.HasPrefix(e.status, "HTTP/1.1 403") {
			t.Errorf("http_port %s answers %q", port, e.status)
		}
	}
}
