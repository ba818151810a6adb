package acceptance

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A diverted is what one client says that has never heard of a proxy.
type diverted struct {
	asked
	to  string // whom it connects to
	tls bool   // it speaks TLS with whom it connects to, and raw inside
	sni string // and asks for this name; "" for none
}

// hostsOfNetwork are the names of the origins. Squid takes one address for each, and calls an address by its last line.
const hostsOfNetwork = originIPv4 + " blocked.test\n" + originIPv6 + " six.test\n" + otherIPv4 + " other.test\n" + originIPv4 + " site.test\n"

// divertedConf is what all proxies of these tests have, beside a port without which Squid does not start.
const divertedConf = `logformat seen %>a %la %lp %>la %>lp %<a %<p %<la %Ss/%03>Hs %rm %ru %un %Sh
dns_nameservers 127.0.0.1
url_rewrite_program {helper} -record {dir}/lines -rules {dir}/rules
url_rewrite_children 1 startup=1 idle=1 concurrency=0
acl secret dst ` + otherIPv4 + `/32
acl wanted urlpath_regex ^/dst
acl byport urlpath_regex ^/localport
acl byaddr urlpath_regex ^/localip
acl byname urlpath_regex ^/myportname
acl web localport 80
acl there localip ` + originIPv4 + `
acl mine myportname diverts
http_access deny wanted secret
http_access deny byport web
http_access deny byaddr there
http_access deny byname mine
`

// plainly is what is asked of web servers, by the forms of a request.
func plainly(path, host string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n"
}

var (
	at4, at6 = net.JoinHostPort(originIPv4, "80"), net.JoinHostPort(originIPv6, "80")
	at4b     = net.JoinHostPort(otherIPv4, "80")
)

const (
	asksBoth = "the helper is asked about the address as well, so that a forged Host opens nothing"
	oneHost  = "a request with two Host fields is refused"
)

// divertedRequests are requests of clients that were diverted.
var divertedRequests = []diverted{
	{asked: asked{name: "a page", raw: plainly("/p?q", "site.test")}, to: at4},
	{asked: asked{name: "a page by IPv6", raw: plainly("/p", "six.test")}, to: at6},
	{asked: asked{name: "with the port", raw: plainly("/p", "site.test:80")}, to: at4},
	{asked: asked{name: "the address as Host", raw: plainly("/p", originIPv4)}, to: at4},
	{asked: asked{name: "the IPv6 address as Host", raw: plainly("/p", "["+originIPv6+"]")}, to: at6},
	{asked: asked{name: "a URL", raw: "GET http://site.test/abs HTTP/1.1\r\nHost: site.test\r\n\r\n"}, to: at4},
	{asked: asked{name: "a URL beside another Host", raw: "GET http://site.test/abs HTTP/1.1\r\nHost: other.test\r\n\r\n"}, to: at4},
	{asked: asked{name: "no Host", raw: "GET /p HTTP/1.0\r\n\r\n"}, to: at4},
	{asked: asked{name: "no Host in HTTP/1.1", raw: "GET /p HTTP/1.1\r\n\r\n"}, to: at4},
	{asked: asked{name: "credentials", raw: "GET /p HTTP/1.1\r\nHost: site.test\r\nProxy-Authorization: Basic YTpi\r\n\r\n"}, to: at4},
	{asked: asked{name: "a POST", raw: "POST /p HTTP/1.1\r\nHost: site.test\r\nContent-Length: 3\r\n\r\nabc"}, to: at4},
	{asked: asked{name: "a page that is blocked", raw: plainly("/p", "blocked.test")}, to: at4},
	{asked: asked{name: "a blocked Host that leads elsewhere", raw: plainly("/p", "blocked.test")}, to: at4b},
	{asked: asked{name: "dst is the address", raw: plainly("/dst", "site.test")}, to: at4b},
	{asked: asked{name: "dst is not that of Host", raw: plainly("/dst", "other.test"), deliberate: asksBoth}, to: at4},
	{asked: asked{name: "localport", raw: plainly("/localport", "site.test")}, to: at4},
	{asked: asked{name: "localip", raw: plainly("/localip", "site.test")}, to: at4},
	{asked: asked{name: "myportname", raw: plainly("/myportname", "site.test")}, to: at4},
	{asked: asked{name: "CONNECT", raw: "CONNECT site.test:443 HTTP/1.1\r\nHost: site.test:443\r\n\r\n"}, to: at4},
	{asked: asked{name: "another Host", raw: plainly("/p", "other.test"), deliberate: asksBoth}, to: at4},
	{asked: asked{name: "another Host by IPv6", raw: plainly("/p", "site.test"), deliberate: asksBoth}, to: at6},
	{asked: asked{name: "another address as Host", raw: plainly("/p", otherIPv4), deliberate: asksBoth}, to: at4},
	{asked: asked{name: "another port as Host", raw: plainly("/p", "site.test:8080"), deliberate: asksBoth}, to: at4},
	{asked: asked{name: "two Hosts", raw: "GET /p HTTP/1.1\r\nHost: site.test\r\nHost: other.test\r\n\r\n", deliberate: oneHost}, to: at4},
}

// divertedWorld is a network with origins, whose certificates the authority has issued.
func divertedWorld(t *testing.T) (*network, *authority) {
	t.Helper()
	n := newNetwork(t)
	a := newAuthority(t, world(t), "site.test", "six.test", "other.test")
	n.serve(&tls.Config{Certificates: []tls.Certificate{a.cert}})
	return n, a
}

// run starts a proxy on the network's.
func (n *network) run(t testing.TB, p program, conf string) *proxy {
	t.Helper()
	dir := world(t)
	writeFile(t, dir, "hosts", hostsOfNetwork)
	writeRules(t, dir, "blocked.test", `OK status=302 url="http://page.test/"\n`)
	conf = "http_port 3128\n" + divertedConf + conf + strings.Replace(base, "access.log squid", "access.log seen", 1)
	return start(t, n.on(n.proxy, p), dir, conf)
}

// hold has all clients speak to a proxy, one after the other.
func (n *network) hold(t *testing.T, p program, conf string, list []diverted) (all []exchange) {
	t.Helper()
	x := n.run(t, p, conf)
	defer x.end()
	x.quiet = true // the differences say it all
	for _, d := range list {
		all = append(all, n.ask(t, x, d))
	}
	x.quiet = !t.Failed()
	return all
}

// ask has one client speak, and waits for what that leaves behind.
func (n *network) ask(t *testing.T, x *proxy, d diverted) exchange {
	t.Helper()
	lines, logged := len(x.file("lines")), len(x.accessLog())
	e := n.exchange(t, d)
	poll(2*time.Second, func() bool { return len(requestLines(x.accessLog()[logged:])) > 0 })
	e.lines, e.log = x.file("lines")[lines:], requestLines(x.accessLog()[logged:])
	return e
}

// requestLines are those lines of a log that tell what became of a request. Squid has more: for a connection that ends after an
// error, and for a tunnel when the name in it is not known yet.
func requestLines(all []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(line string) bool {
		return strings.Contains(line, "error:transaction-end-before-headers") || strings.Contains(line, "NONE_NONE/000 CONNECT")
	})
}

// exchange has the conversation.
func (n *network) exchange(t *testing.T, d diverted) exchange {
	t.Helper()
	conn, err := n.dial(d.to)
	if err != nil {
		return exchange{status: "(" + err.Error() + ")"}
	}
	conn = watchConn(t, "a client", conn)
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(6 * time.Second))
	method, _, _ := strings.Cut(d.raw, " ")
	if !d.tls {
		io.WriteString(conn, d.raw)
		return readExchange(conn, method, "")
	}
	secure := tls.Client(conn, &tls.Config{ServerName: d.sni, InsecureSkipVerify: true})
	if err := secure.Handshake(); err != nil {
		return exchange{status: "(no TLS)"}
	}
	io.WriteString(secure, d.raw)
	e := readExchange(secure, method, "")
	e.status = "in TLS of " + secure.ConnectionState().PeerCertificates[0].Issuer.CommonName + ": " + e.status
	return e
}

// compareDiverted holds all conversations with ours and with Squid.
func (n *network) compareDiverted(t *testing.T, conf string, list []diverted) {
	t.Helper()
	squid, own := squidThatBumps(t)
	a, b := n.hold(t, exaproxy(), conf, list), n.hold(t, squid, conf+own, list)
	for i, d := range list {
		judge(t, d.asked,
			aspect{"status", a[i].status, b[i].status}, aspect{"page", a[i].fault, b[i].fault}, aspect{"head", replyOf(a[i]), replyOf(b[i])},
			aspect{"line to the helper", a[i].lines, b[i].lines}, aspect{"log", strings.Join(a[i].log, "\n"), strings.Join(b[i].log, "\n")})
	}
}

// replyOf is the head of a reply, and its body if that is an origin's.
func replyOf(e exchange) string {
	_, body, _ := strings.Cut(string(e.reply), "\r\n\r\n")
	if e.fault != "" {
		body = ""
	}
	fields := strings.Split(e.head(), "\r\n")
	slices.Sort(fields[1:])
	return strings.Join(fields, "\n") + "\n" + body
}

const extras = `url_rewrite_extras "%>a %un %>rm myip=%la myport=%lp to=%>la:%>lp"` + "\n"

// TestInterceptBesideSquid holds the same conversations with both, by a port of intercept and an nft redirect.
func TestInterceptBesideSquid(t *testing.T) {
	n, _ := divertedWorld(t)
	n.divert("redirect.nft")
	n.compareDiverted(t, "http_port 3129 intercept name=diverts\n", divertedRequests)
	t.Run("an address of the port", func(t *testing.T) {
		n.compareDiverted(t, "http_port "+routerIPv4+":3129 intercept name=diverts\nhttp_port ["+routerIPv6+"]:3129 intercept\n"+extras, divertedRequests[:5])
	})
	t.Run("host_verify_strict", func(t *testing.T) {
		strict := slices.Clone(divertedRequests[:len(divertedRequests)-1])
		for i := range strict {
			strict[i].deliberate = ""
		}
		n.compareDiverted(t, "http_port 3129 intercept name=diverts\nhost_verify_strict on\n", strict)
	})
	t.Run("client_dst_passthru off", func(t *testing.T) {
		n.compareDiverted(t, "http_port 3129 intercept name=diverts\nclient_dst_passthru off\n", divertedRequests[:9])
	})
	t.Run("users", func(t *testing.T) {
		users := []diverted{divertedRequests[0], divertedRequests[9]}
		for i := range users {
			users[i].deliberate = "who has never heard of a proxy cannot answer a 407"
		}
		n.compareDiverted(t, "http_port 3129 intercept name=diverts\nauth_param basic program {helper} -answer OK\\n\nauth_param basic children 1\n"+
			"acl users proxy_auth REQUIRED\nhttp_access deny !users\n", users)
	})
}

// TestTPROXYBesideSquid holds them by a port of tproxy: origins see the clients' own addresses.
func TestTPROXYBesideSquid(t *testing.T) {
	n, _ := divertedWorld(t)
	n.divert("tproxy.nft")
	n.routes()
	n.compareDiverted(t, "http_port 3130 tproxy name=diverts\n"+extras, divertedRequests)
	t.Run("spoof_client_ip", func(t *testing.T) {
		n.compareDiverted(t, "http_port 3130 tproxy\nacl them src "+clientIPv4+"\nspoof_client_ip deny them\nspoof_client_ip allow all\n", divertedRequests[:2])
	})
}

const sslPort = " ssl-bump tls-cert={dir}/ca/ca.crt tls-key={dir}/ca/ca.key generate-host-certificates=on dynamic_cert_mem_cache_size=1MB\n"

const elsewhere = "Squid answers in the clear, in the middle of the handshake"

// divertedTLS are clients that speak TLS with whom they want.
var divertedTLS = []diverted{
	{asked: asked{name: "a site", raw: plainly("/p", "site.test")}, to: net.JoinHostPort(originIPv4, "443"), tls: true, sni: "site.test"},
	{asked: asked{name: "a site by IPv6", raw: plainly("/p", "six.test")}, to: net.JoinHostPort(originIPv6, "443"), tls: true, sni: "six.test"},
	{asked: asked{name: "no name", raw: plainly("/p", originIPv4)}, to: net.JoinHostPort(originIPv4, "443"), tls: true},
	{asked: asked{name: "a name that leads elsewhere", raw: plainly("/p", "other.test"), deliberate: elsewhere}, to: net.JoinHostPort(originIPv4, "443"), tls: true, sni: "other.test"},
	{asked: asked{name: "a site that is blocked", raw: plainly("/p", "blocked.test"), deliberate: elsewhere}, to: net.JoinHostPort(originIPv4, "443"), tls: true, sni: "blocked.test"},
}

// TestDivertedTLSBesideSquid has clients speak TLS by a port of intercept and by one of tproxy: it is peeked at and spliced.
func TestDivertedTLSBesideSquid(t *testing.T) {
	const rules = "acl step1 at_step SslBump1\nssl_bump peek step1\nssl_bump splice all\n"
	n, _ := divertedWorld(t)
	n.divert("redirect.nft")
	n.compareTLS(t, "https_port 3131 intercept name=diverts"+sslPort+rules)
	n.divert("tproxy.nft")
	n.routes()
	n.compareTLS(t, "https_port 3132 tproxy name=diverts"+sslPort+extras+rules)
}

func (n *network) compareTLS(t *testing.T, conf string) {
	t.Helper()
	dir := filepath.Join(world(t), "ca")
	if out, err := exec.Command(built.proxy, "make-ca", dir).CombinedOutput(); err != nil {
		t.Fatalf("make-ca: %v\n%s", err, out)
	}
	for _, name := range []string{dir, filepath.Join(dir, "ca.key")} {
		if err := os.Chmod(name, 0o755); err != nil { // the user that Squid becomes reads it
			t.Fatal(err)
		}
	}
	n.compareDiverted(t, strings.ReplaceAll(conf, "{dir}/ca", dir), divertedTLS)
}

// TestCurlIsDiverted has curl go by the proxy without knowing, over both families: plainly, in TLS that nobody decrypts, and
// to a site that is blocked, whose page it gets inside TLS.
func TestCurlIsDiverted(t *testing.T) {
	n, a := divertedWorld(t)
	ca := filepath.Join(world(t), "ca")
	if out, err := exec.Command(built.proxy, "make-ca", ca).CombinedOutput(); err != nil {
		t.Fatalf("make-ca: %v\n%s", err, out)
	}
	n.divert("redirect.nft")
	n.run(t, exaproxy(), "http_port 3129 intercept\nhttps_port 3131 intercept"+strings.ReplaceAll(sslPort, "{dir}/ca", ca)+
		"acl step1 at_step SslBump1\nacl opened ssl::server_name other.test\nssl_bump peek step1\nssl_bump bump opened\nssl_bump splice all\n"+
		"tls_outgoing_options cafile="+a.file+"\n")
	for _, row := range []struct{ name, address, url, trusts, want string }{
		{"HTTP", originIPv4, "http://site.test/a", a.file, "site.test at 10.9.2.2:80 is asked by 10.9.2.1 for GET /a"},
		{"HTTP over IPv6", originIPv6, "http://six.test/a", a.file, "six.test at [fd09:2::2]:80 is asked by fd09:2::1 for GET /a"},
		{"TLS", originIPv4, "https://site.test/a", a.file, "site.test at 10.9.2.2:443 is asked by 10.9.2.1 for GET /a"},
		{"TLS over IPv6", originIPv6, "https://six.test/a", a.file, "six.test at [fd09:2::2]:443 is asked by fd09:2::1 for GET /a"},
		{"TLS that is decrypted", otherIPv4, "https://other.test/a", ca + "/ca.crt", "other.test at 10.9.2.3:443 is asked by 10.9.2.1 for GET /a"},
		{"a blocked site in TLS", originIPv4, "https://blocked.test/a", ca + "/ca.crt", "http://page.test/"},
	} {
		host := strings.Split(row.url, "/")[2]
		port := map[string]string{"http": "80", "https": "443"}[strings.Split(row.url, ":")[0]]
		curl := exec.Command("ip", "netns", "exec", n.clients, peer(t, "curl", "curl"), "-sS", "--max-time", "20", "--cacert", row.trusts,
			"--resolve", fmt.Sprintf("%s:%s:[%s]", host, port, row.address), row.url)
		if out, err := curl.CombinedOutput(); err != nil || !strings.Contains(string(out), row.want) {
			t.Errorf("%s: curl gets %q (%v), want %q", row.name, out, err, row.want)
		}
	}
}

// TestChromiumIsDiverted has browsers that know of no proxy, and think that they may speak QUIC: one trusts the sites alone, the other
// the proxy's authority alone.
func TestChromiumIsDiverted(t *testing.T) {
	n, a := divertedWorld(t)
	ca := filepath.Join(world(t), "ca")
	if out, err := exec.Command(built.proxy, "make-ca", ca).CombinedOutput(); err != nil {
		t.Fatalf("make-ca: %v\n%s", err, out)
	}
	n.divert("redirect.nft")
	x := n.run(t, exaproxy(), "http_port 3129 intercept\nhttps_port 3131 intercept"+strings.ReplaceAll(sslPort, "{dir}/ca", ca)+
		"acl step1 at_step SslBump1\nacl bad dstdomain blocked.test\nhttp_access deny bad\nssl_bump peek step1\nssl_bump splice all\n")
	ours, theirs := homeThatTrusts(t, filepath.Join(ca, "ca.crt")), homeThatTrusts(t, a.file)
	for _, row := range []struct{ home, url, want string }{
		{theirs, "http://site.test/a", "is asked by 10.9.2.1 for GET /a"},
		{theirs, "https://site.test/a", "site.test at 10.9.2.2:443 is asked by 10.9.2.1 for GET /a"},
		{ours, "https://blocked.test/a", "Access denied"},
	} {
		dom := browse(t, []string{"ip", "netns", "exec", n.clients}, row.home, row.url, "--no-proxy-server", "--enable-quic", "--origin-to-force-quic-on=site.test:443",
			"--host-resolver-rules=MAP site.test "+originIPv4+", MAP blocked.test "+originIPv4)
		if !strings.Contains(dom, row.want) {
			t.Errorf("Chromium shows at %s:\n%.2000s\nwant %q", row.url, dom, row.want)
		}
	}
	if log := strings.Join(x.accessLog(), "\n"); !strings.Contains(log, "TCP_TUNNEL/200 CONNECT site.test:443 - ORIGINAL_DST") {
		t.Errorf("the log has\n%s", log)
	}
}

// TestTPROXYKeepsOneRight has the proxy give up all rights but that of having clients' addresses, and helpers all.
func TestTPROXYKeepsOneRight(t *testing.T) {
	n, _ := divertedWorld(t)
	n.divert("tproxy.nft")
	n.routes()
	x := n.run(t, exaproxy(), "http_port 3130 tproxy\n")
	const netRaw = 1 << 13
	if got := rightsOf(x.pid()); got != netRaw {
		t.Errorf("the proxy has the rights %x", got)
	}
	var helpers []int
	x.eventually("has a helper", 20*time.Second, func() bool { helpers = children(x.pid()); return len(helpers) == 1 })
	if rights := rightsOf(helpers[0]); rights != 0 {
		t.Errorf("the helper has the rights %x", rights)
	}
	for range 2 {
		e := n.exchange(t, divertedRequests[0])
		if want := "is asked by " + clientIPv4; !strings.Contains(string(e.reply), want) {
			t.Errorf("the reply is %q, want %q", e.reply, want)
		}
		x.signal(syscall.SIGHUP) // the port stays open
		x.logs("Reconfigured", 10*time.Second)
	}
	if e := n.exchange(t, diverted{asked: asked{raw: plainly("/", "site.test")}, to: net.JoinHostPort(routerIPv4, "3130")}); e.status != "(closed without a word)" {
		t.Errorf("who comes to the port itself gets %q", e.status)
	}
}

// rightsOf are the effective capabilities of a process (proc(5)).
func rightsOf(pid int) uint64 {
	for line := range strings.Lines(readAll(filepath.Join("/proc", strconv.Itoa(pid), "status"))) {
		if after, ok := strings.CutPrefix(line, "CapEff:"); ok {
			rights, _ := strconv.ParseUint(strings.TrimSpace(after), 16, 64)
			return rights
		}
	}
	return ^uint64(0)
}

// TestWhoComesToAPortOfIntercept has the proxy not ask itself, say so, and serve on.
func TestWhoComesToAPortOfIntercept(t *testing.T) {
	n, _ := divertedWorld(t)
	x := n.run(t, exaproxy(), "http_port 3129 intercept\n")
	for _, router := range []string{routerIPv4, routerIPv6} {
		e := n.exchange(t, diverted{asked: asked{raw: plainly("/", "site.test")}, to: net.JoinHostPort(router, "3129")})
		if e.status != "(closed without a word)" {
			t.Errorf("at %s the answer is %q", router, e.status)
		}
	}
	x.logs("ERROR: NAT/TPROXY lookup failed to locate original IPs on local="+routerIPv4+":3129 remote="+clientIPv4, 5*time.Second)
	n.divert("redirect.nft")
	if e := n.exchange(t, divertedRequests[0]); e.status != "HTTP/1.1 200 OK" {
		t.Errorf("then a client that is diverted gets %q", e.status)
	}
	if lines := x.logged(3); !strings.Contains(lines[0], "NONE_NONE/000 - error:accept-client-connection") {
		t.Errorf("the log has %q", lines)
	}
}

// TestIptablesDiverts has the rules of contrib/intercept/README.md for iptables in the place of those for nft.
func TestIptablesDiverts(t *testing.T) {
	n, _ := divertedWorld(t)
	for _, program := range []string{"iptables", "ip6tables"} {
		peer(t, program, "iptables")
		rule := exec.Command("ip", "netns", "exec", n.proxy, program, "-t", "nat", "-A", "PREROUTING", "-i", "lan", "-p", "tcp", "--dport", "80", "-j", "REDIRECT", "--to-ports", "3129")
		if out, err := rule.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", program, err, out)
		}
	}
	n.run(t, exaproxy(), "http_port 3129 intercept\n")
	for _, d := range divertedRequests[:2] {
		if e := n.exchange(t, d); e.status != "HTTP/1.1 200 OK" {
			t.Errorf("%s: %q", d.name, e.status)
		}
	}
}

// TestManyAreDiverted has a thousand clients come one after the other, a dozen at a time: none fails, and nothing is left of them.
func TestManyAreDiverted(t *testing.T) {
	n, _ := divertedWorld(t)
	n.divert("redirect.nft")
	x := n.run(t, exaproxy(), "http_port 3129 intercept\n")
	ask := func() string {
		return n.exchange(t, diverted{asked: asked{raw: "GET /p HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n"}, to: at4}).status
	}
	if got := ask(); got != "HTTP/1.1 200 OK" {
		t.Fatalf("the first gets %q", got)
	}
	const crowd, each = 12, 80
	bad := make(chan string, crowd*each)
	var all sync.WaitGroup
	for range crowd {
		all.Go(func() {
			for range each {
				if got := ask(); got != "HTTP/1.1 200 OK" {
					bad <- got
				}
			}
		})
	}
	all.Wait()
	close(bad)
	for got := range bad {
		t.Errorf("somebody gets %q", got)
	}
	x.logged(crowd*each + 1)
	x.eventually("lets go of all clients", 10*time.Second, func() bool {
		_, open := tcpPorts(x.pid())
		return len(open) <= crowd // to the origin, kept
	})
}

// TestQUICIsRejected has browsers that speak QUIC be told at once that there is none, so that they use TCP.
func TestQUICIsRejected(t *testing.T) {
	n := newNetwork(t)
	for _, file := range []string{"redirect.nft", "tproxy.nft"} {
		n.divert(file)
		for _, host := range []string{originIPv4, originIPv6} {
			err := on(n.clients, func() error {
				conn, err := net.Dial("udp", net.JoinHostPort(host, "443"))
				if err != nil {
					return err
				}
				defer conn.Close()
				conn.SetDeadline(time.Now().Add(5 * time.Second))
				conn.Write([]byte("an Initial packet"))
				_, err = bufio.NewReader(conn).ReadByte()
				return err
			})
			if err == nil || !strings.Contains(err.Error(), "connection refused") {
				t.Errorf("under %s a datagram to %s gets %v", file, host, err)
			}
		}
	}
}
