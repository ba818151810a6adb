package main

import (
	"io"
	"os"
	"strings"
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
