package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"exaproxy/compat/account"
)

// daemon starts the program in the background and gives the process of the pid file.
func (p *place) daemon() (pid int) {
	p.t.Helper()
	status, said := p.call()
	if status != 0 {
		p.t.Fatalf("the status is %d:\n%s", status, said)
	}
	pid, err := readPIDFile(p.path("squid.pid"))
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		syscall.Kill(pid, syscall.SIGKILL)
		waitFor(p.t, pid)
	})
	return pid
}

func TestDaemon(t *testing.T) {
	p := newPlace(t, "")
	pid := p.daemon()
	if session, _, _ := syscall.Syscall(syscall.SYS_GETSID, uintptr(pid), 0, 0); int(session) != pid {
		t.Errorf("the daemon %d is in session %d", pid, session)
	}
	if facts, err := os.Stat(p.path("squid.pid")); err != nil || facts.Mode().Perm() != 0o644 {
		t.Errorf("the pid file is %v: %v", facts.Mode(), err)
	}

	status, said := p.call()
	if want := fmt.Sprintf("FATAL: Squid is already running: Found fresh instance PID file (%s) with PID %d\n", p.path("squid.pid"), pid); status != 1 || !strings.Contains(said, want) {
		t.Errorf("a second start gives %d:\n%s", status, said)
	}
	for _, command := range []string{"check", "ch", "reconfigure", "rotate", "debug", "debug", "restart"} {
		if status, said := p.call("-k", command); status != 0 || said != "" {
			t.Errorf("-k %s gives %d: %s", command, status, said)
		}
	}
	if status, said := p.call("-k", "shut"); status != 0 || said != "" {
		t.Errorf("-k shut gives %d: %s", status, said)
	}
	waitFor(t, pid)
	if status, _ := p.call("-k", "check"); status != 1 {
		t.Errorf("once it has ended -k check gives %d", status)
	}
	if log := p.read("cache.log"); !strings.Contains(log, " kid1| ExaProxy (Version "+version+"): Exiting normally.\n") {
		t.Errorf("cache.log does not say that it ended:\n%s", log)
	}
}

func TestDaemonThatCannotStart(t *testing.T) {
	for _, row := range []struct{ name, conf, want string }{
		{"rejected configuration", "bogus on", "unrecognized: 'bogus'"},
		{"no such user", "cache_effective_user nosuchuser", "FATAL: getpwnam failed to find userid for effective user 'nosuchuser'"},
		{"access log cannot be opened", "access_log stdio:/nonexistent/a.log", "(8): cannot open '/nonexistent/a.log' for writing. There is no folder /nonexistent"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if strings.Contains(row.conf, "user") && os.Geteuid() != 0 {
				t.Skip("only root becomes somebody else")
			}
			p := newPlace(t, row.conf)
			status, said := p.call()
			if status != 1 || !strings.Contains(said, row.want) {
				t.Errorf("the status is %d, and it says:\n%s", status, said)
			}
			if _, err := os.Stat(p.path("squid.pid")); err == nil {
				t.Error("there is a pid file")
			}
		})
	}
}

func TestStalePIDFile(t *testing.T) {
	p := newPlace(t, "")
	gone := p.program("-v") // a process that has ended: its number is nobody's
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	p.write("squid.pid", strconv.Itoa(gone.Process.Pid)+"\n")
	if pid := p.daemon(); pid == gone.Process.Pid {
		t.Errorf("the pid file still has the old number %d", pid)
	}
}

func TestPrivilegesAreGivenUp(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root has any to give up")
	}
	p := newPlace(t, "cache_effective_user nobody\nlogfile_rotate 1")
	parent := p.daemon()
	pid := childOf(t, parent, "-1)")
	if about := processStatus(t, parent); !strings.Contains(about, "Uid:\t0\t0\t0\t0\n") {
		t.Errorf("the parent is not root any more:\n%s", about)
	}
	who, err := account.Lookup("nobody", "")
	if err != nil {
		t.Fatal(err)
	}
	status := processStatus(t, pid)
	for _, want := range []string{
		fmt.Sprintf("Uid:\t%[1]d\t%[1]d\t%[1]d\t%[1]d\n", who.UID),
		fmt.Sprintf("Gid:\t%[1]d\t%[1]d\t%[1]d\t%[1]d\n", who.GID),
		fmt.Sprintf("Groups:\t%d \n", who.GID),
	} {
		if !strings.Contains(status, want) {
			t.Errorf("the daemon's status lacks %q:\n%s", want, status)
		}
	}
	for _, name := range []string{"cache.log", "access.log"} {
		facts, err := os.Stat(p.path(name))
		if err != nil {
			t.Fatal(err)
		}
		if owner := facts.Sys().(*syscall.Stat_t).Uid; owner != who.UID {
			t.Errorf("%s belongs to %d", name, owner)
		}
	}
}

func processStatus(t *testing.T, pid int) string {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	return string(status)
}
