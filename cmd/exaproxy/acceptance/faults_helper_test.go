package acceptance

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// wrapped is a helper that a shell script starts after some commands of its own.
func wrapped(t *testing.T, dir, commands, args string) (directive string) {
	t.Helper()
	path := writeFile(t, dir, "wrapped", "#!/bin/sh\n"+commands+"\nexec "+fill(dir, "{helper} "+args)+"\n")
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	return "url_rewrite_program " + path + "\n"
}

// helpersOf are the processes that a proxy has asked to rewrite: those that are told of its folder by an argument.
func helpersOf(x *proxy) (found []int) {
	all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range all {
		line := []byte(readAll(path))
		if bytes.Contains(line, []byte("\x00helper\x00")) && bytes.Contains(line, []byte(x.dir+"/")) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			found = append(found, pid)
		}
	}
	return found
}

// TestRequestsThatKillHelpersHoldUpNobody sends 120 requests of which helpers die, each for another URL, and meanwhile good ones.
func TestRequestsThatKillHelpersHoldUpNobody(t *testing.T) {
	for _, helpers := range []int{1, 4} {
		for name, poison := range map[string]string{"bytes that no other URL has": "/poison/\xff%d", "nothing that other URLs do not have": "/good/1/%%ff%d"} {
			t.Run(fmt.Sprintf("%d helpers, %s", helpers, name), func(t *testing.T) {
				dir := world(t)
				o := newOrigin(t, "127.0.0.1", pages())
				writeRules(t, dir, "%ff", "exit", "\xff", "exit")
				x := start(t, exaproxy(), dir, base+openPort+"url_rewrite_program {helper} -rules {dir}/rules\n"+
					fmt.Sprintf("url_rewrite_children %d startup=%[1]d\n", helpers))
				poison := gather(t, x, 120, func(n int) string { return get(o.URL + fmt.Sprintf(poison, n)) })
				defer poison.leave()
				for _, complaint := range rush(x, 4, 5, func(client, n int) (string, func(*http.Response) string) {
					// ~ { ' and so on occur in one of them
					return fmt.Sprintf("%s/good/%d/%d?a=ff&b=%%20%c", o.URL, client, n, "~^|{}!'()*,;[]&+BCDFX"[client*5+n]), expect(http.StatusOK)
				}) {
					t.Error(complaint)
				}
				x.logs("ended", 20*time.Second) // they were poison
				if n, _ := o.counts(); n != 20 {
					t.Errorf("%d requests reached the server, want the 20 good ones", n)
				}
			})
		}
	}
}

func TestATunnelKeepsNoHelpersOfFormerConfigurations(t *testing.T) {
	dir := world(t)
	o := newOrigin(t, "127.0.0.1", pages())
	conf := base + openPort + "url_rewrite_program {helper} -record {dir}/lines\nurl_rewrite_children 4 startup=4\n"
	x := start(t, exaproxy(), dir, conf)
	var tunnels []net.Conn
	for n := range 6 {
		conn, r := reused(t, x, o)
		tunnel(t, conn, r, o.addr())
		tunnels = append(tunnels, conn)
		reconfigured(t, x, n+1)
	}
	if complaint := one(x.client(), o.URL+"/asked", expect(http.StatusOK)); complaint != "" {
		t.Error(complaint)
	}
	x.eventually("has no helpers but those of one configuration", 30*time.Second, func() bool { return len(helpersOf(x)) == 4 })
	for _, conn := range tunnels {
		io.WriteString(conn, "GET /inside HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		if reply, err := io.ReadAll(conn); err != nil || !strings.Contains(string(reply), "/inside") {
			t.Errorf("in a tunnel that is older than the configuration comes %q (%v)", reply, err)
		}
	}
}

// reconfigured sends HUP, and waits until the n-th has been followed.
func reconfigured(t *testing.T, x *proxy, n int) {
	t.Helper()
	if status, said := run(t, "-k", "reconfigure", "-f", x.pathIn("squid.conf")); status != 0 {
		t.Errorf("-k reconfigure ends with %d and says %q", status, said)
	}
	x.eventually("follows the configuration", 20*time.Second, func() bool { return strings.Count(x.cacheLog(), "Reconfigured:") >= n })
}

func TestARequestIsJudgedByTheConfigurationOfTheMomentItsHeadIsComplete(t *testing.T) {
	dir := world(t)
	o := newOrigin(t, "127.0.0.1", pages())
	x := start(t, exaproxy(), dir, base+openPort)
	conn, err := net.Dial("tcp", x.addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	whole := get(o.URL + "/page")
	io.WriteString(conn, whole[:1])
	x.eventually("has the connection", 10*time.Second, func() bool { return tcpClients(x.pid()) == 1 })
	writeFile(t, dir, "squid.conf", fill(dir, "http_access deny all\n"+base+openPort))
	reconfigured(t, x, 1)
	io.WriteString(conn, whole[1:])
	if got := readExchange(conn, "GET", ""); !strings.Contains(got.status, " 403 ") {
		t.Errorf("it is answered %q, want what the new http_access says", got.status)
	}
}

func TestReconfigureAndRotateStartNewHelpers(t *testing.T) {
	dir := world(t)
	o := newOrigin(t, "127.0.0.1", pages())
	writeRules(t, dir)
	x := start(t, exaproxy(), dir, base+openPort+"url_rewrite_program {helper} -rules {dir}/rules\nurl_rewrite_children 2 startup=2\n")
	for i, word := range []string{"reconfigure", "rotate"} {
		page := fmt.Sprintf("/listed/%d", i)
		if complaint := one(x.client(), o.URL+page, expect(http.StatusOK)); complaint != "" {
			t.Errorf("before %s: %s", word, complaint)
		}
		writeRules(t, dir, page, `OK status=302 url=http://page.test/\n`)
		if status, said := run(t, "-k", word, "-f", x.pathIn("squid.conf")); status != 0 {
			t.Errorf("-k %s ends with %d and says %q", word, status, said)
		}
		x.eventually("follows the new list", 20*time.Second, func() bool { return one(x.client(), o.URL+page, expect(http.StatusFound)) == "" })
	}
}

// TestHelpersThatStartSlowlyAreWaitedFor has a helper start for longer than its answers may take.
func TestHelpersThatStartSlowlyAreWaitedFor(t *testing.T) {
	dir := world(t)
	o := newOrigin(t, "127.0.0.1", pages())
	x := start(t, exaproxy(), dir, base+openPort+wrapped(t, dir, "sleep 3", "-answer OK\\\\sstatus=302\\\\surl=http://page.test/\\\\n")+
		"url_rewrite_children 2 startup=2\nurl_rewrite_timeout 1 second on_timeout=bypass\n")
	for _, complaint := range rush(x, 10, 3, func(int, int) (string, func(*http.Response) string) {
		return o.URL + "/blocked", expect(http.StatusFound)
	}) {
		t.Error(complaint)
	}
	if n, _ := o.counts(); n > 0 {
		t.Errorf("%d of 30 requests passed unfiltered", n)
	}
}

// TestABannerAnswersNobody has helpers print something some time after their start, while questions wait for them.
func TestABannerAnswersNobody(t *testing.T) {
	for name, commands := range map[string]string{
		"at the start":             "sleep 0.3; echo Config Path=/etc/redirector.conf",
		"at the end of a pipeline": "if [ -z \"$2\" ]; then tee -a /dev/null | \"$0\" - piped; exit; fi\nsleep 0.3; echo Config Path=/etc/redirector.conf",
	} {
		t.Run(name, func(t *testing.T) { aBannerAnswersNobody(t, commands) })
	}
}

func aBannerAnswersNobody(t *testing.T, commands string) {
	dir := world(t)
	o := newOrigin(t, "127.0.0.1", pages())
	x := start(t, exaproxy(), dir, base+openPort+
		wrapped(t, dir, commands, "-answer OK\\\\sstatus=302\\\\surl=http://page.test/?{url}\\\\n")+
		"url_rewrite_children 8 startup=1 idle=1\n")
	for _, complaint := range rush(x, 20, 40, func(client, n int) (string, func(*http.Response) string) {
		url := fmt.Sprintf("%s/%d/%d", o.URL, client, n)
		return url, func(r *http.Response) string {
			if got, want := r.Header.Get("Location"), "http://page.test/?"+url; got != want {
				return fmt.Sprintf("%s is answered %s, to %q", url, r.Status, got)
			}
			return ""
		}
	}) {
		t.Error(complaint)
	}
	if n, _ := o.counts(); n > 0 {
		t.Errorf("%d requests passed unfiltered", n)
	}
}

// TestAHelperThatCrashesBehindItsAnswersGivesNone has helpers say that nothing is to be changed, and crash each time.
func TestAHelperThatCrashesBehindItsAnswersGivesNone(t *testing.T) {
	dir := world(t)
	o := newOrigin(t, "127.0.0.1", pages())
	writeRules(t, dir, "/blocked", `\nexit`)
	// Workers know their own helpers only.
	x := start(t, exaproxy(), dir, base+openPort+"workers 1\nurl_rewrite_program {helper} -rules {dir}/rules\nurl_rewrite_children 4 startup=4\n")
	const requests, believed = 12, 2
	refused := 0
	for range requests {
		if one(x.client(), o.URL+"/blocked", expect(http.StatusServiceUnavailable)) == "" {
			refused++
		}
	}
	passed, _ := o.counts()
	// A machine that is too busy may see a crash too late to doubt the answer.
	if passed+refused != requests || passed > 2*believed {
		t.Errorf("of %d requests %d passed and %d were refused, want at most %d to pass", requests, passed, refused, believed)
	}
	if complaint := one(x.client(), o.URL+"/allowed", expect(http.StatusOK)); complaint != "" {
		t.Error(complaint)
	}
}

// TestTheGuardKeepsClientsFromThePortsOfTheProxy asks a proxy for itself, and for what only its machine may see.
func TestTheGuardKeepsClientsFromThePortsOfTheProxy(t *testing.T) {
	dir := world(t)
	o := newOrigin(t, "127.0.0.1", pages())
	port := freePort(t)
	writeFile(t, dir, "hosts", "127.0.0.1 self.test\n169.254.169.254 metadata.test\n64:ff9b::a9fe:a9fe hidden.test\n")
	writeRules(t, dir, "/steered", "OK rewrite-url="+o.URL+`/page\n`)
	conf := base + "http_port 127.0.0.1:" + port + "\nconnect_timeout 1 second\nurl_rewrite_program {helper} -rules {dir}/rules\nurl_rewrite_children 2 startup=2\n"
	x := start(t, exaproxy(), dir, conf)
	guarded := []string{"127.0.0.1:" + port, "self.test:" + port, "[::ffff:127.0.0.1]:" + port, "[64:ff9b::7f00:1]:" + port, "[2002:7f00:1::]:" + port, "0.0.0.0:" + port,
		"169.254.7.7:80", "169.254.169.254:80", "metadata.test:80", "[fe80::1]:80", "[64:ff9b::a9fe:a9fe]:80", "hidden.test:80"}
	for _, host := range guarded {
		if got := x.exchange(asked{raw: get("http://" + host + "/")}); !strings.Contains(got.status, " 403 ") {
			t.Errorf("GET http://%s/ is answered %q", host, got.status)
		}
		got := x.exchange(asked{raw: request("CONNECT", host), then: "GET / HTTP/1.1\r\nHost: a\r\n\r\n"})
		if !strings.Contains(string(got.reply), "HTTP/1.1 403 ") {
			t.Errorf("CONNECT %s is answered %q", host, got.reply)
		}
	}
	x.logs("'#exaproxy guard off'", 10*time.Second)
	if complaint := one(x.client(), o.URL+"/steered", expect(http.StatusOK)); complaint != "" {
		t.Errorf("what a helper names, on the proxy's own machine: %s", complaint)
	}
	for _, line := range x.accessLog() {
		if !strings.Contains(line, "TCP_DENIED/403") && !strings.Contains(line, "/page ") {
			t.Errorf("a request is logged as %q", line)
		}
	}
	before := 2*len(guarded) + 1
	x.logged(before)
	writeFile(t, dir, "squid.conf", fill(dir, "acl meant dst 169.254.7.7\nhttp_access allow meant\n"+conf))
	reconfigured(t, x, 1)
	x.exchange(asked{raw: get("http://169.254.7.7/")}) // nobody has that address
	if line := x.logged(before + 1)[before]; strings.Contains(line, "TCP_DENIED") {
		t.Errorf("what a dst acl allows is logged as %q", line)
	}
}
