package acl

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"exaproxy/dnsasync"
	"exaproxy/engine/loop"
	"exaproxy/engine/loop/looptest"
)

const hostsFile = "10.1.2.3 www.example.com\n10.9.9.9 ads.example.net\n10.9.9.8 xads.example.net\n192.0.2.80 other.example\n" +
	"2001:db8::80 six.example\n198.51.100.1 example.com\n127.0.0.1 localhost\n::1 localhost6\n"

// compared are acls; each is asked about each request.
var compared = []string{
	"src 127.0.0.5", "src 127.0.0.0/29", "src 127.0.0.2-127.0.0.4", "src 127.0.0.0/255.0.0.0", "src all", "src ipv6", "src 128.0.0.0/1", "src 0.0.0.0/1",
	"dst 10.0.0.0/8", "dst -n 10.0.0.0/8", "dst 10.1.2.3", "dst 2001:db8::/32", "dst ::1", "dst 127.0.0.0/8", "dst 192.0.2.64-192.0.2.96/28",
	"dstdomain .example.com", "dstdomain example.com", "dstdomain www.example.com", "dstdomain .com", "dstdomain EXAMPLE.net .ads.EXAMPLE.net", "dstdomain -n 127.0.0.1", "dstdomain -n [::1]",
	"dstdomain -n ::1", "dstdomain other.example", "dstdomain -n other.example", "dstdomain six.example",
	`dstdom_regex -n ^www\.`, "dstdom_regex -n -i EXAMPLE", "dstdom_regex -n EXAMPLE", `dstdom_regex -n ^\[`, `dstdom_regex -n ^[0-9.]+$`, "dstdom_regex ^other", `dstdom_regex -n -- ^other`,
	"url_regex ^http://", "url_regex -i ^HTTP://WWW", "url_regex :443$", "url_regex a%b", "url_regex %41", "url_regex A", "url_regex -i a +i A b", `url_regex x\ y`, "url_regex @", "url_regex [#]",
	"url_regex ^http://www.example.com/..$", "url_regex ^http://www.example.com/é$", "url_regex -i ^http://www.example.com/É$", "url_regex ^http://www.example.com/a.b$",
	`url_regex \.exe$ \.zip$`, `url_regex -i \.(EXE|zip)(\?.*)?$`, `url_regex \<ads\>`, `url_regex (^|[^a-z])ads([^a-z]|$)`, "url_regex ads{2}", "url_regex -i [[:upper:]]DS", `url_regex \d`, "url_regex .*foo ^.*bar",
	"url_regex /a/* (b", "url_regex ()", "url_regex y +x",
	"urlpath_regex .", "urlpath_regex ^/$", "urlpath_regex -i ^/ADS", "urlpath_regex [?]", "urlpath_regex ^example",
	"port 80", "port 443 563", "port 1-79 81-442 444-65535", "port 0", "port 21",
	"proto HTTP", "proto https", "proto ftp urn", "proto NONE", "proto authority_form", "proto cache_object",
	"method GET", "method get", "method CONNECT", "method FOO", "method foo Post", "method PURGE",
	"browser -i ^MOZILLA", "browser .", "referer_regex example", "req_mime_type ^text/", "req_header User-Agent -i ^moz", "req_header X-Two ^a,.b$",
	"localip 127.0.0.1", "localip 127.0.0.0/8", "myportname front", "myip 10.0.0.1",
	"at_step SslBump1", "at_step sslbump2 SSLBUMP3", "ssl_error 10 ssl::certUntrusted SQUID_X509_V_ERR_DOMAIN_MISMATCH", "connections_encrypted",
	"server_cert_fingerprint 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33", "ssl::server_name .example.com", "ssl::server_name www.EXAMPLE.com", "ssl::server_name --client-requested example.com 10.1.2.3",
	"ssl::server_name --server-provided none", "ssl::server_name --consensus .net [::1]", "ssl::server_name ::1 [2001:db8::80]", "ssl::server_name_regex ^www", "ssl::server_name_regex -i --client-requested EXAMPLE",
	"ssl::server_name_regex --server-provided ^none$", "ssl::server_name_regex [.]$", "any-of ssl::certHasExpired ssl::certNotYetValid ssl::certDomainMismatch ssl::certUntrusted ssl::certSelfSigned",
	"squid_error ERR_NONE", "squid_error ERR_PROTOCOL_UNKNOWN ERR_TOO_BIG", "transaction_initiator client", "transaction_initiator all", "transaction_initiator certificate-fetching internal icon",
	"any-of CONNECT manager", "all-of !CONNECT !manager", "any-of localhost to_localhost", "any-of !all", "all-of all !to_localhost",
}

// comparedRequests are of many kinds; "from" is the last byte of the client's address.
func comparedRequests() (list []string) {
	hosts := []string{"www.example.com", "example.com", "WWW.EXAMPLE.COM.", "ads.example.net", "xads.example.net", "10.1.2.3", "192.0.2.80", "127.0.0.1", "[::1]", "[2001:db8::80]", "other.example", "six.example"}
	paths := []string{"", "/", "?q", "/a", "/%61%41", "/a%%b", "/a%25b", "/a%0ab", "/%2541", "/x%20y", "/ads/1.exe", "/ads", "/loads.zip?x=1", "/ADS.EXE", "/adss", "/é", "/É", "/%C3%A9", "/a#b", "/foo/bar", "/%00", "/%4", "/$y", "/a(b"}
	for i, host := range hosts {
		for j, path := range paths {
			if i == 0 || (i+j)%4 == 0 {
				list = append(list, "GET http://"+host+path)
			}
		}
		list = append(list, "CONNECT "+host+":443", "POST https://"+host+"/", "GET ftp://"+host+":8021/ads")
	}
	return append(list, "foo http://example.com/", "get http://example.com/", "PURGE http://example.com/x", "GET http://u:p@www.example.com/a",
		"GET cache_object://127.0.0.1/info", "GET http://www.example.com:81/squid-internal-mgr/info", "GET http://2130706433/x", "GET http://127.1/x", "GET http://0x7f.0.0.1/x", "CONNECT 0177.1:443",
		"GET http://example.com/\nUser-Agent: Mozilla/5.0", "GET http://example.com/\nReferer: http://example.com/\nUser-Agent: x", "GET http://example.com/\nX-Two: a\nX-Two: b", "POST http://example.com/\nContent-Type: text/plain\nContent-Length: 0")
}

// TestAgainstSquid asks an installed Squid which of the compared acls match, for each request, and
// compares.
func TestAgainstSquid(t *testing.T) {
	if testing.Short() {
		t.Skip("a real Squid takes seconds")
	}
	squid := startSquid(t)
	c, resolver := ours(t)
	for i, request := range comparedRequests() {
		from := netip.AddrFrom4([4]byte{127, 0, 0, byte(1 + i%6)})
		want := squid.matching(t, from, request)
		r := asked(t, request)
		r.Client, r.Local = netip.AddrPortFrom(from, 40000), squid.at
		var got []string
		for n := range compared {
			list := c.set.NewList("http_access", Deny)
			if _, err := list.AddConditions(predefinedLine(aclName(n)), 0); err != nil {
				t.Fatal(err)
			}
			p := Place{Services: Services{Resolver: resolver}}
			switch list.Match(r, &r.Target, &p) {
			case Allow:
				got = append(got, aclName(n))
			case Pending:
				t.Fatalf("%s waits for a name server over %q", compared[n], request)
			case Deny:
			}
		}
		for n := range compared {
			if name := aclName(n); slices.Contains(got, name) != slices.Contains(want, name) {
				t.Errorf("acl %s on %q from %v: got %v, Squid says %v", compared[n], request, from, slices.Contains(got, name), slices.Contains(want, name))
			}
		}
	}
}

func aclName(n int) string { return fmt.Sprintf("acl%d", n) }

// acls are the compared ones as lines.
func aclLines() string {
	var b strings.Builder
	for n, values := range compared {
		fmt.Fprintf(&b, "acl %s %s\n", aclName(n), values)
	}
	return b.String()
}

func ours(t *testing.T) (*config, *dnsasync.Resolver) {
	t.Helper()
	c := load(t, aclLines(), nil)
	if c.err != nil {
		t.Fatal(c.err)
	}
	l, err := loop.New(looptest.NewKernel(t))
	if err != nil {
		t.Fatal(err)
	}
	hosts, err := dnsasync.ReadHosts(strings.NewReader(hostsFile))
	if err != nil {
		t.Fatal(err)
	}
	resolver := dnsasync.New(l, dnsasync.Config{Hosts: hosts})
	t.Cleanup(resolver.Close)
	return c, resolver
}

// A runningSquid denies every request, and names the acls that match in a field of the reply.
type runningSquid struct{ at netip.AddrPort }

func startSquid(t *testing.T) runningSquid {
	t.Helper()
	program, err := exec.LookPath("squid")
	if err != nil {
		t.Skip("no squid to compare with")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := runningSquid{netip.MustParseAddrPort(listener.Addr().String())}
	listener.Close()
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} { // Squid gives up root before it reads the hosts file
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "squid.conf")
	for name, text := range map[string]string{path: s.config(dir), filepath.Join(dir, "hosts"): hostsFile} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// a service of its own: two of one name share memory, as does one with what another left that was killed
	service := fmt.Sprintf("acltest%d", os.Getpid())
	cmd := exec.Command(program, "-N", "-n", service, "-d1", "-f", path)
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		left, _ := filepath.Glob("/dev/shm/" + service + "-*")
		for _, path := range left {
			os.Remove(path)
		}
	})
	awaitSquid(t, bufio.NewScanner(log))
	return s
}

// awaitSquid reads what Squid says until it accepts connections, and goes on reading then: Squid
// must be able to say more.
func awaitSquid(t *testing.T, lines *bufio.Scanner) {
	t.Helper()
	var said []string
	for lines.Scan() {
		said = append(said, lines.Text())
		if strings.Contains(lines.Text(), "Accepting HTTP Socket connections") {
			go func() {
				for lines.Scan() {
				}
			}()
			return
		}
	}
	t.Fatalf("squid did not start:\n%s", strings.Join(said, "\n"))
}

func (s runningSquid) config(dir string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "http_port %v name=front\npid_filename none\ncache_log /dev/null\naccess_log none\nnetdb_filename none\n", s.at)
	fmt.Fprintf(&b, "pinger_enable off\ncoredump_dir /\nhosts_file %s\ndns_nameservers 127.0.0.1\n%s", filepath.Join(dir, "hosts"), aclLines())
	for n := range compared {
		fmt.Fprintf(&b, "acl note%d annotate_transaction m+=%s\nhttp_access deny %s note%d !all\n", n, aclName(n), aclName(n), n)
	}
	b.WriteString("http_access deny all\nreply_header_add X-Match \"%note{m}\" all\n")
	return b.String()
}

// matching asks for the acls that match a request from an address of loopback.
func (s runningSquid) matching(t *testing.T, from netip.Addr, request string) []string {
	t.Helper()
	conn := s.dial(t, from)
	defer conn.Close()
	line, fields, _ := strings.Cut(request, "\n")
	if fields != "" {
		fields = strings.ReplaceAll(fields, "\n", "\r\n") + "\r\n"
	}
	fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: h.test\r\n%sConnection: close\r\n\r\n", line, fields)
	reply, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("request %q: %v", request, err)
	}
	reply.Body.Close()
	if reply.StatusCode != http.StatusForbidden {
		t.Fatalf("request %q: Squid says %s, want that it is forbidden", request, reply.Status)
	}
	return strings.Split(reply.Header.Get("X-Match"), ",")
}

// dial connects, again and again for a while: Squid says that it accepts connections just before it
// does.
func (s runningSquid) dial(t *testing.T, from netip.Addr) net.Conn {
	t.Helper()
	end := time.Now().Add(time.Minute)
	dialer := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0)), Deadline: end}
	for {
		conn, err := dialer.Dial("tcp", s.at.String())
		if err == nil {
			conn.SetDeadline(end)
			return conn
		}
		if !errors.Is(err, syscall.ECONNREFUSED) || time.Now().After(end) {
			t.Fatal(err)
		}
	}
}
