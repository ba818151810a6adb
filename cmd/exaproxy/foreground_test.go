package main

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestForegroundServesAndEnds(t *testing.T) {
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Header.Get("Via"))
	}))
	defer origin.Close()
	p := newPlace(t, "")
	x := p.start()
	if got := strings.TrimSpace(p.read("squid.pid")); got != fmt.Sprint(x.cmd.Process.Pid) {
		t.Errorf("the pid file has %s, the proxy is %d", got, x.cmd.Process.Pid)
	}
	if status, _ := x.get(origin.URL + "/x"); status != 200 {
		t.Errorf("GET through the proxy gives %d", status)
	}
	x.signal(syscall.SIGTERM)
	if status := x.wait(); status != 0 {
		t.Errorf("after SIGTERM the exit status is %d", status)
	}
	if log := p.read("access.log"); !strings.Contains(log, " TCP_MISS/200 ") || !strings.Contains(log, origin.URL+"/x") {
		t.Errorf("the access log is %q", log)
	}
	if log := p.read("cache.log"); !strings.Contains(log, "Exiting normally.") {
		t.Errorf("cache.log does not say that it ended:\n%s", log)
	}
	if text, err := os.ReadFile(p.path("squid.pid")); err == nil && len(text) > 0 {
		t.Errorf("the pid file is left behind, with %q", text)
	}
}

// TestTermEndsTheWait has a client with an unfinished request keep the proxy from ending, until
// the second SIGTERM or SIGINT.
func TestTermEndsTheWait(t *testing.T) {
	for _, last := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(last.String(), func(t *testing.T) {
			x := newPlace(t, "").start()
			held := make(chan struct{})
			origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(200)
				w.(http.Flusher).Flush()
				<-held
			}))
			defer origin.Close()
			defer close(held)
			conn := x.dial()
			defer conn.Close()
			fmt.Fprintf(conn, "GET %s/ HTTP/1.1\r\n\r\n", origin.URL)
			in := bufio.NewReader(conn)
			if line, err := in.ReadString('\n'); err != nil || !strings.Contains(line, " 200 ") {
				t.Fatalf("the reply begins %q: %v", line, err)
			}
			x.signal(syscall.SIGTERM)
			x.expect("Waiting up to 30 seconds for active connections to finish")
			x.signal(last)
			if status := x.wait(); status != 0 {
				t.Errorf("the exit status is %d", status)
			}
		})
	}
}

func TestReconfigure(t *testing.T) {
	p := newPlace(t, "")
	x := p.start()
	const url = "http://127.0.0.1:1/"
	if status, _ := x.get(url); status != 503 {
		t.Fatalf("before, a GET that cannot connect gives %d", status)
	}

	p.configure("bogus on")
	x.signal(syscall.SIGHUP)
	x.expect("unrecognized: 'bogus'")
	x.expect("ERROR: the configuration was not changed")
	if status, _ := x.get(url); status != 503 {
		t.Errorf("after a configuration that cannot be used, a GET gives %d", status)
	}

	p.configure("acl no port 1\ndeny_info 418:ERR_ACCESS_DENIED no\nhttp_access deny no")
	p.write("squid.conf", strings.Replace(p.read("squid.conf"), "http_access allow all", "", 1))
	x.signal(syscall.SIGHUP)
	x.expect("Reconfigured")
	if status, _ := x.get(url); status != 418 {
		t.Errorf("after a new configuration, a GET gives %d", status)
	}
	x.signal(syscall.SIGTERM)
	if status := x.wait(); status != 0 {
		t.Errorf("the exit status is %d", status)
	}
}

// TestReconfigureThatCannotOpenItsLog has a configuration whose logs cannot be opened change nothing,
// though all else of it could be followed.
func TestReconfigureThatCannotOpenItsLog(t *testing.T) {
	for _, row := range []struct{ name, from, to, want string }{
		{"cache_log", "cache_log DIR/cache.log", "cache_log DIR/none/cache.log", "cache_log DIR/none/cache.log: (2) No such file or directory"},
		{"access_log", "access_log stdio:DIR/access.log", "access_log stdio:DIR/none/access.log", "cannot open 'DIR/none/access.log' for writing."},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newPlace(t, "")
			x := p.start()
			here := strings.NewReplacer("DIR", p.dir)
			conf := strings.Replace(p.read("squid.conf"), here.Replace(row.from), here.Replace(row.to), 1)
			p.write("squid.conf", strings.Replace(conf, "http_access allow all", "http_access deny all", 1)+"debug_options ALL,0\n")
			x.signal(syscall.SIGHUP)
			if line := x.expect("ERROR: the configuration was not changed"); !strings.Contains(line, here.Replace(row.want)) {
				t.Errorf("it does not say why: %s", line)
			}
			const url = "http://127.0.0.1:1/"
			if status, _ := x.get(url); status != 503 {
				t.Errorf("afterwards a GET that cannot connect gives %d, want 503", status)
			}
			x.signal(syscall.SIGTERM)
			x.wait()
			if log := p.read("cache.log"); !strings.Contains(log, "the configuration was not changed") || !strings.Contains(log, "Exiting normally.") {
				t.Errorf("cache.log ends too early, or is too brief:\n%s", log)
			}
			if log := p.read("access.log"); !strings.Contains(log, url) {
				t.Errorf("the access log is %q", log)
			}
		})
	}
}

// TestReconfigureWithTheLogThatCouldNotBeOpened has a proxy whose cache_log could never be opened follow
// new rules all the same.
func TestReconfigureWithTheLogThatCouldNotBeOpened(t *testing.T) {
	p := newPlace(t, "")
	p.write("squid.conf", strings.Replace(p.read("squid.conf"), p.path("cache.log"), p.path("none/cache.log"), 1))
	x := p.start()
	p.write("squid.conf", strings.Replace(p.read("squid.conf"), "http_access allow all", "http_access deny all", 1))
	x.signal(syscall.SIGHUP)
	x.expect("WARNING: Cannot write log file: " + p.path("none/cache.log"))
	x.expect("Reconfigured")
	if status, _ := x.get("http://127.0.0.1:1/"); status != 403 {
		t.Errorf("afterwards a GET that is denied gives %d", status)
	}
	x.signal(syscall.SIGTERM)
	x.wait()
}

func TestRotate(t *testing.T) {
	for _, row := range []struct {
		name, conf, old string
	}{
		{"renaming", "logfile_rotate 2", "access.log.0"},
		{"opening again", "logfile_rotate 0", "moved"},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newPlace(t, row.conf)
			x := p.start()
			x.get("http://127.0.0.1:1/first")
			if row.old == "moved" {
				if err := os.Rename(p.path("access.log"), p.path("moved")); err != nil {
					t.Fatal(err)
				}
			}
			x.signal(syscall.SIGUSR1)
			x.expect("Log files are rotated")
			x.get("http://127.0.0.1:1/second")
			x.signal(syscall.SIGTERM)
			x.wait()
			if log := p.read(row.old); !strings.Contains(log, "/first") || strings.Contains(log, "/second") {
				t.Errorf("the old log is %q", log)
			}
			if log := p.read("access.log"); !strings.Contains(log, "/second") || strings.Contains(log, "/first") {
				t.Errorf("the new log is %q", log)
			}
		})
	}
}

func TestDebugToggle(t *testing.T) {
	x := newPlace(t, "").start()
	x.signal(syscall.SIGUSR2)
	x.expect("debug_options ALL,7")
	x.signal(syscall.SIGUSR2)
	x.expect("debug_options ALL,1")
	x.signal(syscall.SIGINT)
	if status := x.wait(); status != 0 {
		t.Errorf("after SIGINT the exit status is %d", status)
	}
}

func TestPortTaken(t *testing.T) {
	x := newPlace(t, "").start()
	other := newPlace(t, "http_port "+x.addr)
	status, said := other.call("-N")
	if status != 1 || !strings.Contains(said, x.addr) || !strings.Contains(said, "address already in use") ||
		!strings.Contains(said, "FATAL: Unable to open HTTP Socket") {
		t.Errorf("with its port taken the status is %d, and it says:\n%s", status, said)
	}
}

func TestTrial(t *testing.T) {
	p := newPlace(t, "")
	cmd := p.program()
	cmd.Args = []string{cmd.Args[0], "--try=/bin/cat", "-a", "127.0.0.1:0"}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	out := bufio.NewReader(stdout)
	line, err := out.ReadString('\n')
	_, addr, found := strings.Cut(strings.TrimSpace(line), " serves http://")
	if err != nil || !found {
		t.Fatalf("it begins with %q: %v", line, err)
	}
	x := &proxy{place: p, cmd: cmd, addr: addr}
	x.get("http://127.0.0.1:1/tried")
	for !strings.Contains(line, "/tried") {
		if line, err = out.ReadString('\n'); err != nil {
			t.Fatalf("the request is not shown: %v", err)
		}
	}
}
