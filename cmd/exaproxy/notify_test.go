package main

import (
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestNotifications are what a service manager of Type=notify-reload is told (sd_notify(3)), by the
// process that it started.
func TestNotifications(t *testing.T) {
	for _, mode := range []string{"-N", "--foreground"} {
		t.Run(mode, func(t *testing.T) { testNotifications(t, mode) })
	}
}

func testNotifications(t *testing.T, mode string) {
	p := newPlace(t, "")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: p.path("notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	if err := os.Chmod(p.path("notify"), 0o777); err != nil { // as systemd's
		t.Fatal(err)
	}
	socket.SetDeadline(time.Now().Add(patience))
	raw, err := socket.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PASSCRED, 1) })
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("NOTIFY_SOCKET", p.path("notify"))
	x := p.startAs(mode, "-d1")
	heard := func() string {
		t.Helper()
		b, rights := make([]byte, 4096), make([]byte, 256)
		n, m, _, _, err := socket.ReadMsgUnix(b, rights)
		if err != nil {
			t.Fatal(err)
		}
		messages, err := unix.ParseSocketControlMessage(rights[:m])
		if err != nil || len(messages) != 1 {
			t.Fatalf("%v come beside it: %v", messages, err)
		}
		if who, err := unix.ParseUnixCredentials(&messages[0]); err != nil || int(who.Pid) != x.cmd.Process.Pid {
			t.Errorf("%v tells it, not the main process %d: %v", who, x.cmd.Process.Pid, err)
		}
		return string(b[:n])
	}
	if got := heard(); got != "READY=1" {
		t.Errorf("at the start it says %q", got)
	}
	reload := func(want string) {
		t.Helper()
		x.signal(syscall.SIGHUP)
		state, rest, _ := strings.Cut(heard(), "\n")
		stamp, found := strings.CutPrefix(rest, "MONOTONIC_USEC=")
		if n, err := strconv.ParseInt(stamp, 10, 64); state != "RELOADING=1" || !found || err != nil || n < 1 {
			t.Errorf("a reload begins with %q, %q", state, rest)
		}
		if got := heard(); !strings.HasPrefix(got, "READY=1\nSTATUS="+want) || want == "" && !strings.HasSuffix(got, "=") {
			t.Errorf("it ends with %q", got)
		}
	}
	reload("")
	p.write("squid.conf", p.read("squid.conf")+"bogus on\n")
	reload("The last reload failed: " + p.path("squid.conf") + " cannot be used: one line stands in the way")
	x.signal(syscall.SIGTERM)
	if got := heard(); got != "STOPPING=1" {
		t.Errorf("at the end it says %q", got)
	}
	x.wait()
}

// TestFixedValues has every reload warn of values that wait for the next start.
func TestFixedValues(t *testing.T) {
	p := newPlace(t, "workers 1")
	x := p.start()
	p.write("squid.conf", strings.Replace(p.read("squid.conf"), "workers 1", "workers 2\nmax_filedescriptors 500", 1))
	for range 2 {
		x.signal(syscall.SIGHUP)
		x.expect("WARNING: the new value of workers is used after the next start")
		x.expect("WARNING: the new value of max_filedescriptors is used after the next start")
		x.expect("Reconfigured")
	}
	x.signal(syscall.SIGTERM)
	x.wait()
}
