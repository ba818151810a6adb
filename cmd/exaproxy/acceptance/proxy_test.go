package acceptance

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A proxy is a running proxy: the one that was built here, or Squid. The test that starts it ends it.
type proxy struct {
	t     testing.TB
	dir   string // its configuration, logs and pid file
	addrs []netip.AddrPort
	cmd   *exec.Cmd

	quiet bool // what it wrote is of no interest when the test fails

	ended chan struct{} // closed when the process has ended
	err   error         // how, once ended is closed
	heard chan struct{} // closed when standard error has ended

	mu     sync.Mutex
	stderr bytes.Buffer
}

// program is how a kind of proxy is started.
type program struct {
	path string
	args []string // before the proxy's own
}

func exaproxy() program { return program{path: built.proxy} }

// squid is Debian's; a test that needs it is skipped where it is not installed. It is a service of its
// own, since two of one name share memory, as does one with what another left that was killed.
func squid(t testing.TB) program {
	service := fmt.Sprintf("test%dn%d", os.Getpid(), services.Add(1))
	t.Cleanup(func() {
		left, _ := filepath.Glob("/dev/shm/" + service + "-*")
		for _, path := range left {
			os.Remove(path)
		}
	})
	return program{path: peer(t, "squid", "squid-openssl"), args: []string{"-n", service}}
}

var services atomic.Int32 // that were named

// peer finds a program of a package, or skips the test.
func peer(t testing.TB, name, packageName string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed (Debian: apt-get install %s)", name, packageName)
	}
	return path
}

// world is a folder for one proxy which the user that it becomes may write to.
func world(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	// the folder above is private to us
	for _, d := range []struct {
		path string
		mode os.FileMode
	}{{filepath.Dir(dir), 0o755}, {dir, 0o777}} {
		if err := os.Chmod(d.path, d.mode); err != nil {
			t.Fatal(err)
		}
	}
	writeFile(t, dir, "hosts", "")
	return dir
}

func writeFile(t testing.TB, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil { // whatever the umask
		t.Fatal(err)
	}
	return path
}

// base is what every configuration begins with. Squid writes its core and looks for its state there.
const base = `visible_hostname proxy.test
pid_filename {dir}/squid.pid
cache_log {dir}/cache.log
access_log stdio:{dir}/access.log squid
coredump_dir {dir}
hosts_file {dir}/hosts
cache deny all
http_access allow all
`

// openPort is a port that nobody else has.
const openPort = "http_port 127.0.0.1:0\n"

// fill replaces the places in a configuration.
func fill(dir, text string) string {
	return strings.NewReplacer("{dir}", dir, "{helper}", built.helper+" helper").Replace(text)
}

// start starts a proxy with a configuration, and waits until it listens on all its ports.
func start(t testing.TB, p program, dir, conf string) *proxy {
	t.Helper()
	text := fill(dir, conf)
	path := writeFile(t, dir, "squid.conf", text)
	x := launch(t, p, dir, "-N", "-d1", "-f", path)
	ports := strings.Count("\n"+text, "\nhttp_port ") + strings.Count("\n"+text, "\nhttps_port ")
	x.eventually("listens", 20*time.Second, func() bool {
		x.addrs = accepting(x.said())
		return len(x.addrs) >= ports && x.listening() // Squid says so a moment before
	})
	return x
}

// launch starts a proxy with arguments of the test's own. It is ended with the test.
func launch(t testing.TB, p program, dir string, args ...string) *proxy {
	t.Helper()
	x := &proxy{t: t, dir: dir, cmd: exec.Command(p.path, append(p.args, args...)...), ended: make(chan struct{})}
	x.cmd.Dir = dir
	x.cmd.WaitDelay = 5 * time.Second // helpers may have inherited standard error
	pipe, err := x.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := x.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	x.heard = make(chan struct{})
	go func() { defer close(x.heard); x.listen(pipe) }()
	go func() {
		state, err := x.cmd.Process.Wait()
		if err == nil && !state.Success() {
			err = &exec.ExitError{ProcessState: state}
		}
		x.err = err
		close(x.ended)
	}()
	t.Cleanup(func() {
		x.kill()
		pipe.Close()
		<-x.heard
		x.look()
		if t.Failed() && !x.quiet {
			x.show()
		}
	})
	return x
}

// listen keeps what the proxy says on standard error.
func (x *proxy) listen(pipe io.Reader) {
	r := bufio.NewReader(pipe)
	for {
		line, err := r.ReadBytes('\n')
		x.mu.Lock()
		x.stderr.Write(line)
		x.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (x *proxy) said() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.stderr.String()
}

// accepting are the addresses that a proxy says it accepts connections at.
func accepting(said string) []netip.AddrPort {
	var addrs []netip.AddrPort
	for line := range strings.Lines(said) {
		_, after, ok := strings.Cut(line, " Socket connections at ") // HTTP, HTTPS, SSL bumped HTTP
		if !ok {
			continue
		}
		_, after, _ = strings.Cut(after, "local=")
		word, _, _ := strings.Cut(strings.TrimSpace(after), " ")
		if addr, err := netip.ParseAddrPort(word); err == nil {
			addrs = append(addrs, addr)
		}
	}
	return addrs
}

// listening says whether connections to all ports will succeed.
func (x *proxy) listening() bool {
	ports, _ := tcpPorts(x.pid())
	for _, addr := range x.addrs {
		if !ports[addr.Port()] {
			return false
		}
	}
	return true
}

func (x *proxy) addr() string { return x.addrs[0].String() }
func (x *proxy) url() string  { return "http://" + x.addr() }
func (x *proxy) pid() int     { return x.cmd.Process.Pid }

// eventually waits until something of another process has become true; nothing tells us when.
func (x *proxy) eventually(what string, within time.Duration, yes func() bool) {
	x.t.Helper()
	if !poll(within, func() bool {
		return yes() || x.hasEnded()
	}) || !yes() {
		if x.hasEnded() {
			x.t.Fatalf("the proxy has ended (%v) and never %s", x.err, what)
		}
		x.t.Fatalf("the proxy does not within %s what it should: %s", within, what)
	}
}

// poll asks every few milliseconds until the answer is yes or the time is over.
func poll(within time.Duration, yes func() bool) bool {
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for !yes() {
		select {
		case <-deadline.C:
			return yes()
		case <-again.C:
		}
	}
	return true
}

func (x *proxy) hasEnded() bool {
	select {
	case <-x.ended:
		return true
	default:
		return false
	}
}

func (x *proxy) signal(s os.Signal) {
	x.t.Helper()
	if err := x.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		x.t.Fatal(err)
	}
}

// wait waits for the end, and returns the exit status; -1 after a signal.
func (x *proxy) wait(within time.Duration) int {
	x.t.Helper()
	select {
	case <-x.ended:
	case <-time.After(within):
		x.t.Fatalf("the proxy has not ended within %s", within)
	}
	select { // what it said at the end may still be on its way
	case <-x.heard:
	case <-time.After(2 * time.Second): // somebody whom it started has standard error still
	}
	var exit *exec.ExitError
	if errors.As(x.err, &exit) {
		return exit.ExitCode()
	}
	if x.err != nil {
		x.t.Fatal(x.err)
	}
	return 0
}

// kill ends the proxy if it is still there: as a service manager does, then by force.
func (x *proxy) kill() {
	x.cmd.Process.Signal(syscall.SIGINT)
	select {
	case <-x.ended:
		return
	case <-time.After(5 * time.Second):
	}
	x.cmd.Process.Kill()
	<-x.ended
}

func (x *proxy) file(name string) string {
	b, _ := os.ReadFile(filepath.Join(x.dir, name))
	return string(b)
}

func (x *proxy) cacheLog() string { return x.file("cache.log") }

// accessLog are the lines of the access log so far.
func (x *proxy) accessLog() []string {
	text := strings.TrimSuffix(x.file("access.log"), "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// logged waits for n lines of the access log.
func (x *proxy) logged(n int) []string {
	x.t.Helper()
	x.eventually("logs "+strconv.Itoa(n)+" transactions", 10*time.Second, func() bool { return len(x.accessLog()) >= n })
	return x.accessLog()
}

// logs waits until a line of cache.log contains a text.
func (x *proxy) logs(text string, within time.Duration) {
	x.t.Helper()
	x.eventually("says in cache.log: "+text, within, func() bool { return strings.Contains(x.cacheLog(), text) })
}

// show prints what the proxy wrote, for a test that failed.
func (x *proxy) show() {
	const most = 6000
	for _, part := range []struct{ name, text string }{
		{"squid.conf", x.file("squid.conf")}, {"stderr", x.said()},
		{"cache.log", x.cacheLog()}, {"access.log", x.file("access.log")},
	} {
		text := part.text
		if len(text) > most {
			text = text[:most/2] + "\n   …\n" + text[len(text)-most/2:]
		}
		x.t.Logf("%s of %s:\n%s", part.name, x.cmd.Path, text)
	}
}

// resident is the memory of a process, in bytes (VmRSS, proc(5)); 0 if it is gone.
func resident(pid int) int64 { return status(pid, "VmRSS:") * 1024 }

// status is a number of /proc/PID/status.
func status(pid int, field string) int64 {
	b, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	for line := range strings.Lines(string(b)) {
		if after, ok := strings.CutPrefix(line, field); ok {
			n, _ := strconv.ParseInt(strings.Fields(after)[0], 10, 64)
			return n
		}
	}
	return 0
}

// children are the processes that a process has started and that are still there; not those that have its program until they have
// their own.
func children(pid int) []int {
	var found []int
	own := readAll(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		n, err := strconv.Atoi(e.Name())
		if err != nil || status(n, "PPid:") != int64(pid) {
			continue
		}
		line := readAll(filepath.Join("/proc", e.Name(), "cmdline"))
		name, _, _ := strings.Cut(line, "\x00")
		if line != own && !strings.HasSuffix(name, "-root)") { // it keeps root's rights, and is no helper
			found = append(found, n)
		}
	}
	return found
}
