package acceptance

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// These are faults that attackers and operators found in the built program, each with the smallest input that showed it.

// TestAClientCannotMakeAVerdictInvalid has a redirector repeat what no URL may have in it.
func TestAClientCannotMakeAVerdictInvalid(t *testing.T) {
	trap := newTrap(t)
	x := start(t, exaproxy(), world(t), trap.directive+guardFor(t, trap).conf+base+openPort)
	for i, path := range []string{"%01", "%0d", "%1f", "%7f", "\r", "%5cn", "%0aOK"} {
		got := x.exchange(asked{raw: get(fmt.Sprintf("http://%s/form-%d-%s", blockedName, i, path))})
		if reached := trap.take(); len(reached) > 0 {
			t.Errorf("%q reaches the blocked server", path)
		}
		if !strings.HasPrefix(got.status, "HTTP/1.1 ") {
			t.Errorf("%q is answered %q", path, got.status)
		}
	}
}

// TestAnAnswerThatNamesATargetIsNeverUnchanged has targets that cannot be used.
func TestAnAnswerThatNamesATargetIsNeverUnchanged(t *testing.T) {
	answers := []string{
		`OK url=http://page.test/\r\r\n`, "OK url=http://page.test/?{url}\x01\\n", "OK rewrite-url=\x01\\n", "OK status=302 url=\x7f\\n", "302:\x1b\\n",
		"OK rewrite-url=gopher://page.test/\\n", "gopher://page.test/\\n", "OK status=999 url=http://page.test/\\n",
		"OK rewrite-url=http://page.test/" + strings.Repeat("x", 70000) + `\n`,
	}
	var rules []string
	for i, answer := range answers {
		rules = append(rules, fmt.Sprintf("/blocked/%d", i), answer)
	}
	dir := world(t)
	o := newOrigin(t, "127.0.0.1", pages())
	writeRules(t, dir, rules...)
	x := start(t, exaproxy(), dir, nameServer(t)+base+openPort+"url_rewrite_program {helper} -rules {dir}/rules\nurl_rewrite_children 2 startup=2\n")
	if complaint := one(x.client(), o.URL+"/allowed", expect(http.StatusOK)); complaint != "" {
		t.Error(complaint)
	}
	for i := 0; i < len(rules); i += 2 {
		if got := x.exchange(asked{raw: get(o.URL + rules[i])}); !strings.HasPrefix(got.status, "HTTP/1.1 ") || strings.Contains(got.status, " 200 ") || o.reached(rules[i]) {
			t.Errorf("after %.60q a request is answered %q", rules[i+1], got.status)
		}
	}
}

// rebinding is a name server whose one name leads to a first address when it is asked first, to a second the next
// time, and so on. Nobody may remember the answers.
func rebinding(t *testing.T, first, second string) (directive string) {
	t.Helper()
	var asked atomic.Int32
	return nameServerOf(t, func(q dns.Question) []dns.RR {
		if q.Qtype != dns.TypeA {
			return []dns.RR{}
		}
		return []dns.RR{address(q.Name, []string{second, first}[asked.Add(1)%2], 0)}
	})
}

func TestWhatAnAclJudgedIsWhatIsConnectedTo(t *testing.T) {
	const outside, inside = "127.55.0.1", "127.66.0.1"
	port := freePort(t)
	allowed := startOrigin(t, outside+":"+port, pages(), nil)
	denied := startOrigin(t, inside+":"+port, pages(), nil)
	conf := rebinding(t, outside, inside) + "acl inside dst 127.66.0.0/16\nhttp_access deny inside\n" + base + openPort
	x := start(t, exaproxy(), world(t), conf+"url_rewrite_program {helper}\nurl_rewrite_children 2 startup=2\n")
	for range 12 {
		got := x.exchange(asked{raw: get("http://rebind.test:" + port + "/page")})
		if !strings.Contains(got.status, " 200 ") && !strings.Contains(got.status, " 403 ") {
			t.Errorf("a request is answered %q", got.status)
		}
	}
	if n, _ := denied.counts(); n > 0 {
		t.Errorf("%d of 12 requests reached an address that no acl has seen", n)
	}
	if n, _ := allowed.counts(); n == 0 {
		t.Error("no request reached the address that was allowed")
	}
}

func TestAnAddressThatComesLateIsJudgedToo(t *testing.T) {
	requireIPv6(t)
	port := freePort(t)
	startOrigin(t, "127.55.0.1:"+port, pages(), nil)
	loopback := startOrigin(t, "[::1]:"+port, pages(), nil)
	server := nameServerOf(t, func(q dns.Question) []dns.RR {
		if q.Qtype == dns.TypeA {
			return []dns.RR{address(q.Name, "127.55.0.1", 0)}
		}
		<-time.After(150 * time.Millisecond) // it is late, not lost
		return []dns.RR{address(q.Name, "::1", 0)}
	})
	x := start(t, exaproxy(), world(t), server+"acl inside dst ::1\nhttp_access deny inside\n"+base+openPort)
	for range 4 {
		if got := x.exchange(asked{raw: get("http://late.test:" + port + "/page")}); !strings.Contains(got.status, " 403 ") {
			t.Errorf("a name of which one address is denied is answered %q", got.status)
		}
	}
	if n, _ := loopback.counts(); n > 0 {
		t.Errorf("%d requests reached what is denied", n)
	}
}

// A rawOrigin does with each connection what its function does, after a request.
func rawOrigin(t *testing.T, serve func(net.Conn)) (addr string) {
	t.Helper()
	return serveConnections(t, "127.0.0.1:0", func(conn net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			serve(conn)
		}
	})
}

// serveConnections does with each connection to an address what its function does, and closes it then.
func serveConnections(t *testing.T, at string, serve func(net.Conn)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn)
			}()
		}
	}()
	return l.Addr().String()
}

func TestInterimRepliesWithoutEndFillNoMemory(t *testing.T) {
	for _, interim := range []string{"HTTP/1.1 103 Early Hints\r\nLink: <" + strings.Repeat("x", 500) + ">\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n"} {
		t.Run(interim[:16], func(t *testing.T) {
			const tooMuch = 256 << 20
			written := make(chan int, 1)
			addr := rawOrigin(t, func(conn net.Conn) {
				piece, n := strings.Repeat(interim, 64), 0
				for n < tooMuch {
					if _, err := io.WriteString(conn, piece); err != nil {
						break
					}
					n += len(piece)
				}
				written <- n
			})
			x := start(t, exaproxy(), world(t), base+openPort)
			o := newOrigin(t, "127.0.0.1", pages())
			conn, err := net.Dial("tcp", x.addr())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			before := resident(x.pid())
			memory := watchMemory(x.pid())
			io.WriteString(conn, "GET http://"+addr+"/hints HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
			conn.SetDeadline(time.Now().Add(time.Minute))
			all, _ := io.Copy(io.Discard, conn)
			x.curl(o.URL+"/other").ok(t, "others are served", "/other")
			if n := <-written; n >= tooMuch {
				t.Errorf("%d MB of interim replies were taken, and %d bytes of them passed on", n>>20, all)
			}
			if most := memory.most(); most > before+slack() {
				t.Errorf("resident memory went from %d kB to %d kB", before>>10, most>>10)
			}
		})
	}
}

func TestRepliesWithATransferCodingThatNobodyAskedForAreRefused(t *testing.T) {
	x := start(t, exaproxy(), world(t), base+openPort)
	for _, row := range []struct{ coding, status string }{
		{"chunked", " 200 "}, {"Chunked", " 200 "},
		{"chunk", " 502 "}, {"'chunked'", " 502 "}, {`"chunked"`, " 502 "}, {"\x0b chunked", " 502 "}, {"gzip", " 502 "}, {"x-foo", " 502 "}, {"chunked, gzip", " 502 "},
	} {
		addr := rawOrigin(t, func(conn net.Conn) {
			length := "Content-Length: 15\r\n"
			if row.status == " 200 " {
				length = ""
			}
			io.WriteString(conn, "HTTP/1.1 200 OK\r\n"+length+"Transfer-Encoding: "+row.coding+"\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
		})
		got := x.exchange(asked{raw: get("http://" + addr + "/")})
		if !strings.Contains(got.status, row.status) || strings.Contains(string(got.reply), "hello") != (row.status == " 200 ") {
			t.Errorf("Transfer-Encoding: %q is answered %q", row.coding, got.reply)
		}
	}
}

// TestTheUsersLinksLeadRootNowhere has a link in the user's folder to a file that only root may write, under each name that
// the program opens as root.
func TestTheUsersLinksLeadRootNowhere(t *testing.T) {
	who, err := user.Lookup("proxy")
	if os.Getuid() != 0 || err != nil {
		t.Skip("this test needs root's rights and a user to give them up for (Debian's proxy)")
	}
	uid, _ := strconv.Atoi(who.Uid)
	for _, name := range []string{"access.log", "cache.log", "squid.pid"} {
		for _, there := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, target there: %v", name, there), func(t *testing.T) {
				dir, safe := usersFolder(t, uid), t.TempDir()
				target := filepath.Join(safe, "root-only")
				if there {
					writeFile(t, safe, "root-only", "as it was\n")
					os.Chmod(target, 0o600)
				}
				if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
				x := launch(t, exaproxy(), dir, "-N", "-d1", "-f", filepath.Join(dir, "squid.conf"))
				poll(20*time.Second, func() bool { x.addrs = accepting(x.said()); return x.hasEnded() || len(x.addrs) > 0 })
				if !x.hasEnded() {
					x.exchange(asked{raw: get("http://127.0.0.1:9/logged")})
					x.signal(syscall.SIGTERM)
				}
				if status := x.wait(20 * time.Second); status != 0 && !strings.Contains(x.said(), filepath.Join(dir, name)) {
					t.Errorf("it ends with status %d, and says nothing of the link: %q", status, x.said())
				}
				untouched(t, target, there)
			})
		}
	}
	t.Run("a link to a file of his own", func(t *testing.T) {
		dir := usersFolder(t, uid)
		os.Chown(writeFile(t, dir, "his-own", ""), uid, 0)
		if err := os.Symlink(filepath.Join(dir, "his-own"), filepath.Join(dir, "access.log")); err != nil {
			t.Fatal(err)
		}
		x := start(t, exaproxy(), dir, base+openPort)
		x.exchange(asked{raw: get("http://127.0.0.1:9/logged")})
		x.logged(1)
	})
}

// usersFolder is a folder of a user's, with a configuration whose files are there.
func usersFolder(t *testing.T, uid int) string {
	t.Helper()
	dir := world(t)
	writeFile(t, dir, "squid.conf", fill(dir, base+openPort))
	os.Chmod(dir, 0o755)
	if err := os.Chown(dir, uid, 0); err != nil {
		t.Fatal(err)
	}
	return dir
}

// untouched complains if a file of root's has changed.
func untouched(t *testing.T, path string, there bool) {
	t.Helper()
	info, err := os.Stat(path)
	switch {
	case err != nil && there:
		t.Errorf("the target of the link is gone: %v", err)
	case err == nil && !there:
		t.Error("the target of the link was created")
	case there && (readAll(path) != "as it was\n" || info.Mode().Perm() != 0o600 || info.Sys().(*syscall.Stat_t).Uid != 0):
		t.Errorf("the target of the link has changed: %v, owner %d, %q", info.Mode(), info.Sys().(*syscall.Stat_t).Uid, readAll(path))
	}
}
