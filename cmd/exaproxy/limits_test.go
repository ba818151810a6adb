package main

import (
	"bufio"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestHelpersKeepTheLimitOfDescriptors has helpers be allowed as many descriptors as the program was, though
// that allows itself more: some close all that they might have when they start, one by one.
func TestHelpersKeepTheLimitOfDescriptors(t *testing.T) {
	p := newPlace(t, "")
	if err := syscall.Mkfifo(p.path("limits"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(p.path("limits"), 0o666); err != nil { // for whom the proxy becomes
		t.Fatal(err)
	}
	limits, err := os.OpenFile(p.path("limits"), os.O_RDWR, 0) // so that nobody waits for the other end
	if err != nil {
		t.Fatal(err)
	}
	defer limits.Close()
	if err := limits.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(limits)
	p.write("helper", "#!/bin/sh\nulimit -Sn >"+p.path("limits")+"\nexec cat\n")
	if err := os.Chmod(p.path("helper"), 0o755); err != nil {
		t.Fatal(err)
	}
	for more, want := range map[string]string{"": "300\n", "max_filedescriptors 400": "400\n"} {
		p.configure("url_rewrite_children 1\nurl_rewrite_program " + p.path("helper") + "\n" + more)
		cmd := p.program("-N", "-d1")
		cmd.Path, cmd.Args = "/bin/sh", append([]string{"sh", "-c", `ulimit -Sn 300; exec "$0" "$@"`}, cmd.Args...)
		x := p.startBy(cmd)
		if text, err := lines.ReadString('\n'); text != want {
			t.Errorf("with %q a helper may open %q, want %q: %v", more, strings.TrimSpace(text), want, err)
		}
		x.signal(syscall.SIGTERM)
		x.wait()
	}
}
