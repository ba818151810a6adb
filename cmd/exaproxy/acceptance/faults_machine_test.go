package acceptance

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sys/unix"
)

// TestNamesOfASilentZoneTakeNoRoom has clients ask for names whose server says nothing, and leave: more than a
// worker's table of queries has room for.
func TestNamesOfASilentZoneTakeNoRoom(t *testing.T) {
	const room, crowd = 1 << 15, 100 // two queries for each name: more at once and the server loses some
	var silent atomic.Int64
	server := nameServerOf(t, func(q dns.Question) []dns.RR {
		if strings.HasSuffix(q.Name, ".silent.test.") {
			silent.Add(1)
			<-t.Context().Done()
		}
		if q.Qtype == dns.TypeA {
			return []dns.RR{address(q.Name, "127.0.0.1", 60)}
		}
		return []dns.RR{}
	})
	o := newOrigin(t, "127.0.0.1", pages())
	x := start(t, exaproxy(), world(t), server+base+openPort+"workers 1\ndns_timeout 5 minutes\ndns_retransmit_interval 5 minutes\n")
	for n := range (room + room/8) / (2 * crowd) {
		before := silent.Load()
		leave := impatient(t, x, crowd, func(i int) string { return fmt.Sprintf("http://%d-%d.silent.test/", n, i) })
		if n*2*crowd < room { // beyond it there need be no more questions
			x.eventually("asks for the names", 30*time.Second, func() bool { return silent.Load() >= before+crowd })
		}
		leave()
	}
	for n := range 20 {
		if complaint := one(x.client(), fmt.Sprintf("http://%d.good.test:%s/", n, o.port()), expect(http.StatusOK)); complaint != "" {
			t.Fatal(complaint)
		}
	}
}

// impatient are clients that ask and do not wait for an answer.
func impatient(t *testing.T, x *proxy, clients int, url func(int) string) (leave func()) {
	t.Helper()
	var conns []net.Conn
	for i := range clients {
		conn, err := net.Dial("tcp", x.addr())
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(conn, get(url(i)))
		conns = append(conns, conn)
	}
	return func() {
		for _, conn := range conns {
			conn.(*net.TCPConn).SetLinger(0) // or it would keep its port for a minute
			conn.Close()
		}
	}
}

// TestStandardErrorThatNobodyReadsHoldsUpNothing has a full pipe as the proxy's standard error, to which helpers write too.
func TestStandardErrorThatNobodyReadsHoldsUpNothing(t *testing.T) {
	dir := world(t)
	o := newOrigin(t, "127.0.0.1", pages())
	fifo := filepath.Join(dir, "stderr")
	if err := unix.Mkfifo(fifo, 0o666); err != nil {
		t.Fatal(err)
	}
	pipe, err := os.OpenFile(fifo, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	fillPipe(t, pipe)
	conf := writeFile(t, dir, "squid.conf", fill(dir, base+openPort+
		wrapped(t, dir, `echo "a complaint" >&2; echo "another" >&2`, "-record {dir}/lines")+
		"url_rewrite_children 2 startup=2\n"))
	x := launch(t, program{path: "/bin/sh", args: []string{"-c", `exec "$@" 2>"$0"`, fifo, built.proxy}}, dir, "-N", "-d1", "-f", conf)
	x.eventually("listens", 20*time.Second, func() bool {
		x.addrs = accepting(x.cacheLog())
		return len(x.addrs) > 0 && x.listening()
	})
	served := func(when string) {
		t.Helper()
		for n := range 20 {
			if complaint := one(x.client(), fmt.Sprintf("%s/%d", o.URL, n), expect(http.StatusOK)); complaint != "" {
				t.Fatalf("%s %s", when, complaint)
			}
		}
	}
	served("at the start")
	reconfigured(t, x, 1)
	served("after a reconfiguration")
	x.signal(syscall.SIGTERM)
	if status := x.wait(20 * time.Second); status != 0 {
		t.Errorf("it ends with status %d", status)
	}
}

// fillPipe writes to a pipe until it takes no more.
func fillPipe(t *testing.T, pipe *os.File) {
	t.Helper()
	raw, err := pipe.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	page := make([]byte, os.Getpagesize())
	for err == nil {
		raw.Write(func(fd uintptr) bool {
			_, err = unix.Write(int(fd), page)
			return true
		})
	}
	if err != unix.EAGAIN {
		t.Fatal(err)
	}
}

// TestTheCacheLogTellsOfHelpersAndIsNotFilledByThem looks at what is said of helpers that start, die and are silent.
func TestTheCacheLogTellsOfHelpersAndIsNotFilledByThem(t *testing.T) {
	dir := world(t)
	o := newOrigin(t, "127.0.0.1", pages())
	writeRules(t, dir, "/poison", "exit", "/silent", "silence")
	x := start(t, exaproxy(), dir, base+openPort+"workers 1\nurl_rewrite_program {helper} -rules {dir}/rules\nurl_rewrite_children 2 startup=2\n"+
		"url_rewrite_timeout 2 seconds on_timeout=fail\n")
	x.logs("helperOpenServers: Starting 2/2 ", 10*time.Second)
	const poisons = 12
	for n := range poisons { // each ends three helpers
		if complaint := one(x.client(), fmt.Sprintf("%s/poison/%d", o.URL, n), expect(http.StatusServiceUnavailable)); complaint != "" {
			t.Error(complaint)
		}
	}
	x.logs("ended by itself", 10*time.Second)
	x.exchange(asked{raw: get(o.URL + "/silent")})
	x.logs("does it flush its output?", 20*time.Second)
	reconfigured(t, x, 1)
	x.signal(syscall.SIGTERM)
	x.wait(30 * time.Second)
	log := x.cacheLog()
	if n := strings.Count(log, "ended by itself"); n > 3 {
		t.Errorf("of %d deaths of a kind cache.log tells in %d lines", 3*poisons, n)
	}
	if strings.Contains(log, "signal: terminated") {
		t.Error("cache.log tells of helpers that we have ended ourselves as of a fault")
	}
}

// TestAHelperThatTheUserCannotReachIsNamed has a helper in a folder of root's alone.
func TestAHelperThatTheUserCannotReachIsNamed(t *testing.T) {
	if _, err := user.Lookup("proxy"); os.Getuid() != 0 || err != nil {
		t.Skip("this test needs root's rights and a user to give them up for (Debian's proxy)")
	}
	dir := world(t)
	closed := filepath.Join(dir, "closed")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	helper := writeFile(t, closed, "helper", "#!/bin/sh\nexec cat\n")
	os.Chmod(helper, 0o755)
	conf := writeFile(t, dir, "squid.conf", fill(dir, base+openPort+"cache_effective_user proxy\nurl_rewrite_program "+helper+"\n"))
	_, said := run(t, "-k", "parse", "-f", conf)
	for _, want := range []string{"user 'proxy'", "cannot enter the folder " + closed} {
		if !strings.Contains(said, want) {
			t.Errorf("-k parse says nothing of %q: %s", want, said)
		}
	}
}

// TestTheGuardKnowsAnAddressThatTheMachineGetsLater has the machine get one while the proxy runs, in a network of its own.
func TestTheGuardKnowsAnAddressThatTheMachineGetsLater(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("a network of its own needs root")
	}
	done := make(chan struct{})
	go func() { // on a thread that ends with it; what it starts is in its network too
		defer close(done)
		runtime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			t.Errorf("no network of its own: %v", err)
			return
		}
		addAddress(t, "lo", "127.0.0.1")
		addAddress(t, "lo:1", "203.0.113.1")
		x := start(t, exaproxy(), world(t), base+"http_port 0.0.0.0:13128\n")
		x.addrs = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:13128")}
		ask := func(host string) string { return x.exchange(asked{raw: get("http://" + host + ":13128/")}).status }
		if got := ask("203.0.113.1"); !strings.Contains(got, " 403 ") {
			t.Errorf("an address of the machine is answered %q", got)
		}
		if got := ask("192.0.2.7"); !strings.Contains(got, " 503 ") {
			t.Errorf("an address to which no way leads is answered %q", got)
		}
		addAddress(t, "lo:2", "192.0.2.7")
		if got := ask("192.0.2.7"); !strings.Contains(got, " 403 ") {
			t.Errorf("when the machine has it, it is answered %q", got)
		}
		x.kill()
	}()
	<-done
}

// addAddress gives an interface of this thread's network an IPv4 address (netdevice(7)).
func addAddress(t *testing.T, name, addr string) {
	t.Helper()
	sys, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Error(err)
		return
	}
	defer unix.Close(sys)
	request, _ := unix.NewIfreq(name)
	request.SetInet4Addr(netip.MustParseAddr(addr).AsSlice())
	if err := unix.IoctlIfreq(sys, unix.SIOCSIFADDR, request); err != nil {
		t.Error(err)
	}
	request.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(sys, unix.SIOCSIFFLAGS, request); err != nil {
		t.Error(err)
	}
}
