package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// mainVariable makes the test binary the program.
const mainVariable = "EXAPROXY_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(mainVariable) != "" {
		os.Exit(run(os.Args, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// patience is how long a test waits for what it expects. Nothing waits that long in good health.
const patience = 20 * time.Second

// A place is a folder with a configuration, and what a proxy under it leaves there.
type place struct {
	t    *testing.T
	dir  string
	conf string // the configuration file
}

// newPlace writes a configuration for a proxy on a free port, with more lines. The folder can
// be entered by whoever the proxy becomes.
func newPlace(t *testing.T, more string) *place {
	t.Helper()
	dir, err := os.MkdirTemp("", "exaproxy")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	p := &place{t: t, dir: dir, conf: filepath.Join(dir, "squid.conf")}
	p.configure(more)
	return p
}

func (p *place) configure(more string) {
	p.t.Helper()
	text := fmt.Sprintf(`http_port 127.0.0.1:0
http_access allow all
pid_filename %[1]s/squid.pid
cache_log %[1]s/cache.log
access_log stdio:%[1]s/access.log squid
visible_hostname proxy.test
shutdown_lifetime 30 seconds
%[2]s
`, p.dir, more)
	p.write("squid.conf", text)
}

func (p *place) path(name string) string { return filepath.Join(p.dir, name) }

func (p *place) write(name, text string) {
	p.t.Helper()
	if err := os.WriteFile(p.path(name), []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) read(name string) string {
	p.t.Helper()
	text, err := os.ReadFile(p.path(name))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(text)
}

// program is the program with these arguments, under the place's configuration.
func (p *place) program(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], append([]string{"-f", p.conf}, args...)...)
	cmd.Env = append(os.Environ(), mainVariable+"=1", "GORACE=atexit_sleep_ms=0")
	return cmd
}

// call runs the program to its end.
func (p *place) call(args ...string) (status int, stderr string) {
	p.t.Helper()
	cmd := p.program(args...)
	var out bytes.Buffer
	cmd.Stderr = &out
	if err := cmd.Run(); cmd.ProcessState == nil {
		p.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String()
}

// A proxy is the program in the foreground.
type proxy struct {
	*place
	cmd   *exec.Cmd
	said  *bufio.Reader // its standard error
	addr  string        // where it listens
	pid   int           // the process that serves
	ended chan error
}

// start starts the program in the foreground, without a parent, and waits until it listens.
func (p *place) start(args ...string) *proxy {
	p.t.Helper()
	return p.startAs(append([]string{"-N", "-d1"}, args...)...)
}

// startAs starts the program with arguments that keep it in the foreground, and waits until it listens.
func (p *place) startAs(args ...string) *proxy {
	p.t.Helper()
	return p.startBy(p.program(args...))
}

// startBy starts a command that becomes the program, and waits until that listens.
func (p *place) startBy(cmd *exec.Cmd) *proxy {
	p.t.Helper()
	stderr, err := cmd.StderrPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	x := &proxy{place: p, cmd: cmd, said: bufio.NewReader(stderr), ended: make(chan error, 1)}
	p.t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	x.serves()
	return x
}

// serves waits until the proxy says where it listens, and who it is.
func (x *proxy) serves() {
	x.t.Helper()
	const process, accepting = "Process ID ", "Accepting HTTP Socket connections at local="
	_, pid, _ := strings.Cut(x.expect(process), process)
	x.pid, _ = strconv.Atoi(strings.TrimSpace(pid))
	_, x.addr, _ = strings.Cut(x.expect(accepting), accepting)
	x.addr = strings.TrimSpace(x.addr)
}

// expect reads what the proxy says until a line with text comes.
func (x *proxy) expect(text string) string {
	x.t.Helper()
	alarm := time.AfterFunc(patience, func() { x.cmd.Process.Kill() })
	defer alarm.Stop()
	var before strings.Builder
	for {
		line, err := x.said.ReadString('\n')
		if strings.Contains(line, text) {
			return line
		}
		before.WriteString(line)
		if err != nil {
			x.t.Fatalf("the proxy never said %q, but:\n%s", text, before.String())
		}
	}
}

func (x *proxy) signal(s syscall.Signal) {
	x.t.Helper()
	if err := x.cmd.Process.Signal(s); err != nil {
		x.t.Fatal(err)
	}
}

// wait waits for the proxy's end and gives its exit status.
func (x *proxy) wait() int {
	x.t.Helper()
	alarm := time.AfterFunc(patience, func() { x.cmd.Process.Kill() })
	defer alarm.Stop()
	io.Copy(io.Discard, x.said)
	x.cmd.Wait()
	return x.cmd.ProcessState.ExitCode()
}

// get fetches a URL through the proxy.
func (x *proxy) get(url string) (status int, header http.Header) {
	x.t.Helper()
	reply := x.fetch(url)
	return reply.StatusCode, reply.Header
}

// page is the body of what get fetches.
func (x *proxy) page(url string) string {
	x.t.Helper()
	body, err := io.ReadAll(x.fetch(url).Body)
	if err != nil {
		x.t.Fatal(err)
	}
	return string(body)
}

func (x *proxy) fetch(url string) *http.Response {
	x.t.Helper()
	conn := x.dial()
	defer conn.Close()
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nConnection: close\r\n\r\n", url)
	all, _ := io.ReadAll(conn) // the end comes after the request was logged
	reply, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(all)), nil)
	if err != nil {
		x.t.Fatalf("no reply to GET %s: %v", url, err)
	}
	return reply
}

func (x *proxy) dial() net.Conn {
	x.t.Helper()
	conn, err := net.Dial("tcp", x.addr)
	if err != nil {
		x.t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(patience))
	return conn
}

// waitFor waits for the end of a process that is no child of ours.
func waitFor(t *testing.T, pid int) {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if err == unix.ESRCH {
		return
	}
	if err != nil {
		t.Fatalf("watch process %d: %v", pid, err)
	}
	defer unix.Close(fd)
	n, err := 0, error(unix.EINTR)
	for err == unix.EINTR {
		n, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(patience.Milliseconds()))
	}
	if err != nil || n == 0 {
		unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
		t.Fatalf("process %d does not end (%v)", pid, err)
	}
}
