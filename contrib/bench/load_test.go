package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// tunnels is a proxy that does CONNECT and nothing else; refuse has it answer 403.
func tunnels(t *testing.T, refuse bool) (address string) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refuse {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		there, err := net.Dial("tcp", r.Host)
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		defer there.Close()
		here, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer here.Close()
		io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
		go io.Copy(there, here)
		io.Copy(here, there)
	}))
	t.Cleanup(proxy.Close)
	return strings.TrimPrefix(proxy.URL, "http://")
}

// kilobyte is an origin.
func kilobyte(t *testing.T) (url string) {
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write(make([]byte, 1024))
	}))
	t.Cleanup(origin.Close)
	return origin.URL + "/1k"
}

func readResult(t *testing.T, out *bytes.Buffer) loadResult {
	t.Helper()
	l, err := readLoadResult(out.String())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLoadConnect(t *testing.T) {
	var out bytes.Buffer
	if err := load([]string{"connect", "-proxy", tunnels(t, false), "-url", kilobyte(t), "-connections", "3", "-duration", "50ms"}, nil, &out); err != nil {
		t.Fatal(err)
	}
	if l := readResult(t, &out); l.Requests == 0 || l.Errors > 0 || l.P50 <= 0 || l.P999 < l.P50 {
		t.Errorf("tunnels are opened and closed for a while, and it tells %+v", l)
	}
}

func TestLoadGet(t *testing.T) {
	url := kilobyte(t)
	var out bytes.Buffer
	// The origin answers an absolute URL as a proxy does.
	if err := load([]string{"get", "-proxy", hostOf(url, ""), "-url", url, "-connections", "2", "-every", "5ms", "-duration", "50ms"}, nil, &out); err != nil {
		t.Fatal(err)
	}
	if l := readResult(t, &out); l.Requests < 2 || l.Requests > 20 || l.Errors > 0 || l.P50 <= 0 {
		t.Errorf("two connections do a GET every 5 ms for 50, and it tells %+v", l)
	}
}

func TestLoadConnectGivesUpWhenRefused(t *testing.T) {
	var out bytes.Buffer
	if err := load([]string{"connect", "-proxy", tunnels(t, true), "-url", kilobyte(t), "-connections", "2", "-duration", "1h"}, nil, &out); err != nil {
		t.Fatal(err)
	}
	if l := readResult(t, &out); l.Requests != 0 || l.Errors != 200 || !strings.Contains(l.Error, "403") {
		t.Errorf("every tunnel is refused, and it tells %+v", l)
	}
}

func TestLoadBulk(t *testing.T) {
	for _, direct := range []bool{false, true} {
		var out bytes.Buffer
		url := kilobyte(t)
		arguments := []string{"bulk", "-url", url, "-connections", "4", "-proxy", tunnels(t, false)}
		if direct {
			arguments = append(arguments[:5], "-direct", "-proxy", hostOf(url, ""))
		}
		if err := load(arguments, nil, &out); err != nil {
			t.Fatal(err)
		}
		if l := readResult(t, &out); l.Bytes != 4*1024 || l.Errors > 0 {
			t.Errorf("four times 1024 bytes come (direct: %v), and it tells %+v", direct, l)
		}
	}
}

func TestLoadHolds(t *testing.T) {
	in, end := io.Pipe()
	out, said := io.Pipe()
	over := make(chan error)
	go func() {
		over <- load([]string{"tunnels", "-proxy", tunnels(t, false), "-url", kilobyte(t), "-connections", "7"}, in, said)
	}()
	read := bufio.NewReader(out)
	if line, err := read.ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("it says %q when the tunnels are open: %v", line, err)
	}
	end.Close()
	var l loadResult
	if err := json.NewDecoder(read).Decode(&l); err != nil || l.Requests != 7 || l.Errors != 0 {
		t.Errorf("seven tunnels stay open, and it tells %+v: %v", l, err)
	}
	if err := <-over; err != nil {
		t.Error(err)
	}
}

func TestClosedIsSeen(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	here, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	there, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if newHTTPConn(here).closed() {
		t.Error("an open connection is taken for closed")
	}
	there.Close()
	here.Read(make([]byte, 1)) // until the end has come
	if !newHTTPConn(here).closed() {
		t.Error("a closed connection is taken for open")
	}
}

func TestParseHead(t *testing.T) {
	for _, row := range []struct {
		name, head string
		status     int
		length     int64
	}{
		{"with a length", "HTTP/1.1 200 OK\r\nDate: now\r\ncontent-LENGTH: 1024", 200, 1024},
		{"without", "HTTP/1.0 407 No\r\nX: y", 407, -1},
		{"nonsense", "hello", 0, -1},
	} {
		if status, length := parseHead(row.head); status != row.status || length != row.length {
			t.Errorf("%s: %q has status %d and length %d", row.name, row.head, status, length)
		}
	}
}

func TestPercentile(t *testing.T) {
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(i + 1)
	}
	for part, want := range map[float64]float64{0.5: 50, 0.99: 99, 0.999: 100} {
		if got := percentile(hundred, part); got != want {
			t.Errorf("of 1 to 100, %v are not above %v, it says %v", part, want, got)
		}
	}
	if got := percentile([]float64{7}, 0.5); got != 7 {
		t.Errorf("the median of 7 is %v", got)
	}
}

func TestParseStat(t *testing.T) {
	const line = "12 (a (b) c) S 1 12 12 0 -1 4194560 100 200 0 0 3 4 50 60 20 0 1 0 987654 1000 20 18446744073709551615"
	s, err := parseStat(line)
	if want := (stat{pid: 12, parent: 1, name: "a (b) c", waitedFor: 110 * microsecondsPerTick, started: "987654"}); err != nil || s != want {
		t.Errorf("the line is read as %+v, not %+v: %v", s, want, err)
	}
	for _, bad := range []string{"", "12 a S 1", "12 (a) S 1 2", strings.Replace(line, " 50 ", " fifty ", 1)} {
		if _, err := parseStat(bad); err == nil {
			t.Errorf("%q is taken for a stat line", bad)
		}
	}
}

func TestDescendants(t *testing.T) {
	cmd := exec.Command("cat")
	if _, err := cmd.StdinPipe(); err != nil { // it reads until we are done
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	mine := descendants(os.Getpid())
	found := false
	for _, s := range mine {
		found = found || s.pid == cmd.Process.Pid
	}
	if !found {
		t.Errorf("process %d is not among %v, which we have started", cmd.Process.Pid, mine)
	}
	if cpuTime, err := cpuClock(os.Getpid()); err != nil || cpuTime <= 0 {
		t.Errorf("we have used %v µs of CPU: %v", cpuTime, err)
	}
	if residentOf(os.Getpid()) < 1<<20 {
		t.Errorf("we live in %v bytes", residentOf(os.Getpid()))
	}
}
