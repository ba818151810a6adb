package acceptance

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// An arrived is what has arrived somewhere. Any goroutine may use it.
type arrived struct {
	mu   sync.Mutex
	text strings.Builder
}

func (h *arrived) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.Write(b)
}

func (h *arrived) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.String()
}

// logPlaces are where logs may go that are no files.
type logPlaces struct {
	udp          net.PacketConn
	tcp          net.Listener
	byUDP, byTCP arrived
}

func newLogPlaces(t *testing.T) *logPlaces {
	p := &logPlaces{}
	var err error
	if p.udp, err = net.ListenPacket("udp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	if p.tcp, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.udp.Close(); p.tcp.Close() })
	go func() {
		b := make([]byte, 1<<16)
		for {
			n, _, err := p.udp.ReadFrom(b)
			if err != nil {
				return
			}
			p.byUDP.Write(b[:n])
		}
	}()
	go func() {
		for {
			c, err := p.tcp.Accept()
			if err != nil {
				return
			}
			go io.Copy(&p.byTCP, c)
		}
	}()
	return p
}

// logsElsewhere has a proxy log three requests by UDP, by TCP and to a program, and rotate, and returns what arrived.
func logsElsewhere(t *testing.T, p program, o *origin) (byUDP, byTCP, toProgram string) {
	places, dir := newLogPlaces(t), world(t)
	daemon := writeFile(t, dir, "daemon", "#!/bin/sh\nexec cat >>\"$1\"\n")
	if err := os.Chmod(daemon, 0o755); err != nil {
		t.Fatal(err)
	}
	x := start(t, p, dir, strings.NewReplacer("{udp}", places.udp.LocalAddr().String(), "{tcp}", places.tcp.Addr().String()).Replace(
		`workers 1
logformat short %rm %ru %03>Hs "%{X}>h"
access_log udp://{udp} logformat=short
access_log tcp://{tcp} logformat=short on-error=drop
access_log daemon:{dir}/program.log logformat=short
logfile_rotate 4
logfile_daemon {dir}/daemon
shutdown_lifetime 1 second
`+base+"http_port 127.0.0.1:"+freePort(t)+"\n"))
	for _, url := range []string{"/plain", "/notfound?secret", "/plain?%22"} {
		x.exchange(asked{raw: "GET http://" + o.addr() + url + " HTTP/1.1\r\nHost: a\r\nX: a\"b\xff\r\n\r\n"})
	}
	log := filepath.Join(dir, "program.log")
	told := func() string { b, _ := os.ReadFile(log); return string(b) }
	all := func(text string) bool { return strings.Count(text, "GET ") == 3 }
	x.eventually("gives a program all lines", 10*time.Second, func() bool { return all(told()) })
	x.signal(syscall.SIGUSR1)
	x.eventually("tells the program of the rotation", 10*time.Second, func() bool { return strings.Contains(told(), "R\n") })
	x.signal(syscall.SIGTERM) // Squid keeps lines for a datagram until then
	x.eventually("sends all lines", 10*time.Second, func() bool { return all(places.byUDP.String()) && all(places.byTCP.String()) })
	return places.byUDP.String(), places.byTCP.String(), strings.ReplaceAll(told(), "F\n", "") // Squid says F behind each line
}

// TestLogsElsewhere has the same bytes arrive as from Squid.
func TestLogsElsewhere(t *testing.T) {
	squid, o := squid(t), newOrigin(t, "127.0.0.5", pages())
	var ours, theirs [3]string
	ours[0], ours[1], ours[2] = logsElsewhere(t, exaproxy(), o)
	theirs[0], theirs[1], theirs[2] = logsElsewhere(t, squid, o)
	for i, place := range []string{"UDP", "TCP", "a program"} {
		if ours[i] != theirs[i] {
			t.Errorf("by %s there is\n%q, but of Squid's\n%q", place, ours[i], theirs[i])
		}
	}
	if !strings.HasPrefix(ours[2], "r4\nb0\nLGET http://") || !strings.HasSuffix(ours[2], "\nR\n") {
		t.Errorf("the program has %q", ours[2])
	}
}

// TestLogThatMustNotBeLost has the proxy end with a log of on-error=die that nobody takes.
func TestLogThatMustNotBeLost(t *testing.T) {
	dir := world(t)
	x := start(t, exaproxy(), dir, base+openPort+"logformat long %{"+strings.Repeat("x", 100)+"}>h %ru\naccess_log tcp://127.0.0.1:"+freePort(t)+" logformat=long on-error=die buffer-size=1\n")
	o := newOrigin(t, "127.0.0.5", pages())
	url := "http://" + o.addr() + "/" + strings.Repeat("y", 6000)
	for range 100 {
		conn, err := x.dialFrom("")
		if err != nil {
			break // it has ended
		}
		conn.SetDeadline(time.Now().Add(4 * time.Second))
		io.WriteString(conn, get(url))
		readExchange(conn, "GET", "")
		conn.Close()
	}
	if status := x.wait(10 * time.Second); status != 1 {
		t.Errorf("it ends with status %d", status)
	}
	for _, text := range []string{" logger connection attempt #1 failed. Will keep trying every 0.50 seconds.", "FATAL: tcp:127.0.0.1:", "a line is lost, and its access_log says on-error=die"} {
		if !strings.Contains(x.cacheLog(), text) {
			t.Errorf("cache.log does not say %q", text)
		}
	}
}
