package acceptance

import (
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
)

// TestAdvisoryNothingListensOnUDP looks at the process itself: it has no UDP socket but those connected to a name server, whatever
// ports of ICP and HTCP the file names (SQUID-2026:1 to 3 are about ICP, and snmp_port is refused).
func TestAdvisoryNothingListensOnUDP(t *testing.T) {
	dir := world(t)
	o := newOrigin(t, "127.0.0.1", pages())
	x := start(t, exaproxy(), dir, base+openPort+nameServer(t)+"icp_port 3130\nhtcp_port 4827\nudp_incoming_address 127.0.0.1\n")
	x.curl("http://a.test:" + o.port() + "/page") // a name is looked up
	for _, table := range []string{"udp", "udp6", "raw", "raw6", "udplite"} {
		own := sockets(x.pid())
		for line := range strings.Lines(readAll(filepath.Join("/proc", strconv.Itoa(x.pid()), "net", table))) {
			const remote, inode = 2, 9
			if f := strings.Fields(line); len(f) > inode && own[f[inode]] && strings.HasSuffix(f[remote], ":0000") {
				t.Errorf("a socket of %s is connected to nobody: %s", table, line)
			}
		}
	}
}

// TestAdvisoryHeadsAtTheirLimitAreSquids has heads of just less than the limit, of the limit and of more come from a client and
// from a server: status, page and log line are Squid's.
func TestAdvisoryHeadsAtTheirLimitAreSquids(t *testing.T) {
	const limit, end = 16 << 10, "\r\n\r\n"
	padded := func(head string, size int) string { return head + strings.Repeat("x", size-len(head)-len(end)) + end }
	o := rawOrigin(t, func(conn net.Conn) {
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	})
	var list []asked
	for _, size := range []int{limit - 2, limit - 1, limit, limit + 1, 2 * limit} {
		large := rawOrigin(t, func(conn net.Conn) {
			io.WriteString(conn, padded("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: ", size)+"ok")
		})
		list = append(list,
			asked{name: fmt.Sprintf("a request of %d bytes", size), raw: padded("GET http://"+o+"/ HTTP/1.1\r\nX: ", size)},
			asked{name: fmt.Sprintf("a reply of %d bytes", size), raw: get("http://" + large + "/")})
	}
	ours, theirs := comparison{t: t, conf: "request_header_max_size 16 KB\nreply_header_max_size 16 KB\n"}.hold(list)
	for i, a := range list {
		judge(t, a, aspect{"status", ours[i].status, theirs[i].status}, aspect{"page", ours[i].fault, theirs[i].fault},
			aspect{"log line", ours[i].logLine(), theirs[i].logLine()})
	}
}

// of is a program that runs as a user whom nobody else is.
func (p program) of(t *testing.T, uid int) program {
	if os.Getuid() != 0 {
		t.Skip("this test needs root's rights, to have a user of its own")
	}
	as := []string{fmt.Sprintf("--reuid=%d", uid), fmt.Sprintf("--regid=%d", uid), "--clear-groups", p.path}
	return program{path: peer(t, "setpriv", "util-linux"), args: append(as, p.args...)}
}

// TestAdvisoryForkFailsWhileClientsWait has the user of the proxy have no room for the helpers that 40 clients want, who are
// answered by those that there are. Squid's SQUID-2023:8 is that it ends then; a program in Go ends when it needs a thread and
// can have none.
func TestAdvisoryForkFailsWhileClientsWait(t *testing.T) {
	for _, room := range []int{0, 1, 5, 12} {
		t.Run(fmt.Sprint("room for ", room), func(t *testing.T) { clientsWaitWithRoomFor(t, room) })
	}
}

// clientsWaitWithRoomFor has so many more processes and threads be there than at the start, at most.
func clientsWaitWithRoomFor(t *testing.T, room int) {
	const uid, clients = 61234, 40
	perl, dir := peer(t, "perl", "perl"), world(t)
	gate := filepath.Join(dir, "gate")
	if err := syscall.Mkfifo(gate, 0o666); err != nil {
		t.Fatal(err)
	}
	os.Chmod(gate, 0o666) // whatever the umask
	helper := writeFile(t, dir, "helper", "#!"+perl+"\n$| = 1;\nwhile (<STDIN>) { open(my $gate, '<', '"+gate+"'); print \"ERR\\n\"; }\n")
	if err := os.Chmod(helper, 0o755); err != nil {
		t.Fatal(err)
	}
	o := newOrigin(t, "127.0.0.1", pages())
	x := start(t, exaproxy().of(t, uid), dir, base+openPort+"workers 1\nurl_rewrite_program "+helper+"\nurl_rewrite_children 40 startup=1 idle=1\n")
	x.eventually("has its first helper", 20*time.Second, func() bool { return len(children(x.pid())) == 1 })
	threads, _ := os.ReadDir(filepath.Join("/proc", strconv.Itoa(x.pid()), "task"))
	x.limitProcesses(uid, len(threads)+1+room)
	done := make(chan []string)
	go func() {
		done <- rush(x, clients, 1, func(client, n int) (string, func(*http.Response) string) {
			return o.URL + "/page", expect(http.StatusOK)
		})
	}()
	x.logs("resource temporarily unavailable", 30*time.Second)
	open, err := os.OpenFile(gate, os.O_RDWR, 0) // so that nobody waits for the other end
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	for _, complaint := range <-done {
		t.Error(complaint)
	}
	if x.hasEnded() {
		t.Error("the proxy has ended")
	}
	after, _ := os.ReadDir(filepath.Join("/proc", strconv.Itoa(x.pid()), "task"))
	if len(after) > len(threads)+room {
		t.Errorf("%d threads before, %d after", len(threads), len(after))
	}
}

// limitProcesses has the proxy's user, whom nobody else is, have no more processes and threads than that.
func (x *proxy) limitProcesses(uid, most int) {
	x.t.Helper()
	cmd := exec.Command("setpriv", fmt.Sprintf("--reuid=%d", uid), fmt.Sprintf("--regid=%d", uid), "--clear-groups",
		"prlimit", fmt.Sprintf("--nproc=%d:%d", most, most), "--pid", strconv.Itoa(x.pid()))
	if out, err := cmd.CombinedOutput(); err != nil {
		x.t.Fatalf("prlimit: %v: %s", err, out)
	}
}
