package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// fifoPlace is a place whose access_log is a pipe that the test has open, and does not read.
func fifoPlace(t *testing.T) (p *place, reader *os.File) {
	t.Helper()
	p = newPlace(t, "")
	if err := unix.Mkfifo(p.path("access.log"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(p.path("access.log"), 0o666); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(p.path("access.log"), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close() })
	return p, reader
}

// TestSignalsBesideAStuckLog has every signal do its work while the pipe that is the access log is full,
// or was never opened by a reader.
func TestSignalsBesideAStuckLog(t *testing.T) {
	for _, row := range []struct {
		name string
		open bool
		last syscall.Signal
	}{
		{"full, TERM", true, syscall.SIGTERM}, {"full, INT", true, syscall.SIGINT}, {"without a reader", false, syscall.SIGTERM},
	} {
		t.Run(row.name, func(t *testing.T) {
			p, reader := fifoPlace(t)
			long := "logformat long " + strings.Repeat("x", 4000) + "\n"
			p.write("squid.conf", long+strings.Replace(p.read("squid.conf"), "access.log squid", "access.log long", 1))
			if !row.open {
				reader.Close()
			}
			x := p.start()
			for range 30 { // more than a pipe holds
				x.get("http://127.0.0.1:1/")
			}
			x.signal(syscall.SIGUSR1)
			x.expect("Log files are rotated")
			x.signal(syscall.SIGHUP)
			x.expect("Reconfigured")
			x.signal(syscall.SIGUSR1)
			x.expect("Log files are rotated")
			if status, _ := x.get("http://127.0.0.1:1/"); status != 503 {
				t.Errorf("afterwards a GET gives %d", status)
			}
			x.signal(row.last)
			if status := x.wait(); status != 0 {
				t.Errorf("the exit status is %d", status)
			}
			if log := p.read("cache.log"); !strings.Contains(log, "bytes could not be written and are lost") {
				t.Errorf("cache.log does not say what was lost:\n%s", log)
			}
		})
	}
}

// TestRequestsWaitForAFullLog fills the memory for the lines of a pipe that nobody reads. Further clients
// get their replies, wait, and hold no connection to the origin; the second TERM ends all at once.
func TestRequestsWaitForAFullLog(t *testing.T) {
	p, _ := fifoPlace(t)
	long := "logformat long " + strings.Repeat("x", 250<<10) + "\n"
	p.write("squid.conf", long+strings.Replace(p.read("squid.conf"), "access.log squid", "access.log long", 1))
	var opened atomic.Int32
	origin := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "ok") }))
	origin.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	origin.Start()
	defer origin.Close()
	x := p.start()
	before := descriptors(t, x)
	for range 64*4 + 100 {
		conn := x.dial()
		defer conn.Close()
		fmt.Fprintf(conn, "GET %s/ HTTP/1.1\r\nConnection: close\r\n\r\n", origin.URL)
		reply, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || reply.StatusCode != 200 {
			t.Fatalf("the reply is %v: %v", reply, err)
		}
	}
	if n := descriptors(t, x) - before; n < 50 {
		t.Errorf("%d descriptors are held: nobody waits for the log", n)
	}
	if n := opened.Load(); n > 20 {
		t.Errorf("there were %d connections to the origin: those who wait hold them", n)
	}
	x.signal(syscall.SIGHUP)
	x.expect("Reconfigured")
	x.signal(syscall.SIGTERM)
	x.expect("Waiting up to 30 seconds for active connections to finish")
	x.signal(syscall.SIGTERM)
	if status := x.wait(); status != 0 {
		t.Errorf("the exit status is %d", status)
	}
}

// descriptors counts what a proxy has open.
func descriptors(t *testing.T, x *proxy) int {
	t.Helper()
	names, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", x.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}

// TestStderrThatNobodyReads has a helper say more than the pipe of standard error holds: requests go on,
// and the program ends.
func TestStderrThatNobodyReads(t *testing.T) {
	p := newPlace(t, "")
	p.write("chatter.sh", "#!/bin/sh\nwhile read line; do\nyes 0123456789012345678901234567890123456789 | head -n 5000 >&2\necho\ndone\n")
	if err := os.Chmod(p.path("chatter.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	p.write("squid.conf", p.read("squid.conf")+"url_rewrite_program "+p.path("chatter.sh")+"\nurl_rewrite_children 1\n")
	x := p.start()
	for range 10 {
		if status, _ := x.get("http://127.0.0.1:1/"); status != 503 {
			t.Fatalf("a GET gives %d", status)
		}
	}
	x.signal(syscall.SIGHUP)
	x.signal(syscall.SIGTERM)
	// the end is waited for without reading
	ended := make(chan int)
	go func() {
		state, _ := x.cmd.Process.Wait()
		ended <- state.ExitCode()
	}()
	if status := <-ended; status != 0 {
		t.Errorf("the exit status is %d", status)
	}
	said, _ := io.ReadAll(x.said)
	if len(said) == 0 || !strings.Contains(p.read("cache.log"), "Exiting normally.") {
		t.Errorf("cache.log is not whole, or nothing was said (%d bytes)", len(said))
	}
}
