package main

import (
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestReconfigureSaysHowItWent has -k reconfigure fail where the running proxy cannot follow a
// configuration that root can read.
func TestReconfigureSaysHowItWent(t *testing.T) {
	p := newPlace(t, "")
	unprivileged(t, p)
	p.write("list", ".test\n")
	pid := p.daemon()
	p.write("squid.conf", "acl secret dstdomain \""+p.path("list")+"\"\n"+p.read("squid.conf"))
	if status, said := p.call("-k", "reconfigure"); status != 0 || said != "" {
		t.Errorf("a file that it can read gives %d: %s", status, said)
	}
	if err := os.Chmod(p.path("list"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, order := range []string{"reconfigure", "restart"} {
		status, said := p.call("-k", order)
		if status != 1 || !strings.Contains(said, "FATAL: the running proxy does not follow the new configuration: ") || !strings.Contains(said, "list") {
			t.Errorf("-k %s and a file that it cannot read give %d: %s", order, status, said)
		}
	}
	p.call("-k", "shutdown")
	waitFor(t, pid)
	if log := p.read("cache.log"); strings.Count(log, "ERROR: the configuration was not changed: ") != 2 {
		t.Errorf("cache.log says otherwise:\n%s", log)
	}
}

// TestOutcomeOfAnEarlierReload has an outcome count only if the reload began after the order, and only if
// the right process tells it.
func TestOutcomeOfAnEarlierReload(t *testing.T) {
	late := errors.New("too late")
	err := hearOutcome(os.Getpid(), func() error {
		now := monotonic()
		tellOutcome(now-1e9, errors.New("an earlier one's"))
		go tellOutcome(now, late)
		return nil
	})
	if err == nil || !strings.HasSuffix(err.Error(), ": too late") {
		t.Errorf("it hears %v", err)
	}
	l, err := net.ListenUnix("unix", outcomeAddr(os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(time.Millisecond, func() { l.Close() })
	err = hearOutcome(os.Getpid(), func() error { go tellOutcome(monotonic(), late); return nil })
	if err == nil || !strings.HasSuffix(err.Error(), ": too late") {
		t.Errorf("after another had the name it hears %v", err)
	}
	refused := errors.New("no such process")
	if err := hearOutcome(os.Getpid(), func() error { return refused }); err != refused {
		t.Errorf("an order that cannot be given gives %v", err)
	}
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	syscall.Write(pair[0], []byte("1\n"))
	if _, _, err := readOutcome(unixConn(t, pair[1]), os.Getppid()); err == nil {
		t.Error("a stranger is believed")
	}
	syscall.Close(pair[0])
}

func unixConn(t *testing.T, fd int) *net.UnixConn {
	t.Helper()
	file := os.NewFile(uintptr(fd), "socket")
	defer file.Close()
	conn, err := net.FileConn(file)
	if err != nil {
		t.Fatal(err)
	}
	return conn.(*net.UnixConn)
}
