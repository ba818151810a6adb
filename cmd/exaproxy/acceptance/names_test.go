package acceptance

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// manyNames are those that a name server of its own knows, each with an address of its own.
const manyNames = 10000

// manyName is the n-th, and its address.
func manyName(n int) (name, addr string) {
	return fmt.Sprintf("n%d.many.test", n), fmt.Sprintf("127.20.%d.%d", n>>8, n&255)
}

// unboundConf has no other names than those of test., and asks nobody.
const unboundConf = `server:
  interface: %s
  port: %s
  access-control: 127.0.0.0/8 allow
  username: ""
  chroot: ""
  directory: ""
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  num-threads: 1
  so-rcvbuf: 0
  local-zone: "test." static
`

// unbound starts unbound with names, of which the value is an address, and says where it is.
func unbound(t *testing.T, names func(yield func(name, addr string) bool)) (at string, cmd *exec.Cmd) {
	t.Helper()
	path := peer(t, "unbound", "unbound")
	host, port := fmt.Sprintf("127.53.%d.%d", 1+rand.IntN(254), 1+rand.IntN(254)), freePort(t)
	var conf strings.Builder
	fmt.Fprintf(&conf, unboundConf, host, port)
	for name, addr := range names {
		fmt.Fprintf(&conf, "  local-data: \"%s. 600 IN A %s\"\n", name, addr)
	}
	cmd = exec.Command(path, "-d", "-c", writeFile(t, world(t), "unbound.conf", conf.String()))
	var said strings.Builder
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &said, &said, 5*time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGCONT)
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("unbound says:\n%s", &said)
		}
	})
	at = net.JoinHostPort(host, port)
	question := new(dns.Msg).SetQuestion("test.", dns.TypeSOA)
	if !poll(30*time.Second, func() bool { _, err := dns.Exchange(question, at); return err == nil }) {
		t.Fatal("unbound does not answer")
	}
	return at, cmd
}

func allManyNames(yield func(name, addr string) bool) {
	for n := range manyNames {
		if !yield(manyName(n)) {
			return
		}
	}
}

// anyAddress is an origin at all addresses of this machine's that says by which of them it was reached.
func anyAddress(t *testing.T) *origin {
	return newOrigin(t, "0.0.0.0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at, _, _ := net.SplitHostPort(r.Context().Value(http.LocalAddrContextKey).(net.Addr).String())
		w.Header().Set("Reached-At", at)
	}))
}

// reachedAt judges by the address that the origin was reached at.
func reachedAt(addr string) func(*http.Response) string {
	return func(r *http.Response) string {
		if got := r.Header.Get("Reached-At"); r.StatusCode != http.StatusOK || got != addr {
			return fmt.Sprintf("%s is answered %s at %q, want it at %s", r.Request.URL, r.Status, got, addr)
		}
		return ""
	}
}

// manyConf looks names up at a server, and keeps no connection, so that each request looks up one.
func manyConf(at string) string {
	return base + openPort + "server_persistent_connections off\ndns_nameservers " + at + "\n"
}

// TestTenThousandNames has clients ask for as many names of a real name server, each of which leads to an address of its own.
func TestTenThousandNames(t *testing.T) {
	const clients = 40
	at, _ := unbound(t, allManyNames)
	o := anyAddress(t)
	x := start(t, exaproxy(), world(t), manyConf(at))
	began := time.Now()
	for _, complaint := range rush(x, clients, manyNames/clients, func(client, n int) (string, func(*http.Response) string) {
		name, addr := manyName(n*clients + client)
		return "http://" + name + ":" + o.port() + "/", reachedAt(addr)
	}) {
		t.Error(complaint)
	}
	t.Logf("%d names in %s", manyNames, time.Since(began).Round(time.Millisecond))
	if requests, _ := o.counts(); requests != manyNames {
		t.Errorf("%d requests have come to the origin, want %d", requests, manyNames)
	}
	if log := x.cacheLog(); strings.Contains(log, "name server") {
		t.Errorf("the name server is complained about:\n%s", log)
	}
}

// TestStoppedNameServer has no request wait for longer than dns_timeout while the only name server is stopped for 10 s; names
// that are known go on, others when it is back.
func TestStoppedNameServer(t *testing.T) {
	const known, stoppedFor, patience = 20, 10 * time.Second, 20 * time.Second
	at, server := unbound(t, allManyNames)
	o := anyAddress(t)
	x := start(t, exaproxy(), world(t), manyConf(at)+"workers 1\ndns_timeout 3 seconds\ndns_retransmit_interval 1 second\nnegative_dns_ttl 1 second\n")
	url := func(n int) string { name, _ := manyName(n); return "http://" + name + ":" + o.port() + "/" }
	here := func(n int) func(*http.Response) string { _, addr := manyName(n); return reachedAt(addr) }
	for n := range known {
		if complaint := one(x.client(), url(n), here(n)); complaint != "" {
			t.Fatal(complaint)
		}
	}
	server.Process.Signal(syscall.SIGSTOP)
	if !poll(20*time.Second, func() bool { return stopped(server.Process.Pid) }) {
		t.Fatal("the name server does not stop")
	}
	began := time.Now()
	var unknown atomic.Int64
	var all sync.WaitGroup
	for client := range 8 {
		all.Go(func() {
			c := x.client()
			defer c.CloseIdleConnections()
			for time.Since(began) < stoppedFor {
				n := known + int(unknown.Add(1))
				asked := time.Now()
				if complaint := one(c, url(n), expect(http.StatusServiceUnavailable)); complaint != "" {
					t.Error(complaint)
				}
				if took := time.Since(asked); took > patience {
					t.Errorf("%s was answered after %s", url(n), took)
				}
				for n := range known {
					if complaint := one(c, url((n+client)%known), here((n+client)%known)); complaint != "" {
						t.Error(complaint)
					}
				}
			}
		})
	}
	all.Wait()
	t.Logf("%d unknown names were refused", unknown.Load())
	server.Process.Signal(syscall.SIGCONT)
	last := manyNames - 1
	x.eventually("finds names again", 30*time.Second, func() bool { return one(x.client(), url(last), here(last)) == "" })
	for n := known; n <= known+int(unknown.Load()); n++ {
		x.eventually("finds those that it did not", 30*time.Second, func() bool { return one(x.client(), url(n), here(n)) == "" })
	}
	log := x.cacheLog()
	for _, want := range []string{"name server does not answer", "name server answers again"} {
		if strings.Count(log, want) == 0 {
			t.Errorf("the log does not say %q:\n%s", want, log)
		}
	}
	if strings.Contains(log, "in the name of") {
		t.Errorf("late answers are taken for forged ones:\n%s", log)
	}
}

// TestNameServersThatLie has answers come that are not to the question, or not from the server, before the one that is, which
// has records in it that nobody asked for. Nothing of that counts.
func TestNameServersThatLie(t *testing.T) {
	const good, evil = "127.30.0.1", "127.66.6.6"
	host := fmt.Sprintf("127.53.%d.%d", 1+rand.IntN(254), 1+rand.IntN(254))
	server, err := net.ListenPacket("udp", host+":0")
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := net.ListenPacket("udp", host+":0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	t.Cleanup(func() { server.Close(); stranger.Close(); <-ended })
	go func() {
		defer close(ended)
		buffer := make([]byte, 4096)
		for {
			n, from, err := server.ReadFrom(buffer)
			if err != nil {
				return
			}
			q := new(dns.Msg)
			if q.Unpack(buffer[:n]) == nil {
				lie(server, stranger, from, q, good, evil)
			}
		}
	}()
	o := anyAddress(t)
	x := start(t, exaproxy(), world(t), manyConf(server.LocalAddr().String()))
	for n := range 30 {
		for _, name := range []string{fmt.Sprintf("n%d.test", n), fmt.Sprintf("extra.n%d.test", n)} {
			if complaint := one(x.client(), "http://"+name+":"+o.port()+"/", reachedAt(good)); complaint != "" {
				t.Error(complaint)
			}
		}
	}
	if requests, _ := o.counts(); requests != 60 {
		t.Errorf("%d requests have come to the origin", requests)
	}
}

// lie sends lies about the evil address, and then the good answer to a question, in which is a lie about another name.
func lie(server, stranger net.PacketConn, to net.Addr, q *dns.Msg, good, evil string) {
	name := q.Question[0].Name
	send := func(conn net.PacketConn, addr string, change func(*dns.Msg)) {
		m := new(dns.Msg).SetReply(q)
		m.RecursionAvailable = true
		if q.Question[0].Qtype == dns.TypeA {
			m.Answer = []dns.RR{aRecord(name, addr)}
		}
		change(m)
		if data, err := m.Pack(); err == nil {
			conn.WriteTo(data, to)
		}
	}
	send(stranger, evil, func(*dns.Msg) {})
	send(server, evil, func(m *dns.Msg) { m.Id++ })
	send(server, evil, func(m *dns.Msg) { m.Question[0].Name = "www." + name })
	send(server, evil, func(m *dns.Msg) { m.Response = false })
	send(server, evil, func(m *dns.Msg) {
		m.Answer = []dns.RR{aRecord("www."+name, evil)}
		m.Rcode = dns.RcodeServerFailure
		m.Id--
	})
	send(server, good, func(m *dns.Msg) {
		m.Answer = append(m.Answer, aRecord("extra."+name, evil))
		m.Ns = append(m.Ns, &dns.NS{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeNS, Class: dns.ClassINET, Ttl: 600}, Ns: "extra." + name})
		m.Extra = append(m.Extra, aRecord("extra."+name, evil))
	})
}

func aRecord(name, addr string) dns.RR {
	return &dns.A{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 600}, A: net.ParseIP(addr)}
}

// TestNothingListensOnUDP has a proxy open no datagram socket but those that are connected to its name server.
func TestNothingListensOnUDP(t *testing.T) {
	at, _ := unbound(t, func(yield func(name, addr string) bool) { yield("a.test", "127.20.0.1") })
	o := anyAddress(t)
	x := start(t, exaproxy(), world(t), manyConf(at))
	if all := datagramSockets(x.pid()); len(all) != 0 {
		t.Errorf("it has datagram sockets before it asks for a name: %q", all)
	}
	if complaint := one(x.client(), "http://a.test:"+o.port()+"/", reachedAt("127.20.0.1")); complaint != "" {
		t.Error(complaint)
	}
	addr := net.ParseIP(strings.Split(at, ":")[0]).To4()
	_, port, _ := net.SplitHostPort(at)
	want := fmt.Sprintf("%02X%02X%02X%02X:%04X", addr[3], addr[2], addr[1], addr[0], atoi(t, port))
	all := datagramSockets(x.pid())
	if len(all) == 0 {
		t.Error("it has asked for a name without a socket")
	}
	for _, remote := range all {
		if remote != want {
			t.Errorf("a datagram socket is connected to %s, want %s", remote, want)
		}
	}
}

// datagramSockets are the remote ends of a process's (proc_pid_net(5)); that of one that listens is zeroes.
func datagramSockets(pid int) (remotes []string) {
	const remote, inode = 2, 9
	own := sockets(pid)
	for _, table := range []string{"udp", "udp6", "udplite", "raw", "raw6"} {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, table))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(data)) {
			if f := strings.Fields(line); len(f) > inode && own[f[inode]] {
				remotes = append(remotes, f[remote])
			}
		}
	}
	return remotes
}
