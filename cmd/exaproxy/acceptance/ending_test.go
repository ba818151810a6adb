package acceptance

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A gate is an origin whose answers wait until it is opened.
type gate struct {
	*origin
	open    chan struct{}
	waiting atomic.Int64
}

func newGate(t *testing.T) *gate {
	g := &gate{open: make(chan struct{})}
	mux := http.NewServeMux()
	mux.Handle("/", pages())
	mux.HandleFunc("/waits/", func(w http.ResponseWriter, r *http.Request) {
		g.waiting.Add(1)
		select {
		case <-g.open:
		case <-r.Context().Done():
		}
		fmt.Fprintln(w, "at last")
	})
	g.origin = newOrigin(t, "127.0.0.1", mux)
	return g
}

// occupied is a proxy with 20 transactions whose origin keeps them waiting, and ten idle clients.
func occupied(t *testing.T) (*proxy, *gate, *crowd) {
	t.Helper()
	g := newGate(t)
	x := start(t, exaproxy(), world(t), base+openPort+"shutdown_lifetime 30 seconds\n")
	for range 10 {
		reused(t, x, g.origin)
	}
	c := gather(t, x, 20, func(n int) string { return get(fmt.Sprintf("%s/waits/%d", g.URL, n)) })
	x.eventually("has all transactions at the origin", 10*time.Second, func() bool { return g.waiting.Load() == 20 })
	return x, g, c
}

func TestShutdownWaitsForTransactionsAndNoLonger(t *testing.T) {
	x, g, c := occupied(t)
	x.signal(syscall.SIGTERM)
	x.eventually("closes its port", 5*time.Second, func() bool {
		conn, err := net.Dial("tcp", x.addr())
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	if x.hasEnded() {
		t.Fatal("the proxy has ended before its transactions")
	}
	began := time.Now()
	close(g.open)
	c.wait(t)
	if n := c.good.Load(); n != 20 {
		t.Errorf("%d of 20 transactions ended well: %s", n, c.complaints())
	}
	if status := x.wait(5 * time.Second); status != 0 {
		t.Errorf("the exit status is %d, want 0", status)
	}
	t.Logf("the proxy ended %s after its last transaction began to be answered", time.Since(began).Round(time.Millisecond))
	ended := 0
	for _, line := range x.logged(120)[100:] {
		switch {
		case strings.Contains(line, "TCP_MISS/200"):
			ended++
		case strings.Contains(line, "error:transaction-end-before-headers"): // who looked whether the port is closed
		default:
			t.Errorf("a transaction that ended during the shutdown is logged as %q", line)
		}
	}
	if ended != 20 {
		t.Errorf("%d of the 20 transactions that ended during the shutdown are logged", ended)
	}
}

func TestShutdownOfAnIdleProxyIsImmediate(t *testing.T) {
	x := start(t, exaproxy(), world(t), base+openPort+"shutdown_lifetime 30 seconds\n")
	began := time.Now()
	x.signal(syscall.SIGTERM)
	if status := x.wait(5 * time.Second); status != 0 {
		t.Errorf("the exit status is %d, want 0", status)
	}
	t.Logf("it took %s", time.Since(began).Round(time.Millisecond))
}

func TestASecondTERMEndsTheWait(t *testing.T) {
	x, _, _ := occupied(t)
	x.signal(syscall.SIGTERM)
	x.logs("Waiting up to 30 seconds", 5*time.Second)
	x.signal(syscall.SIGTERM)
	if status := x.wait(5 * time.Second); status != 0 {
		t.Errorf("the exit status is %d, want 0", status)
	}
	if n := len(x.accessLog()); n != 120 {
		t.Errorf("%d transactions are logged, want 100 that ended well and 20 that did not", n)
	}
}

func TestINTIsQuick(t *testing.T) {
	x, _, _ := occupied(t)
	x.signal(syscall.SIGINT)
	if status := x.wait(5 * time.Second); status != 0 {
		t.Errorf("the exit status is %d, want 0", status)
	}
}

// TestReconfigureLosesNothing sends HUP again and again, with good and with bad files, while clients ask
// on kept connections and on new ones.
func TestReconfigureLosesNothing(t *testing.T) {
	const rounds = 20
	dir := world(t)
	o := newOrigin(t, "127.0.0.1", pages())
	helperLine := "url_rewrite_program {helper}\nurl_rewrite_children 3 startup=1 idle=1\n"
	x := start(t, exaproxy(), dir, base+helperLine+openPort)
	variants := []string{
		base + openPort + helperLine,
		base + openPort + helperLine + "frobnicate on\n",               // unknown
		base + openPort + "via off\nforwarded_for delete\n",            // without helpers
		base + openPort + helperLine + "http_access allow nosuchacl\n", // wrong
		base + openPort + helperLine + "url_rewrite_extras \"%>a %>rm\"\n",
	}

	stop := make(chan struct{})
	var asked, refused atomic.Int64
	results := make(chan string, 16)
	for range 4 {
		go func() { results <- keepAsking(x, o.URL+"/kept", true, stop, &asked) }()
		go func() { results <- keepAsking(x, o.URL+"/new", false, stop, &asked) }()
	}
	for round := range rounds {
		text := variants[round%len(variants)]
		writeFile(t, dir, "squid.conf", fill(dir, text))
		x.signal(syscall.SIGHUP)
		x.eventually("answers a HUP", 10*time.Second, func() bool {
			said := x.cacheLog()
			return strings.Count(said, "Reconfigured:")+strings.Count(said, "the configuration was not changed") == round+1
		})
		conn, err := net.Dial("tcp", x.addr())
		if err != nil {
			refused.Add(1)
			continue
		}
		conn.Close()
	}
	close(stop)
	for range 8 {
		if complaint := <-results; complaint != "" {
			t.Error(complaint)
		}
	}
	if n := refused.Load(); n > 0 {
		t.Errorf("the port refused %d times", n)
	}
	t.Logf("%d requests during %d HUPs", asked.Load(), rounds)

	writeFile(t, dir, "squid.conf", fill(dir, "acl no urlpath_regex ^/no\nhttp_access deny no\n"+base+openPort+helperLine))
	x.signal(syscall.SIGHUP)
	x.eventually("follows the new configuration", 10*time.Second, func() bool {
		return one(x.client(), o.URL+"/no", expect(http.StatusForbidden)) == ""
	})
	for _, want := range []string{"unrecognized: 'frobnicate'", "ACL not found: nosuchacl"} {
		if !strings.Contains(x.cacheLog(), want) {
			t.Errorf("cache.log does not say %q", want)
		}
	}
}

// keepAsking asks for a URL until told to stop, and returns the first complaint.
func keepAsking(x *proxy, url string, keep bool, stop <-chan struct{}, asked *atomic.Int64) string {
	c := x.client()
	defer c.CloseIdleConnections()
	for {
		select {
		case <-stop:
			return ""
		default:
		}
		asked.Add(1)
		if complaint := one(c, url, expect(http.StatusOK)); complaint != "" {
			return complaint
		}
		if !keep {
			c.CloseIdleConnections()
		}
	}
}
