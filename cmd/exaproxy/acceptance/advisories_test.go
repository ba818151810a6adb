package acceptance

import (
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
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
