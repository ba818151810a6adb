package main

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestCrashedProxyIsStartedAgain has a proxy that was killed be followed by another, under the same
// parent and pid file, and given up if that happens too often, as Squid does.
func TestCrashedProxyIsStartedAgain(t *testing.T) {
	p := newPlace(t, "")
	x := p.startAs("--foreground", "-d1")
	for n := range mostQuickFailures + 1 {
		if pid, err := readPIDFile(p.path("squid.pid")); err != nil || pid != x.cmd.Process.Pid {
			t.Fatalf("the pid file names %d, not the parent %d: %v", pid, x.cmd.Process.Pid, err)
		}
		if status, _ := x.get("http://127.0.0.1:1/"); status != 503 {
			t.Errorf("after %d crashes it answers %d", n, status)
		}
		if err := syscall.Kill(x.pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if n < mostQuickFailures {
			x.serves()
		}
	}
	if status := x.wait(); status != 1 {
		t.Errorf("the parent ends with %d", status)
	}
	if _, err := os.Stat(p.path("squid.pid")); !os.IsNotExist(err) {
		t.Errorf("there is a pid file: %v", err)
	}
	log := p.read("cache.log")
	if n := strings.Count(log, "(signal: killed), after "); n != mostQuickFailures || strings.Count(log, "Another is started") != n {
		t.Errorf("cache.log tells of %d crashes:\n%s", n, log)
	}
	if !strings.Contains(log, "It is not started again") {
		t.Errorf("cache.log does not say that it was given up:\n%s", log)
	}
}

// TestParentPassesSignalsOn has the parent's process take all orders, and end with the proxy.
func TestParentPassesSignalsOn(t *testing.T) {
	p := newPlace(t, "")
	x := p.startAs("--foreground", "-d1")
	for _, order := range []struct{ command, said string }{
		{"reconfigure", "Reconfigured: "}, {"rotate", "Log files are rotated"}, {"debug", "debug_options ALL,7"}, {"restart", "Reconfigured: "},
	} {
		if status, said := p.call("-k", order.command); status != 0 {
			t.Errorf("-k %s gives %d: %s", order.command, status, said)
		}
		x.expect(order.said)
	}
	x.signal(syscall.SIGTERM)
	x.expect("Preparing for shutdown")
	if status := x.wait(); status != 0 {
		t.Errorf("the exit status is %d", status)
	}
	if _, err := os.Stat(p.path("squid.pid")); !os.IsNotExist(err) {
		t.Errorf("there is a pid file: %v", err)
	}
}

// TestMacrosOfAKid has the configuration of a parent's proxy be that of Squid's first worker process.
func TestMacrosOfAKid(t *testing.T) {
	for mode, want := range map[string]string{"-N": "squid 0", "--foreground": "squid-1 1"} {
		p := newPlace(t, "")
		p.write("squid.conf", strings.ReplaceAll(p.read("squid.conf"), "visible_hostname proxy.test", "err_html_text ${process_name} ${process_number}"))
		if err := os.Mkdir(p.path("errors"), 0o755); err != nil {
			t.Fatal(err)
		}
		p.write("errors/ERR_CONNECT_FAIL", "it is %L")
		p.write("squid.conf", p.read("squid.conf")+"error_directory "+p.path("errors")+"\n")
		x := p.startAs(mode, "-d1")
		if body := x.page("http://127.0.0.1:1/"); body != "it is "+want {
			t.Errorf("with %s the page has %q, want %q", mode, body, want)
		}
		x.signal(syscall.SIGTERM)
		x.wait()
	}
}

// TestKilledParent has the proxy end with its parent, as "-k kill" means it to.
func TestKilledParent(t *testing.T) {
	p := newPlace(t, "")
	x := p.startAs("--foreground", "-d1")
	if status, said := p.call("-k", "kill"); status != 0 {
		t.Errorf("-k kill gives %d: %s", status, said)
	}
	waitFor(t, x.pid)
	if log := p.read("cache.log"); !strings.Contains(log, "FATAL: the parent process was killed") {
		t.Errorf("cache.log does not say why it ended:\n%s", log)
	}
}

// TestRootsAffairsAtAReload has a reload follow what only root may read, list, write and bind, though the
// proxy is root no more. What has to be the user's in a folder of his is no affair of root's.
func TestRootsAffairsAtAReload(t *testing.T) {
	for _, mode := range []string{"-N", "--foreground"} {
		t.Run(mode, func(t *testing.T) {
			p := newPlace(t, "")
			who := unprivileged(t, p)
			dir := rootsFolder(t)
			p.ofRoot(dir)
			x := p.startAs(mode, "-d1")
			for name, text := range map[string]string{
				"list": ".secret.test\n", "conf.d/one.conf": "acl secret dstdomain \"" + dir + "/list\"\nhttp_access deny secret\n",
				"errors/ERR_ACCESS_DENIED": "only root reads this",
			} {
				if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			port := lowPort(t)
			p.ofRoot(dir, fmt.Sprintf("http_port 127.0.0.1:%d\ninclude %[2]s/conf.d/*.conf\nerror_directory %[2]s/errors\naccess_log stdio:%[2]s/new.log squid\n",
				port, dir))
			if status, said := p.call("-k", "reconfigure"); status != 0 {
				t.Fatalf("-k reconfigure gives %d: %s", status, said)
			}
			x.addr = fmt.Sprintf("127.0.0.1:%d", port)
			if status, _ := x.get("http://www.secret.test/"); status != 403 {
				t.Errorf("a list that only root can read answers %d", status)
			}
			x.signal(syscall.SIGUSR1)
			x.expect("Log files are rotated")
			x.signal(syscall.SIGTERM)
			x.wait()
			if log := p.read("cache.log"); strings.Contains(log, "loading file '"+dir+"/errors/ERR_ACCESS_DENIED'") {
				t.Errorf("root's page was not read:\n%s", log)
			}
			if owner := ownerOf(t, dir+"/new.log"); owner != who.UID {
				t.Errorf("the log in root's folder belongs to %d", owner)
			}
		})
	}
}

// ofRoot puts the configuration, behind some lines, into a folder of root's: what others can change names
// nothing to root.
func (p *place) ofRoot(dir string, lines ...string) {
	p.t.Helper()
	p.conf = filepath.Join(dir, "squid.conf")
	if err := os.WriteFile(p.conf, []byte(strings.Join(lines, "")+p.read("squid.conf")), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// TestTrustIsRegained has a reload follow what root alone may read once nobody else can change the
// configuration any more, though others could at the start.
func TestTrustIsRegained(t *testing.T) {
	p := newPlace(t, "")
	unprivileged(t, p)
	dir := rootsFolder(t)
	p.ofRoot(dir)
	if err := os.Chmod(p.conf, 0o666); err != nil {
		t.Fatal(err)
	}
	x := p.start()
	p.ofRoot(dir, "access_log stdio:"+dir+"/new.log squid\n")
	if status, said := p.call("-k", "reconfigure"); status != 1 {
		t.Errorf("while others can change it -k reconfigure gives %d: %s", status, said)
	}
	x.expect("the configuration was not changed")
	if err := os.Chmod(p.conf, 0o644); err != nil {
		t.Fatal(err)
	}
	if status, said := p.call("-k", "reconfigure"); status != 0 {
		t.Errorf("once they cannot it gives %d: %s", status, said)
	}
	x.signal(syscall.SIGTERM)
	x.wait()
}

// rootsFolder makes a folder in which only root can write, and that all can enter.
func rootsFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/run", "exaproxy")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// lowPort is a free port that only root may have.
func lowPort(t *testing.T) (port uint16) {
	t.Helper()
	for port := uint16(1023); port > 512; port-- {
		l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)))
		if err == nil {
			l.Close()
			return port
		}
	}
	t.Skip("no port below 1024 is free")
	return 0
}

// TestPIDFileInRootsFolder has it be removed by who may, even if the proxy crashes.
func TestPIDFileInRootsFolder(t *testing.T) {
	for _, end := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		t.Run(end.String(), func(t *testing.T) {
			p := newPlace(t, "")
			unprivileged(t, p)
			pidFile := filepath.Join(rootsFolder(t), "squid.pid")
			p.write("squid.conf", strings.ReplaceAll(p.read("squid.conf"), p.path("squid.pid"), pidFile))
			x := p.start()
			keeper := childOf(t, x.pid, "-root)")
			if pid, err := readPIDFile(pidFile); err != nil || pid != x.pid {
				t.Errorf("the pid file names %d, not %d: %v", pid, x.pid, err)
			}
			x.signal(end)
			x.wait()
			waitFor(t, keeper)
			if _, err := os.Stat(pidFile); !os.IsNotExist(err) {
				t.Errorf("the pid file is there: %v", err)
			}
		})
	}
}

// childOf is the child of a process whose name ends so.
func childOf(t *testing.T, parent int, name string) int {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range all {
		stat, _ := os.ReadFile(path)
		command, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		var pid, of int
		fmt.Sscanf(string(stat), "%d", &pid)
		fmt.Sscanf(string(stat[strings.LastIndexByte(string(stat), ')')+1:]), " %1s %d", new(string), &of)
		first, _, _ := strings.Cut(string(command), "\x00")
		if of == parent && strings.HasSuffix(first, name) {
			return pid
		}
	}
	t.Fatalf("process %d has no child that is called so", parent)
	return 0
}

// TestAProxyThatIsReadyAgainAndAgain keeps its parent from nothing, though nobody listens any more.
func TestAProxyThatIsReadyAgainAndAgain(t *testing.T) {
	p := &parent{serving: make(chan struct{}, 1)}
	for range 3 {
		p.Ready(false)
	}
	if !p.ever {
		t.Error("it has never served")
	}
}
