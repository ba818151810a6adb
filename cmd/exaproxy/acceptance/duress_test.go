package acceptance

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"exaproxy/engine/canary"
)

// mostWaiting is how many bytes a request may hold while it waits for helpers, all of what is resident for its
// client and its head included.
const mostWaiting = 4096

// browserGet is a request with a head of about 1,000 bytes, as browsers send them.
func browserGet(url string) string {
	head := "GET " + url + " HTTP/1.1\r\nHost: header.test\r\nProxy-Connection: keep-alive\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\r\n" +
		"Accept: text/css,*/*;q=0.1\r\nAccept-Encoding: gzip, deflate\r\nAccept-Language: en-GB,en;q=0.9\r\nCookie: session="
	return head + strings.Repeat("c", 1000-4-len(head)) + "\r\n\r\n"
}

func TestStoppedHelpersKeepFiveThousandClientsWaiting(t *testing.T) {
	const clients = 5000
	dir := world(t)
	o := newOrigin(t, "127.0.0.1", pages())
	x := start(t, exaproxy(), dir, base+openPort+
		"url_rewrite_program {helper}\nurl_rewrite_children 5 startup=5 idle=1\n")
	warm := rush(x, 20, 20, func(client, n int) (string, func(*http.Response) string) {
		return o.URL + "/warm", expect(http.StatusOK)
	})
	for _, complaint := range warm {
		t.Error(complaint)
	}
	before := resident(x.pid())
	helpers := children(x.pid())
	if len(helpers) != 5 {
		t.Fatalf("there are %d helpers, want 5", len(helpers))
	}
	const rounds = 4
	var half, full, rest [rounds]int64
	for round := range rounds {
		half[round], full[round], rest[round] = crowded(t, x, helpers, clients, o.URL)
		t.Logf("resident: %d kB with %d clients waiting, %d kB with %d, %d kB after they left",
			half[round]>>10, clients/2, full[round]>>10, clients, rest[round]>>10)
	}
	// What a request holds is what the second half of the first crowd adds: later ones find memory that others had.
	each := (full[0] - half[0]) / (clients / 2)
	t.Logf("resident: %d kB before; %d bytes for each of the second half of the first crowd", before>>10, each)
	if each > mostWaiting && !canary.On {
		t.Errorf("a request that waits holds %d bytes, want at most %d", each, mostWaiting)
	}
	// The heap may grow by half before the collector runs (garbagePercent in memory.go); from then on nothing
	// is added. Crowds are compared while they wait, when what is resident is in use: once they have left, the
	// proxy gives it back as soon as it has been quiet for 10 s (its tidier), in the middle of the test if the
	// machine is slow.
	if most := full[1] + full[1]/2; full[rounds-1] > most {
		t.Errorf("what is resident grows from crowd to crowd: %v", full)
	}
	x.eventually("gives the memory back when it is quiet", time.Minute, func() bool {
		return resident(x.pid()) < before+8<<20
	})
	t.Logf("resident: %d kB when it was quiet", resident(x.pid())>>10)
	x.logged(rounds*clients + 400)
}

// crowded has clients wait for stopped helpers, then be served and leave, and returns the memory that is
// resident while half of them wait, while all do, and when they have left.
func crowded(t *testing.T, x *proxy, helpers []int, clients int, url string) (half, full, rest int64) {
	t.Helper()
	for _, pid := range helpers {
		syscall.Kill(pid, syscall.SIGSTOP)
		x.eventually("has a stopped helper", 5*time.Second, func() bool { return stopped(pid) })
	}
	ask := func(n int) string { return browserGet(fmt.Sprintf("%s/waits/%d", url, n)) }
	first := gather(t, x, clients/2, ask)
	half = x.residentWith(clients / 2)
	second := gather(t, x, clients-clients/2, ask)
	full = x.residentWith(clients)
	crowds := []*crowd{first, second}
	if early := first.answered.Load() + second.answered.Load(); early != 0 {
		t.Errorf("%d clients were answered while no helper could", early)
	}
	for _, pid := range helpers {
		syscall.Kill(pid, syscall.SIGCONT)
	}
	for _, c := range crowds {
		c.wait(t)
		if n := c.good.Load(); int(n) != len(c.conns) {
			t.Errorf("%d of %d clients were answered well; %s", n, len(c.conns), c.complaints())
		}
	}
	for _, c := range crowds {
		c.leave()
	}
	x.eventually("closes the connections", 20*time.Second, func() bool { return tcpClients(x.pid()) == 0 })
	return half, full, resident(x.pid())
}

// residentWith is the memory that is resident when the proxy has read what so many clients have asked.
func (x *proxy) residentWith(clients int) int64 {
	x.t.Helper()
	x.eventually("reads what all clients ask", 20*time.Second, func() bool {
		_, heard := heardClients(x.pid())
		return heard >= clients
	})
	return resident(x.pid())
}

// A crowd is many clients with one question each, on connections that stay.
type crowd struct {
	conns    []net.Conn
	answered atomic.Int64
	good     atomic.Int64
	all      sync.WaitGroup
	mu       sync.Mutex
	bad      []string
}

// gather connects n clients, each of which asks and waits.
func gather(t *testing.T, x *proxy, n int, ask func(int) string) *crowd {
	t.Helper()
	c := &crowd{}
	t.Cleanup(c.leave)
	for i := range n {
		conn, err := x.dial()
		if err != nil {
			t.Fatalf("client %d is refused: %v", i, err)
		}
		c.conns = append(c.conns, conn)
		conn.SetDeadline(time.Now().Add(2 * time.Minute))
		if _, err := io.WriteString(conn, ask(i)); err != nil {
			t.Fatalf("client %d cannot ask: %v", i, err)
		}
		c.all.Go(func() { c.read(conn) })
	}
	return c
}

func (c *crowd) read(conn net.Conn) {
	reply, err := http.ReadResponse(bufio.NewReader(conn), nil)
	c.answered.Add(1)
	if err == nil && reply.StatusCode == http.StatusOK {
		if _, err = io.Copy(io.Discard, reply.Body); err == nil {
			c.good.Add(1)
			return
		}
	}
	text := fmt.Sprint(err)
	if err == nil {
		text = reply.Status
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.bad) < 10 {
		c.bad = append(c.bad, text)
	}
}

// wait waits until every client has what came of its question.
func (c *crowd) wait(t *testing.T) {
	t.Helper()
	done := make(chan struct{})
	go func() { c.all.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(90 * time.Second):
		t.Fatalf("only %d of %d clients were answered", c.answered.Load(), len(c.conns))
	}
}

func (c *crowd) complaints() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.bad, "; ")
}

func (c *crowd) leave() {
	for _, conn := range c.conns {
		conn.Close()
	}
}

func TestNoRequestPassesUnfilteredWhileHelpersAreKilled(t *testing.T) {
	const clients = 50
	const howLong = 5 * time.Second
	dir := world(t)
	o := newOrigin(t, "127.0.0.1", pages())
	x := start(t, exaproxy(), dir, base+openPort+
		"url_rewrite_program {helper} -answer OK\\sstatus=302\\surl=http://elsewhere.test/\\n\nurl_rewrite_children 5 startup=5 idle=1\n")

	deadline, killed := time.Now().Add(howLong), 0
	over := make(chan struct{})
	go func() {
		defer close(over)
		every := time.NewTicker(100 * time.Millisecond)
		defer every.Stop()
		for now := range every.C {
			if now.After(deadline) {
				return
			}
			if helpers := children(x.pid()); len(helpers) > 0 {
				syscall.Kill(helpers[killed%len(helpers)], syscall.SIGKILL)
				killed++
			}
		}
	}()
	var asked atomic.Int64
	var all sync.WaitGroup
	var mu sync.Mutex
	bad := map[string]int{}
	for range clients {
		all.Go(func() {
			c := x.client()
			defer c.CloseIdleConnections()
			for time.Now().Before(deadline) {
				asked.Add(1)
				if complaint := one(c, o.URL+"/filtered", expect(http.StatusFound)); complaint != "" {
					mu.Lock()
					bad[complaint]++
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	<-over
	for complaint, n := range bad {
		t.Errorf("%d times: %s", n, complaint)
	}
	if requests, _ := o.counts(); requests > 0 {
		t.Errorf("%d requests reached the origin unfiltered", requests)
	}
	t.Logf("%d requests, %d helpers killed", asked.Load(), killed)
	if killed < 20 || asked.Load() < clients {
		t.Errorf("%d helpers were killed under %d requests: too few to show anything", killed, asked.Load())
	}
}
