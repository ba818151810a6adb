package acceptance

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// run runs the program to its end.
func run(t *testing.T, args ...string) (status int, said string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, built.proxy, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String()
}

func TestDebiansDefaultConfigurationIsAccepted(t *testing.T) {
	const debian = "/etc/squid/squid.conf"
	if _, err := os.Stat(debian); err != nil {
		t.Skipf("Debian's configuration is not there (apt-get install squid-openssl): %v", err)
	}
	status, said := run(t, "-k", "parse", "-f", debian)
	if status != 0 {
		t.Errorf("the exit status is %d, want 0; it says\n%s", status, said)
	}
	for _, unwanted := range []string{"ERROR", "FATAL", "unrecognized"} {
		if strings.Contains(said, unwanted) {
			t.Errorf("it says %s:\n%s", unwanted, said)
		}
	}
}

func TestOrdersReachTheRunningProxy(t *testing.T) {
	dir := world(t)
	o := newOrigin(t, "127.0.0.1", pages())
	x := start(t, exaproxy(), dir, base+openPort+"logfile_rotate 2\n")
	conf := x.pathIn("squid.conf")
	order := func(word string, want int) {
		t.Helper()
		if status, said := run(t, "-k", word, "-f", conf); status != want || want == 0 && said != "" {
			t.Errorf("-k %s ends with %d, want %d, and says %q", word, status, want, said)
		}
	}
	if pid := strings.TrimSpace(x.file("squid.pid")); pid != strconv.Itoa(x.pid()) {
		t.Errorf("the pid file has %q, the process is %d", pid, x.pid())
	}
	order("check", 0)

	x.curl(o.URL+"/one").ok(t, "it serves", "/one")
	x.logged(1)
	order("rotate", 0)
	x.eventually("renames the log", 5*time.Second, func() bool { return strings.Contains(x.file("access.log.0"), "/one") })
	x.curl(o.URL+"/two").ok(t, "it serves after rotation", "/two")
	x.eventually("writes to the new log", 5*time.Second, func() bool { return strings.Contains(x.file("access.log"), "/two") })

	order("reconfigure", 0)
	x.logs("Reconfigured:", 5*time.Second)
	writeFile(t, dir, "squid.conf", fill(dir, base+openPort+"frobnicate on\n"))
	order("reconfigure", 1)
	writeFile(t, dir, "squid.conf", fill(dir, base+openPort))
	order("debug", 0)

	order("shutdown", 0)
	if status := x.wait(5 * time.Second); status != 0 {
		t.Errorf("the exit status is %d, want 0", status)
	}
	if x.file("squid.pid") != "" {
		t.Error("the pid file is still there")
	}
	order("check", 1)
	order("shutdown", 1)
}

// TestTheDaemonServesWhenItsParentEnds starts the program as init scripts do.
func TestTheDaemonServesWhenItsParentEnds(t *testing.T) {
	dir := world(t)
	o := newOrigin(t, "127.0.0.1", pages())
	conf := writeFile(t, dir, "squid.conf", fill(dir, base+openPort))
	status, said := run(t, "-f", conf)
	if status != 0 {
		t.Fatalf("the exit status is %d, want 0; it says\n%s", status, said)
	}
	x := &proxy{t: t, dir: dir, ended: make(chan struct{}), cmd: &exec.Cmd{Path: built.proxy}}
	pid, err := strconv.Atoi(strings.TrimSpace(x.file("squid.pid")))
	if err != nil {
		t.Fatalf("there is no pid file when the parent has ended: %v", err)
	}
	x.cmd.Process, _ = os.FindProcess(pid)
	defer x.cmd.Process.Kill()
	defer func() {
		if t.Failed() {
			x.show()
		}
	}()
	x.eventually("names its port in cache.log", 5*time.Second, func() bool {
		x.addrs = accepting(x.cacheLog())
		return len(x.addrs) == 1
	})
	x.curl(o.URL+"/daemon").ok(t, "the daemon serves", "/daemon")
	if session, _ := unix.Getsid(pid); session != pid {
		t.Errorf("the daemon %d is in session %d, want one of its own", pid, session)
	}
	if !strings.Contains(x.cacheLog(), " kid1| ") {
		t.Error("cache.log does not call the daemon kid1")
	}
	if status, said := run(t, "-k", "shutdown", "-f", conf); status != 0 {
		t.Errorf("-k shutdown ends with %d and says %q", status, said)
	}
	x.eventually("ends", 5*time.Second, func() bool { return syscall.Kill(pid, 0) == syscall.ESRCH })
}

func TestTheDaemonsParentSaysWhyItCouldNotStart(t *testing.T) {
	dir := world(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	conf := writeFile(t, dir, "squid.conf", fill(dir, base+"http_port "+taken.Addr().String()+"\n"))
	status, said := run(t, "-f", conf)
	if status != 1 || !strings.Contains(said, taken.Addr().String()) || !strings.Contains(strings.ToLower(said), "address already in use") {
		t.Errorf("with a port that is taken the exit status is %d, want 1, and it says\n%s", status, said)
	}
}

func TestClustersOfFlags(t *testing.T) {
	for _, cluster := range []string{"-NCd1", "-NYCd1", "-Nd1", "-NC"} {
		t.Run(cluster, func(t *testing.T) {
			dir := world(t)
			x := launch(t, exaproxy(), dir, cluster, "-f", writeFile(t, dir, "squid.conf", fill(dir, base+openPort)))
			x.logs("Accepting HTTP Socket connections", 5*time.Second)
			if loud := strings.Contains(x.said(), "Accepting"); loud != strings.HasSuffix(cluster, "d1") {
				t.Errorf("standard error has the messages of cache.log: %v", loud)
			}
		})
	}
}

// TestRootIsGivenUp looks at the processes themselves: what they may do is what the kernel says.
func TestRootIsGivenUp(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("this test needs root's rights, to see that they are given up")
	}
	who, err := user.Lookup("proxy")
	if err != nil {
		t.Skipf("there is no user proxy, as Debian has: %v", err)
	}
	dir := world(t)
	o := newOrigin(t, "127.0.0.1", pages())
	x := start(t, exaproxy(), dir, base+openPort+"url_rewrite_program {helper}\nurl_rewrite_children 3 startup=3\n")
	x.curl(o.URL+"/page").ok(t, "it serves", "/page")
	processes := append([]int{x.pid()}, children(x.pid())...)
	if len(processes) != 4 {
		t.Errorf("there are %d helpers, want 3", len(processes)-1)
	}
	for _, pid := range processes {
		for line := range strings.Lines(readAll(filepath.Join("/proc", strconv.Itoa(pid), "status"))) {
			f := strings.Fields(line)
			want := map[string]string{"Uid:": who.Uid, "Gid:": who.Gid, "Groups:": who.Gid}[f[0]]
			if want == "" {
				continue
			}
			for _, id := range f[1:] {
				if id != want {
					t.Errorf("process %d has %q, want %s only", pid, strings.TrimSpace(line), want)
					break
				}
			}
		}
	}
}
