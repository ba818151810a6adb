package acceptance

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// An asked is one request of a comparison, as bytes on a connection of its own.
type asked struct {
	name string
	raw  string
	from string // the client's address; "" for the kernel's choice
	then string // what the client says in a tunnel, if there is one
	// why the proxies may differ: a decision of ours, not an accident. "" if they may not.
	deliberate string
}

// An exchange is what came of a request.
type exchange struct {
	lines  string   // what the helper was asked
	status string   // the status line of the reply, or what became of the connection
	fault  string   // X-Squid-Error
	reply  []byte   // all of it
	log    []string // its lines in access.log
}

// get is the plainest request for a URL.
func get(url string) string { return request("GET", url) }

func request(method, url string) string {
	return method + " " + url + " HTTP/1.1\r\nHost: header.test\r\n\r\n"
}

// A comparison is one conversation held with ExaProxy and with Squid, one after the other and at
// the same port, so that even the ports in what they say are equal.
type comparison struct {
	t      *testing.T
	conf   string // {port} is the port's place
	helper bool   // the configuration has a helper that records to {dir}/lines; logs are not looked at
	hosts  string
	listen []string // addresses of http_port; one at 127.0.0.1 if there is none
	port   string   // options of http_port
	// settled says that the origin waits for nothing, so that the next request may come. May be nil.
	settled func() bool
}

// hold asks all requests of both proxies.
func (c comparison) hold(list []asked) (ours, theirs []exchange) {
	c.t.Helper()
	squid := squid(c.t)
	if len(c.listen) == 0 {
		c.listen = []string{"127.0.0.1"}
	}
	port := freePort(c.t)
	return c.under(exaproxy(), port, list), c.under(squid, port, list)
}

func (c comparison) under(p program, port string, list []asked) []exchange {
	c.t.Helper()
	dir := world(c.t)
	writeFile(c.t, dir, "hosts", c.hosts)
	conf := c.conf + base
	for _, host := range c.listen {
		conf += "http_port " + net.JoinHostPort(host, port) + " " + c.port + "\n"
	}
	x := start(c.t, p, dir, conf)
	defer x.end()
	defer func() { x.quiet = !x.hasEnded() }() // the differences say it all
	var all []exchange
	for _, a := range list {
		all = append(all, c.one(x, a))
	}
	return all
}

// one asks one request and waits for what it leaves behind.
func (c comparison) one(x *proxy, a asked) exchange {
	c.t.Helper()
	linesBefore, logBefore := len(x.file("lines")), len(x.accessLog())
	e := x.exchange(a)
	if c.helper { // it writes down what it was asked before it answers
		e.lines = x.file("lines")[linesBefore:]
		return e
	}
	if c.settled != nil {
		poll(6*time.Second, c.settled)
	}
	// Squid does not log everything
	poll(2*time.Second, func() bool { return len(x.ownLines(logBefore)) > 0 })
	e.log = x.ownLines(logBefore)
	return e
}

// ownLines are the lines of access.log since before that tell of requests. Squid adds one for a
// connection that ends after an error, at a moment of its own and perhaps among the next
// request's; ExaProxy writes none, and would be found out here if it did.
func (x *proxy) ownLines(before int) []string {
	fresh := x.accessLog()[before:]
	if x.cmd.Path == built.proxy {
		return fresh
	}
	return slices.DeleteFunc(slices.Clone(fresh), func(line string) bool {
		return strings.Contains(line, "error:transaction-end-before-headers")
	})
}

// end ends a proxy at once, so that another can have its port. Squid takes its time even when
// interrupted, and nothing of what it does then is of interest.
func (x *proxy) end() {
	x.cmd.Process.Kill()
	<-x.ended
}

// freePort is a port that nobody had a moment ago. Squid does not take port 0.
func freePort(t testing.TB) string {
	t.Helper()
	return freePorts(t, 1)[0]
}

// freePorts are several, no two the same.
func freePorts(t testing.TB, n int) []string {
	t.Helper()
	var ports []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		_, port, _ := net.SplitHostPort(l.Addr().String())
		ports = append(ports, port)
	}
	return ports
}

// exchange has one conversation with a proxy.
func (x *proxy) exchange(a asked) exchange {
	x.t.Helper()
	conn, err := x.dialFrom(a.from)
	if err != nil {
		x.t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(4 * time.Second))
	if _, err := io.WriteString(conn, a.raw); err != nil {
		return exchange{status: "(connection ended while the request was sent)"}
	}
	method, _, _ := strings.Cut(a.raw, " ")
	return readExchange(conn, method, a.then)
}

// dialFrom connects to the proxy from an address, at its port of the same family.
func (x *proxy) dialFrom(from string) (net.Conn, error) {
	to := x.addrs[0]
	d := net.Dialer{Timeout: 5 * time.Second}
	if from != "" {
		local := net.ParseIP(from)
		d.LocalAddr = &net.TCPAddr{IP: local}
		for _, addr := range x.addrs {
			if addr.Addr().Is4() == (local.To4() != nil) {
				to = addr
			}
		}
	}
	conn, err := d.Dial("tcp", to.String())
	if err != nil {
		return nil, err
	}
	return watchConn(x.t, "a client", conn), nil
}

// readExchange reads a reply to its end. Into a tunnel it says something, and waits for the answer.
func readExchange(conn net.Conn, method, then string) exchange {
	var all bytes.Buffer
	r := bufio.NewReader(io.TeeReader(conn, &all))
	start, err := r.Peek(5)
	if string(start) != "HTTP/" {
		io.Copy(io.Discard, r)
		return exchange{status: noHead(all.Bytes(), err), reply: all.Bytes()}
	}
	line, _ := r.ReadString('\n')
	head := exchange{status: strings.TrimRight(line, "\r\n")}
	rest := io.MultiReader(strings.NewReader(line), r)
	reply, err := http.ReadResponse(bufio.NewReader(rest), &http.Request{Method: method})
	if err != nil {
		head.fault = "(no reply: " + err.Error() + ")"
		return head
	}
	head.fault = reply.Header.Get("X-Squid-Error")
	switch {
	case method == "CONNECT" && reply.StatusCode == 200 && then != "":
		io.WriteString(conn, then)
		io.Copy(io.Discard, reply.Body)
	case method == "CONNECT" && reply.StatusCode == 200:
		// nothing to say
	default:
		io.Copy(io.Discard, reply.Body)
	}
	head.reply = all.Bytes()
	return head
}

func noHead(b []byte, err error) string {
	switch {
	case len(b) > 0:
		return "(no head)"
	case err == io.EOF:
		return "(closed without a word)"
	}
	if ne, ok := err.(net.Error); ok && ne.Timeout() {
		return "(no answer)"
	}
	return "(reset)"
}

// head is the reply's head without what is not the same twice: the time, and the length of an error page.
func (e exchange) head() string {
	head, _, _ := strings.Cut(string(e.reply), "\r\n\r\n")
	var kept []string
	for line := range strings.SplitSeq(head, "\r\n") {
		name, _, _ := strings.Cut(line, ":")
		if name == "Date" || name == "Content-Length" && e.fault != "" {
			line = name + ": (any)"
		}
		kept = append(kept, line)
	}
	return strings.Join(kept, "\r\n")
}

// logLine is a line of access.log without what is not the same twice: when, how long, and the size of an error page.
func (e exchange) logLine() string {
	var all []string
	for _, line := range e.log {
		fields := strings.Fields(line)
		if len(fields) < 6 {
			all = append(all, line)
			continue
		}
		if e.fault != "" {
			fields[4] = "(page)"
		}
		all = append(all, strings.Join(fields[2:], " "))
	}
	return strings.Join(all, "\n")
}

// An aspect is one thing to compare.
type aspect struct{ name, ours, theirs string }

// judge compares what the proxies did with one request. A difference is told in two lines, one below the other, for the eye.
func judge(t *testing.T, a asked, aspects ...aspect) {
	t.Helper()
	differences := 0
	for _, x := range aspects {
		if x.ours == x.theirs {
			continue
		}
		differences++
		ours, theirs := nearDifference(x.ours, x.theirs)
		if a.deliberate == "" {
			t.Errorf("%s: the %s is not Squid's, for %.80q\n  ours    %q\n  Squid's %q", a.name, x.name, a.raw, ours, theirs)
			continue
		}
		t.Logf("%s: the %s differs on purpose: %s\n  ours    %q\n  Squid's %q", a.name, x.name, a.deliberate, ours, theirs)
	}
	if a.deliberate != "" && differences == 0 {
		t.Errorf("%s was to differ on purpose (%s), and does not", a.name, a.deliberate)
	}
}

// recorder is the part of a configuration which has every URL redirected, so that no origin
// is needed, after it was written down.
func recorder(concurrency string) string {
	answer := `OK\sstatus=302\surl=http://elsewhere.test/\n`
	if concurrency != "0" {
		answer = `{id}\s` + answer
	}
	return "url_rewrite_program {helper} -record {dir}/lines -answer " + answer + "\n" +
		"url_rewrite_children 1 startup=1 idle=1 concurrency=" + concurrency + "\n"
}

// pathIn is a file of a proxy's folder.
func (x *proxy) pathIn(name string) string { return filepath.Join(x.dir, name) }

// nearDifference shortens long texts to the part where they differ.
func nearDifference(a, b string) (string, string) {
	const enough, before = 1000, 100
	if len(a) < enough && len(b) < enough {
		return a, b
	}
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	i = max(0, i-before)
	return a[i:min(len(a), i+enough)], b[i:min(len(b), i+enough)]
}
