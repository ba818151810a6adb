package logs

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"exaproxy/compat/acl"
	"exaproxy/compat/compattest"
	"exaproxy/engine/loop"
	"exaproxy/engine/loop/looptest"
)

// TestPlaces reads what access_log names.
func TestPlaces(t *testing.T) {
	for place, want := range map[string]AccessLog{
		"/var/log/a.log":          {Path: "/var/log/a.log"},
		"stdio:/a":                {Path: "/a"},
		"daemon:/a":               {Module: ToDaemon, Path: "/a"},
		"syslog":                  {Path: "syslog"}, // a file, as in Squid
		"syslog:":                 {Module: ToSyslog, Priority: 14},
		"syslog:daemon.info":      {Module: ToSyslog, Priority: 30},
		"syslog:LOG_LOCAL4|debug": {Module: ToSyslog, Priority: 167},
		"udp://192.0.2.1:514":     {Module: ToUDP, Path: "192.0.2.1:514"},
		"udp:log.example:514":     {Module: ToUDP, Path: "log.example:514"},
		"tcp://[2001:db8::1]:514": {Module: ToTCP, Path: "[2001:db8::1]:514"},
	} {
		var log AccessLog
		if err := log.setPlace(place); err != nil || log != want {
			t.Errorf("%s gives %+v, %v, want %+v", place, log, err, want)
		}
	}
	for _, place := range []string{"stdio:", "daemon:", "syslog:nowhere.info", "udp:", "udp://192.0.2.1", "tcp://:514", "tcp://h:0", "tcp://h:70000"} {
		if err := new(AccessLog).setPlace(place); err == nil || !strings.Contains(err.Error(), "access_log "+place+": ") {
			t.Errorf("%s gives %v", place, err)
		}
	}
}

// TestLogOptions reads the options of a line.
func TestLogOptions(t *testing.T) {
	for options, want := range map[string]string{
		"on-error=die buffer-size=128KB": "",
		"on-error=drop":                  "",
		"on-error=perhaps":               "Unknown value 'perhaps' for on-error=",
		"buffer-size=1":                  "",
		"buffer-size=65MB":               "is not a size of up to 64 MB",
		"buffer-size=much":               "is not a size of up to 64 MB",
	} {
		s := Defaults()
		_, err := compattest.Read(acl.NewSet(), s.Directives(), "access_log udp://127.0.0.1:514 "+options)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s gives %v, want %q", options, err, want)
		}
	}
}

func listen(t *testing.T) *net.TCPListener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.(*net.TCPListener)
}

func accept(t *testing.T, l *net.TCPListener) (*net.TCPConn, *bufio.Reader) {
	t.Helper()
	c, err := l.AcceptTCP()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, bufio.NewReader(c)
}

func wantLine(t *testing.T, r *bufio.Reader, want string) {
	t.Helper()
	if line, err := r.ReadString('\n'); line != want {
		t.Errorf("there is %q, %v, want %q", line, err, want)
	}
}

// TestStreamLog has lines sent over connections that end, the second of them within a line.
func TestStreamLog(t *testing.T) {
	l := listen(t)
	o := &streamLog{address: l.Addr().String()}
	defer o.close()
	if n, err := o.put([]byte("one\ntwo\nthr")); n != 11 || err != nil {
		t.Fatalf("%d bytes are taken: %v", n, err)
	}
	c, r := accept(t, l)
	wantLine(t, r, "one\n")
	wantLine(t, r, "two\n")
	io.WriteString(c, "nobody reads this")
	c.Close()
	for !hasLeft(o.conn) { // until the end has come here
	}
	if _, err := o.put([]byte("ee\nfour\n")); err != nil {
		t.Fatal(err)
	}
	c, r = accept(t, l)
	wantLine(t, r, "three\n")
	wantLine(t, r, "four\n")
	if len(o.begun) != 0 {
		t.Errorf("%q is kept", o.begun)
	}
	l.Close()
	c.SetLinger(0)
	c.Close()
	var err error
	for err == nil {
		_, err = o.put([]byte("five\n"))
	}
	if !strings.Contains(err.Error(), "connection attempt #1 failed. Will keep trying every 0.50 seconds. (111) Connection refused") {
		t.Errorf("it says %v", err)
	}
}

// TestConnectionThatNobodyReads has lines be taken until the sockets are full, and none twice.
func TestConnectionThatNobodyReads(t *testing.T) {
	l := listen(t)
	o := &streamLog{address: l.Addr().String()}
	defer o.close()
	line := []byte(strings.Repeat("x", 1<<20) + "\n")
	lines := bytes.Repeat(line, 8)
	left, late := lines, false
	for len(left) > 0 && !late {
		n, err := o.put(left)
		if err != nil && !isLate(err) {
			t.Fatal(err)
		}
		left, late = left[n:], err != nil
		if !late {
			left = append(left, lines...)
		}
	}
	c, r := accept(t, l)
	done := make(chan string, 1)
	go func() {
		for {
			text, err := r.ReadString('\n')
			if err != nil || text != string(line) {
				done <- text
				return
			}
		}
	}()
	for len(left) > 0 {
		n, err := o.put(left)
		if err != nil && !isLate(err) {
			t.Fatal(err)
		}
		left = left[n:]
	}
	o.close()
	if rest := <-done; rest != "" {
		t.Errorf("a line is torn: %d bytes of it are left", len(rest))
	}
	c.Close()
}

// TestDatagramLog has as many lines in a datagram as it holds, and goes on where nobody listens.
func TestDatagramLog(t *testing.T) {
	to, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	o := &datagramLog{address: to.LocalAddr().String()}
	defer o.close()
	line, long := strings.Repeat("x", 499)+"\n", strings.Repeat("y", 3000)+"\n"
	endless := strings.Repeat("z", 70000) + "\n"
	if n, err := o.put([]byte(line + line + line + long + endless + line)); n != 4*500+3001+70001 || err != nil {
		t.Fatalf("%d bytes are taken: %v", n, err)
	}
	b := make([]byte, 70000)
	for _, want := range []string{line + line, line, long, line} {
		n, _, err := to.ReadFrom(b)
		if string(b[:n]) != want {
			t.Errorf("a datagram has %d bytes, want %d: %v", n, len(want), err)
		}
	}
	if n := o.lost(); n != 1 || o.lost() != 0 {
		t.Errorf("%d lines are lost", n)
	}
	to.Close()
	for range 4 {
		if n, err := o.put([]byte(line)); n != len(line) || err != nil {
			t.Fatalf("%d bytes are taken: %v", n, err)
		}
	}
}

// TestSyslog has a line be what syslog(3) makes of it, and the socket found again.
func TestSyslog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	clock := func() time.Time { return time.Date(2026, 11, 8, 10, 0, 44, 0, time.Local) }
	o := &syslogLog{socket: path, priority: 30, tag: "squid", clock: clock}
	defer o.close()
	if n, err := o.put([]byte("one\n")); n != 0 || !errors.Is(err, unix.ENOENT) {
		t.Errorf("%d bytes are taken: %v", n, err)
	}
	for round := range 2 {
		os.Remove(path)
		socket, err := net.ListenPacket("unixgram", path)
		if err != nil {
			t.Fatal(err)
		}
		var n int
		for err = io.EOF; err != nil; { // the second time it has to notice
			n, err = o.put([]byte("one\ntwo\n"))
		}
		if n != 8 {
			t.Errorf("%d bytes are taken in round %d", n, round)
		}
		b := make([]byte, 1000)
		for _, want := range []string{"<30>Nov  8 10:00:44 squid: one\n", "<30>Nov  8 10:00:44 squid: two\n"} {
			if n, _, _ := socket.ReadFrom(b); string(b[:n]) != want {
				t.Errorf("there is %q, want %q", b[:n], want)
			}
		}
		socket.Close()
	}
}

// script writes a program of a shell's.
func script(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestDaemon has a program read what Squid's reads.
func TestDaemon(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	files := NewFiles(newMessages().CacheLog, nil)
	log := &AccessLog{Module: ToDaemon, Path: out, Program: script(t, `exec cat >"$1"`), Rotate: 3}
	f, err := files.openPlace(log, true)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := files.openPlace(log, true); again != f || err != nil {
		t.Errorf("two lines with the same place have two programs: %v", err)
	}
	f.Append([]byte("one\ntwo\n"))
	f.Flush()
	if err := files.Rotate(); err != nil {
		t.Error(err)
	}
	f.Append([]byte("three\n"))
	files.Close()
	if got, want := readFile(t, out), "r3\nb1\nF\nLone\nLtwo\nF\nR\nF\nLthree\nF\n"; got != want {
		t.Errorf("it has read %q, want %q", got, want)
	}
	log.Program = "/nonexistent/daemon"
	if _, err := files.openPlace(log, true); err == nil || err.Error() != "logfile_daemon /nonexistent/daemon: (2) No such file or directory" {
		t.Errorf("a program that is not there gives %v", err)
	}
}

// TestDaemonThatEnds has the lines that a program has not read given to the next.
func TestDaemonThatEnds(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	o := &daemonLog{program: script(t, `if test -e "$1.first"; then exec cat >"$1"; fi; >"$1.first"`), path: out}
	for tries := 0; ; tries++ {
		if n, err := o.put([]byte("one\n")); err == nil && n == 4 {
			if o.close(); tries > 0 || exists(out) {
				break
			}
		}
	}
	if got := readFile(t, out); got != "r0\nb0\nF\nLone\nF\n" {
		t.Errorf("it has read %q", got)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// A brokenOutlet takes nothing.
type brokenOutlet struct{ failed chan struct{} }

func (o *brokenOutlet) put([]byte) (int, error) {
	signal(o.failed)
	return 0, io.ErrUnexpectedEOF
}
func (o *brokenOutlet) rotate()   {}
func (o *brokenOutlet) lost() int { return 0 }
func (o *brokenOutlet) close()    {}

// TestLogThatIsNotTaken has nobody wait for a log that is no file: its lines are counted, and with on-error=die the program
// ends.
func TestLogThatIsNotTaken(t *testing.T) {
	said := newMessages()
	files := NewFiles(said.CacheLog, nil)
	died := make(chan error, 1)
	files.Lost = func(err error) { died <- err }
	o := &brokenOutlet{failed: make(chan struct{}, 1)}
	f := files.keep(newRemote("tcp:192.0.2.1:514", o, slog.New(said.CacheLog)))
	files.limit(f, &AccessLog{Module: ToTCP, Buffer: 1, Die: true})
	l, err := loop.New(looptest.NewKernel(t))
	if err != nil {
		t.Fatal(err)
	}
	line := []byte(strings.Repeat("x", 1<<10-1) + "\n")
	for range 2*leastBuffer>>10 + 100 {
		f.Append(line)
		if !f.Ready(l, nil) {
			t.Fatal("a transaction is to wait")
		}
	}
	if err := <-died; !strings.Contains(err.Error(), "tcp:192.0.2.1:514 logger: a line is lost, and its access_log says on-error=die") {
		t.Errorf("it says %v", err)
	}
	if len(died) > 0 {
		t.Error("it ends twice")
	}
	said.await(t, "ERROR: tcp:192.0.2.1:514 logger unexpected EOF; up to 64 kB of lines are kept in memory")
	said.await(t, "WARNING: tcp:192.0.2.1:514 logger starts dropping records.")
	files.Close()
	said.await(t, "tcp:192.0.2.1:514 logger: ")
	said.await(t, "bytes could not be written and are lost")
}
