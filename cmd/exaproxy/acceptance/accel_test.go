package acceptance

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// A recordingOrigin keeps the heads of requests as they come, and answers by path.
type recordingOrigin struct {
	net.Listener
	mu    sync.Mutex
	heads []string
}

// recordingReplies are what it says to paths that end so.
var recordingReplies = map[string]string{
	"/surrogate": "HTTP/1.1 200 OK\r\nSurrogate-Control: max-age=60, content=\"ESI/1.0\"\r\nX-Kept: yes\r\nDate: Sat, 28 Nov 2026 08:00:00 GMT\r\n",
	"/old":       "HTTP/1.1 200 OK\r\nDate: Sat, 28 Nov 2026 08:00:00 GMT\r\nExpires: Sat, 28 Nov 2026 20:00:00 GMT\r\nAge: 7\r\nCache-Control: max-age=3600\r\nLast-Modified: Sat, 28 Nov 2020 08:00:00 GMT\r\n",
	"/who":       "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"o\"\r\nProxy-Authenticate: Basic realm=\"p\"\r\nDate: Sat, 28 Nov 2026 08:00:00 GMT\r\n",
	"/moved":     "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:80/other\r\nDate: Sat, 28 Nov 2026 08:00:00 GMT\r\n",
}

func newRecordingOrigin(t *testing.T) *recordingOrigin {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := &recordingOrigin{Listener: l}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go o.serve(conn)
		}
	}()
	return o
}

func (o *recordingOrigin) serve(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	for {
		var head strings.Builder
		request, err := http.ReadRequest(bufio.NewReader(io.TeeReader(&headLines{r: r}, &head)))
		if err != nil {
			return
		}
		io.CopyN(io.Discard, r, max(request.ContentLength, 0))
		o.mu.Lock()
		o.heads = append(o.heads, head.String())
		o.mu.Unlock()
		reply := "HTTP/1.1 200 OK\r\nDate: Sat, 28 Nov 2026 08:00:00 GMT\r\n"
		for path, other := range recordingReplies {
			if strings.HasSuffix(request.URL.Path, path) {
				reply = other
			}
		}
		body := "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
		if request.Method == "HEAD" {
			body = strings.TrimSuffix(body, "ok")
		}
		io.WriteString(conn, reply+body)
	}
}

// headLines reads the lines of a head, one each time, and ends with it.
type headLines struct {
	r    *bufio.Reader
	over bool
}

func (h *headLines) Read(b []byte) (int, error) {
	if h.over {
		return 0, io.EOF
	}
	line, err := h.r.ReadString('\n')
	h.over = line == "\r\n"
	return copy(b, line), err
}

func (o *recordingOrigin) port() string {
	_, port, _ := net.SplitHostPort(o.Addr().String())
	return port
}

// taken are the heads since the last time.
func (o *recordingOrigin) taken() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := strings.Join(o.heads, "--\n")
	o.heads = nil
	return all
}

// accelKinds are http_port lines of accelerators; {d} is defaultsite.
var accelKinds = []string{
	"accel", "accel no-vhost", "accel defaultsite=d.test", "accel no-vhost defaultsite=d.test", "accel vport", "accel vport=81",
	"accel no-vhost vport", "accel no-vhost vport=81", "accel vport defaultsite=d.test", "accel vport=81 defaultsite=d.test:82",
	"accel no-vhost vport=81 defaultsite=d.test", "accel protocol=http", "accel vport=80", "accel vport=0 defaultsite=d.test",
	"accel no-vhost defaultsite=d.test:8080", "vhost", "accel allow-direct act-as-origin ignore-cc", "",
}

// accelHeads are what is asked of each of them.
var accelHeads = []asked{
	{name: "Host", raw: "GET /p?q HTTP/1.1\r\nHost: A.test\r\n\r\n"},
	{name: "Host with a port", raw: "GET /p HTTP/1.1\r\nHost: a.test:99\r\n\r\n"},
	{name: "Host with the port of the scheme", raw: "GET /p HTTP/1.1\r\nHost: a.test:80\r\n\r\n"},
	{name: "no Host", raw: "GET /p HTTP/1.1\r\n\r\n"},
	{name: "1.0 with Host", raw: "GET /p HTTP/1.0\r\nHost: a.test\r\n\r\n"},
	{name: "1.0 without Host", raw: "GET /p HTTP/1.0\r\n\r\n"},
	{name: "0.9", raw: "GET /p\r\n"},
	{name: "a URL", raw: "GET http://b.test:77/x HTTP/1.1\r\nHost: a.test\r\n\r\n"},
	{name: "a URL without a path", raw: "GET http://b.test?x HTTP/1.1\r\nHost: a.test\r\n\r\n"},
	{name: "a URL of https", raw: "GET https://b.test/x HTTP/1.1\r\nHost: a.test\r\n\r\n"},
	{name: "a URL and no Host", raw: "GET http://b.test/x HTTP/1.0\r\n\r\n"},
	{name: "a URL of ftp", raw: "GET ftp://b.test/x HTTP/1.1\r\nHost: a.test\r\n\r\n"},
	{name: "a URL with a fragment", raw: "GET http://b.test#f HTTP/1.1\r\nHost: a.test\r\n\r\n"},
	{name: "CONNECT", raw: "CONNECT b.test:443 HTTP/1.1\r\nHost: b.test\r\n\r\n"},
	{name: "OPTIONS *", raw: "OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n"},
	{name: "an empty Host", raw: "GET /p HTTP/1.1\r\nHost:\r\n\r\n"},
	{name: "two Hosts", raw: "GET /p HTTP/1.1\r\nHost: a.test\r\nHost: c.test\r\n\r\n"},
	{name: "an address", raw: "GET /p HTTP/1.1\r\nHost: [::1]\r\n\r\n"},
	{name: "an address with a port", raw: "GET /p HTTP/1.1\r\nHost: [::1]:88\r\n\r\n"},
	{name: "Host with a blank", raw: "GET /p HTTP/1.1\r\nHost: a b\r\n\r\n"},
	{name: "Host with a path", raw: "GET /p HTTP/1.1\r\nHost: a.test/x\r\n\r\n"},
	{name: "Host with a user", raw: "GET /p HTTP/1.1\r\nHost: u@a.test\r\n\r\n"},
	{name: "Host with a dot", raw: "GET /p HTTP/1.1\r\nHost: a.test.\r\n\r\n"},
	{name: "Host with a colon", raw: "GET /p HTTP/1.1\r\nHost: a.test:\r\n\r\n"},
	{name: "Host with port 0", raw: "GET /p HTTP/1.1\r\nHost: a.test:0\r\n\r\n"},
	{name: "a path of two slashes", raw: "GET //b.test/x HTTP/1.1\r\nHost: a.test\r\n\r\n"},
	{name: "a path with a blank", raw: "GET /a b HTTP/1.1\r\nHost: a.test\r\n\r\n"},
	{name: "no path", raw: "GET foo HTTP/1.1\r\nHost: a.test\r\n\r\n"},
	{name: "a method of one's own", raw: "BREW /pot HTTP/1.1\r\nHost: a.test\r\n\r\n"},
}

// deliberate is why a request by a port differs on purpose, "" if it does not.
func deliberate(kind, name string) string {
	byHost := kind != "" && !strings.Contains(kind, "no-vhost")
	located := strings.Contains(kind, "defaultsite") || strings.Contains(kind, "vport=81") || strings.HasSuffix(kind, "vport")
	switch {
	case name == "two Hosts" && byHost:
		return "which site it is for nobody can tell (RFC 9112, section 3.2)"
	case (name == "OPTIONS *" || name == "no path") && !byHost && located:
		return "Squid takes it for the end of the host"
	case name == "an empty Host" && byHost && strings.Contains(kind, "vport") && !strings.Contains(kind, "vport=0"):
		return "Squid's URL has no host"
	case strings.HasSuffix(kind, "d.test:82") && (strings.Contains(name, "no Host") && !strings.Contains(name, "URL") || name == "1.0 without Host" || name == "0.9" ||
		strings.HasPrefix(name, "Host with a ") && (strings.HasSuffix(name, "blank") || strings.HasSuffix(name, "path") || strings.HasSuffix(name, "user"))):
		return "Squid's URL has two ports"
	case name == "CONNECT" && kind == "":
		return "connect_verdict"
	}
	return ""
}

// TestAcceleratorURLs asks both proxies the same by ports of all kinds, and compares what the helper is asked and what
// the client is answered.
func TestAcceleratorURLs(t *testing.T) {
	squid := squid(t)
	ports := freePorts(t, len(accelKinds))
	conf := base + recorder("0")
	for i, kind := range accelKinds {
		conf += "http_port 127.0.0.1:" + ports[i] + " " + kind + "\n"
	}
	under := func(p program) (all []exchange) {
		x := start(t, p, world(t), conf)
		defer x.end()
		for i := range accelKinds {
			for _, a := range accelHeads {
				all = append(all, x.exchangeAt("127.0.0.1:"+ports[i], a.raw))
			}
		}
		return all
	}
	ours, theirs := under(exaproxy()), under(squid)
	for i, kind := range accelKinds {
		for j, a := range accelHeads {
			a.deliberate = deliberate(kind, a.name)
			a.name = fmt.Sprintf("http_port %s: %s", kind, a.name)
			us, them := ours[i*len(accelHeads)+j], theirs[i*len(accelHeads)+j]
			judge(t, a, aspect{"helper's line", us.lines, them.lines}, aspect{"answer", us.status + " " + us.fault, them.status + " " + them.fault})
		}
	}
	t.Logf("%d comparisons", len(ours))
}

// exchangeAt has one conversation with a proxy at one of its ports.
func (x *proxy) exchangeAt(addr, raw string) exchange {
	x.t.Helper()
	before := len(x.file("lines"))
	conn, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		x.t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(4 * time.Second))
	if _, err := io.WriteString(conn, raw); err != nil {
		return exchange{status: "(connection ended while the request was sent)"}
	}
	method, _, _ := strings.Cut(raw, " ")
	e := readExchange(conn, method, "")
	e.lines = x.file("lines")[before:]
	return e
}

// accelConf has four ports: one whose requests go to where they say, one that a helper steers, one whose users must say who
// they are, and one of a forward proxy.
const accelConf = `http_port 127.0.0.1:{0} accel allow-direct defaultsite=site.test:{o} act-as-origin
http_port 127.0.0.1:{1} accel defaultsite=site.test:{o}
http_port 127.0.0.1:{2} accel allow-direct
http_port 127.0.0.1:{3}
auth_param basic program {dir}/users
auth_param basic children 1 startup=1
auth_param basic realm school
acl users proxy_auth REQUIRED
acl asking localport {2}
acl denied dstdomain .denied.test
acl login urlpath_regex ^/login
acl later urlpath_regex ^/later
deny_info http://login.test/?%u login
deny_info ERR_TOO_BIG later
http_access deny denied
http_access deny login
http_access deny asking later users
http_access deny asking !users
url_rewrite_program {dir}/rewriter
url_rewrite_children 1 startup=1 idle=1
logformat seen %Ss/%03>Hs %rm %ru %>ru %>rs %>rd %>rP %>rp %<ru %<rd %<rP %un %Sh/%<a %la:%lp %>la:%>lp %mt %rm{}ethod %rmms
access_log stdio:{dir}/seen.log seen
httpd_accel_surrogate_id edge
`

// accelScripts are its helpers.
var accelScripts = map[string]string{
	"users": "#!/bin/sh\nwhile read u p; do case $u in joe) echo OK;; *) echo ERR;; esac; done\n",
	"rewriter": "#!/bin/sh\nwhile read url rest; do echo \"$url $rest\" >> {dir}/lines; case $url in\n" +
		"*/rewritten*) echo \"OK rewrite-url=http://other.test:{o}/there\";;\n*/gone*) echo \"OK status=302 url=http://elsewhere.test/\";;\n*) echo ERR;; esac; done\n",
}

// accelAsked is asked of the ports; {o} is the origin's.
var accelAsked = []struct {
	asked
	port int
}{
	{asked{name: "a site", raw: "GET /a?b HTTP/1.1\r\nHost: site.test:{o}\r\nAccept: */*\r\n\r\n"}, 0},
	{asked{name: "another site", raw: "GET /a HTTP/1.1\r\nUser-Agent: x\r\nHost: OTHER.test.:{o}\r\n\r\n"}, 0},
	{asked{name: "1.0", raw: "GET /a HTTP/1.0\r\nHost: site.test:{o}\r\nConnection: keep-alive\r\n\r\n"}, 0},
	{asked{name: "HEAD", raw: "HEAD /a HTTP/1.1\r\nHost: site.test:{o}\r\n\r\n"}, 0},
	{asked{name: "POST", raw: "POST /a HTTP/1.1\r\nHost: site.test:{o}\r\nContent-Length: 2\r\n\r\nhi"}, 0},
	{asked{name: "a URL", raw: "GET http://site.test:{o}/a HTTP/1.1\r\nHost: x\r\n\r\n"}, 0},
	{asked{name: "what other proxies said", raw: "GET /a HTTP/1.1\r\nHost: site.test:{o}\r\nX-Forwarded-For: 192.0.2.1\r\nVia: 1.1 x\r\nCache-Control: no-cache\r\n\r\n",
		deliberate: "the client's Cache-Control stays where it is"}, 0},
	{asked{name: "fields of proxies", raw: "GET /a HTTP/1.1\r\nHost: site.test:{o}\r\nProxy-Authorization: Basic eDp5\r\nProxy-Connection: keep-alive\r\nTE: trailers\r\nUpgrade: x\r\nConnection: upgrade, te\r\n\r\n"}, 0},
	{asked{name: "credentials for the server", raw: "GET /a HTTP/1.1\r\nHost: site.test:{o}\r\nAuthorization: Basic YTpi\r\n\r\n"}, 0},
	{asked{name: "Surrogate-Capability", raw: "GET /a HTTP/1.1\r\nHost: site.test:{o}\r\nSurrogate-Capability: up=\"Surrogate/1.0\"\r\n\r\n",
		deliberate: "Squid sends the client's field twice, once in its own"}, 0},
	{asked{name: "Surrogate-Control", raw: "GET /surrogate HTTP/1.1\r\nHost: site.test:{o}\r\n\r\n"}, 0},
	{asked{name: "an old page", raw: "GET /old HTTP/1.1\r\nHost: site.test:{o}\r\n\r\n"}, 0},
	{asked{name: "a server that asks for credentials", raw: "GET /who HTTP/1.1\r\nHost: site.test:{o}\r\n\r\n"}, 0},
	{asked{name: "a redirect of the server's", raw: "GET /moved HTTP/1.1\r\nHost: site.test:{o}\r\n\r\n"}, 0},
	{asked{name: "a helper's redirect", raw: "GET /gone HTTP/1.1\r\nHost: site.test:{o}\r\n\r\n"}, 0},
	{asked{name: "a helper's rewrite", raw: "GET /rewritten HTTP/1.1\r\nHost: site.test:{o}\r\n\r\n"}, 0},
	{asked{name: "http_access denies", raw: "GET /a HTTP/1.1\r\nHost: www.denied.test\r\n\r\n"}, 0},
	{asked{name: "deny_info sends elsewhere", raw: "GET /login HTTP/1.1\r\nHost: site.test:{o}\r\n\r\n"}, 0},
	{asked{name: "a server that is not there", raw: "GET /a HTTP/1.1\r\nHost: dead.test:1\r\n\r\n"}, 0},
	{asked{name: "a loop", raw: "GET /a HTTP/1.1\r\nHost: site.test:{o}\r\nVia: 1.1 proxy.test (squid/5.7)\r\n\r\n", deliberate: "no helper is asked about what is refused"}, 0},
	{asked{name: "no server for it", raw: "GET /a HTTP/1.1\r\nHost: site.test:{o}\r\n\r\n",
		deliberate: "Squid 5.7 says ERR_READ_ERROR, other versions and we ERR_CANNOT_FORWARD"}, 1},
	{asked{name: "no server for a helper's rewrite", raw: "GET /rewritten HTTP/1.1\r\nHost: site.test:{o}\r\n\r\n",
		deliberate: "Squid 5.7 says ERR_READ_ERROR, other versions and we ERR_CANNOT_FORWARD"}, 1},
	{asked{name: "a helper's redirect, steered", raw: "GET /gone HTTP/1.1\r\nHost: site.test:{o}\r\n\r\n"}, 1},
	{asked{name: "no credentials", raw: "GET /a HTTP/1.1\r\nHost: site.test:{o}\r\n\r\n"}, 2},
	{asked{name: "credentials for a proxy", raw: "GET /a HTTP/1.1\r\nHost: site.test:{o}\r\nProxy-Authorization: Basic am9lOng=\r\n\r\n"}, 2},
	{asked{name: "wrong credentials", raw: "GET /a HTTP/1.1\r\nHost: site.test:{o}\r\nAuthorization: Basic eDp5\r\n\r\n"}, 2},
	{asked{name: "good credentials", raw: "GET /a HTTP/1.1\r\nHost: site.test:{o}\r\nAuthorization: Basic am9lOng=\r\n\r\n",
		deliberate: "credentials that were for us go to no server"}, 2},
	{asked{name: "a page of deny_info for a user", raw: "GET /later HTTP/1.1\r\nHost: site.test:{o}\r\nAuthorization: Basic am9lOng=\r\n\r\n"}, 2},
	{asked{name: "CONNECT", raw: "CONNECT site.test:{o} HTTP/1.1\r\nHost: site.test:{o}\r\n\r\n", deliberate: "Squid's %<ru of no URL is :0"}, 2},
	{asked{name: "a forward port beside them", raw: "GET http://site.test:{o}/a HTTP/1.1\r\nHost: site.test:{o}\r\n\r\n"}, 3},
}

// TestAccelerator asks both proxies the same, and compares what the client, the origin, the helper and the log see.
func TestAccelerator(t *testing.T) {
	squid := squid(t)
	o := newRecordingOrigin(t)
	places := []string{"{o}", o.port()}
	ports := freePorts(t, 4)
	for i, port := range ports {
		places = append(places, fmt.Sprintf("{%d}", i), port)
	}
	filled := strings.NewReplacer(places...)
	under := func(p program) (all []accelSeen) {
		x := startAccelerator(t, p, accelConf+base, "127.0.0.1 site.test other.test dead.test\n", filled.Replace)
		defer x.end()
		for _, a := range accelAsked {
			e := x.accelExchange("127.0.0.1:"+ports[a.port], filled.Replace(a.raw))
			e.origin = o.taken()
			all = append(all, e)
		}
		return all
	}
	ours, theirs := under(exaproxy()), under(squid)
	for i, a := range accelAsked {
		judgeAccelerator(t, a.asked, ours[i], theirs[i])
	}
}

// startAccelerator starts a proxy with the scripts that accelerators ask.
func startAccelerator(t *testing.T, p program, conf, hosts string, filled func(string) string) *proxy {
	t.Helper()
	dir := world(t)
	writeFile(t, dir, "hosts", hosts)
	for name, script := range accelScripts {
		if err := os.Chmod(writeFile(t, dir, name, fill(dir, filled(script))), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return start(t, p, dir, filled(conf))
}

// An accelSeen is what came of a request to an accelerator: what the client, the servers and the log saw.
type accelSeen struct {
	exchange
	origin, logged string
}

// accelExchange has one conversation with an accelerator, and waits for its line in seen.log.
func (x *proxy) accelExchange(addr, raw string) accelSeen {
	before := len(x.file("seen.log"))
	e := accelSeen{exchange: x.exchangeAt(addr, raw)}
	poll(2*time.Second, func() bool { return len(x.file("seen.log")) > before })
	e.logged = x.file("seen.log")[before:]
	return e
}

// judgeAccelerator compares what came of a request to two accelerators.
func judgeAccelerator(t *testing.T, a asked, ours, theirs accelSeen) {
	t.Helper()
	judge(t, a,
		aspect{"head for the client", ours.head(), theirs.head()}, aspect{"head for the server", ours.origin, theirs.origin},
		aspect{"helper's line", ours.lines, theirs.lines}, aspect{"log", withoutAborts(ours.logged), withoutAborts(theirs.logged)})
}

// withoutAborts takes away what Squid says of a client that has closed its connection at once after the reply.
func withoutAborts(log string) string { return strings.ReplaceAll(log, "_ABORTED", "") }
