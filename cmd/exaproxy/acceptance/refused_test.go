package acceptance

import (
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestRequestsThatCannotBeReadAreAnsweredAndLogged(t *testing.T) {
	x := start(t, exaproxy(), world(t), base+openPort)
	for i, a := range []struct {
		asked
		logged string
	}{
		{asked{name: "a line of one word", raw: "BADLINE\r\n\r\n"}, " BADLINE error:invalid-request - HIER_NONE/- text/html"},
		{asked{name: "no URL of ours", raw: get("/origin-form")}, " GET /origin-form - HIER_NONE/- text/html"},
		{asked{name: "a line that is no field", raw: "GET http://origin.test/ HTTP/1.1\r\nnocolon\r\n\r\n"}, " GET http://origin.test/ - HIER_NONE/- text/html"},
	} {
		got := x.exchange(a.asked)
		if !strings.HasPrefix(got.status, "HTTP/1.1 400 ") || got.fault == "" {
			t.Errorf("%s is answered %q, X-Squid-Error %q", a.name, got.status, got.fault)
		}
		if line := x.logged(i + 1)[i]; !strings.Contains(line, " NONE_NONE/400 ") || !strings.HasSuffix(line, a.logged) {
			t.Errorf("%s is logged as %q", a.name, line)
		}
	}
}

// TestMistakesInTheConfigurationStopTheStart has rows of a configuration, and of what is said about it.
func TestMistakesInTheConfigurationStopTheStart(t *testing.T) {
	for _, row := range []struct{ name, conf, says string }{
		{"an unknown directive", "via on\nfrobnicate on\n", "squid.conf(2): unrecognized: 'frobnicate'"},
		{"a value that is none", "via perhaps\n", "Bungled {dir}/squid.conf line 1: via perhaps"},
		{"an acl that is not there", "http_access allow nosuchacl\n", "ACL not found: nosuchacl"},
		{"a helper that is not there", "url_rewrite_program /nonexistent/helper\n", "/nonexistent/helper: (2) No such file or directory"},
		{"a helper that cannot be executed", "url_rewrite_program {dir}/notexecutable\nurl_rewrite_children 1 startup=1\n", "{dir}/notexecutable: (13) Permission denied"},
		{"a helper that is a folder", "url_rewrite_program {dir}\nurl_rewrite_children 1 startup=1\n", "{dir}: "},
		{"no port", "http_port\n", "Bungled {dir}/squid.conf line 1: http_port"},
		{"a user who is nobody", "cache_effective_user nosuchuser\n", "nosuchuser"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if strings.Contains(row.conf, "user") && os.Getuid() != 0 {
				t.Skip("users are changed by root only")
			}
			dir := world(t)
			writeFile(t, dir, "notexecutable", "#!/bin/sh\n")
			path := writeFile(t, dir, "squid.conf", fill(dir, row.conf+base+openPort))
			x := launch(t, exaproxy(), dir, "-N", "-d1", "-f", path)
			if status := x.wait(5 * time.Second); status != 1 {
				t.Errorf("the exit status is %d, want 1", status)
			}
			want := fill(dir, row.says)
			x.eventually("says "+want, time.Second, func() bool { return strings.Contains(x.said(), want) })
			if n := strings.Count(x.said(), want); n > 2 {
				t.Errorf("it is said %d times", n)
			}
		})
	}
}

func TestASecondProxyDoesNotTakeTheFirstOnesPlace(t *testing.T) {
	dir := world(t)
	x := start(t, exaproxy(), dir, base+openPort)
	second := launch(t, exaproxy(), dir, "-N", "-d1", "-f", x.pathIn("squid.conf"))
	if status := second.wait(5 * time.Second); status != 1 {
		t.Errorf("the exit status is %d, want 1", status)
	}
	if !strings.Contains(second.said(), "already running") {
		t.Errorf("it says %q", second.said())
	}
	if x.hasEnded() {
		t.Error("the first has ended")
	}
}

// TestHelpersMayDoWrong has helpers that answer in every wrong way. Only the question that was
// answered wrongly suffers, and cache.log says what the helper did.
func TestHelpersMayDoWrong(t *testing.T) {
	for _, row := range []struct {
		name     string
		channels bool
		answer   string // to /wrong
		status   int    // of the answer to /wrong
		says     string // in cache.log
	}{
		{"nonsense", false, `nonsense and more\n`, 200, "nonsense"},
		{"nonsense", true, `{id} nonsense and more\n`, 200, "nonsense"},
		{"two lines", false, `OK\nOK status=302 url=http://late.test/\n`, 200, "OK status=302 url=http://late.test/"},
		{"two answers", true, `{id} OK\n{id} OK status=302 url=http://late.test/\n`, 200, "OK status=302 url=http://late.test/"},
		{"half a line", false, `OK status=302`, 500, "OK status=302"},
		{"a wrong channel", true, `99 OK\n`, 500, "99"},
		{"no channel", true, `OK\n`, 500, `without a channel number: "OK"`},
		{"nothing", false, "silence", 500, ""},
		{"nothing", true, "silence", 500, ""},
		{"its end", false, "exit", 503, "ended by itself"},
		{"its end", true, "exit", 503, "ended by itself"},
		{"NUL bytes", false, "\x00\\n", 200, ""},
		{"a very long line", false, "OK " + strings.Repeat("x=y ", 8000) + `\n`, 200, ""},
	} {
		name, program, children := row.name, "{helper} -rules {dir}/rules", "url_rewrite_children 3 startup=3 idle=1"
		if row.channels {
			name += ", with channels"
			program += " -channels"
			children += " concurrency=5"
		}
		t.Run(name, func(t *testing.T) {
			dir := world(t)
			o := newOrigin(t, "127.0.0.1", pages())
			writeRules(t, dir, "/wrong", row.answer)
			// Workers share the helpers out: with a few each, one that is stuck is most of a worker's.
			x := start(t, exaproxy(), dir, base+openPort+"workers 1\nurl_rewrite_program "+program+"\n"+children+
				"\nurl_rewrite_timeout 1 second on_timeout=fail\n")
			for round := range 2 {
				wrong := make(chan string, 1)
				go func() { wrong <- one(x.client(), o.URL+"/wrong", expect(row.status)) }()
				for _, complaint := range rush(x, 4, 10, func(client, n int) (string, func(*http.Response) string) {
					return o.URL + "/right", expect(http.StatusOK)
				}) {
					t.Errorf("round %d: another question suffers: %s", round, complaint)
				}
				if complaint := <-wrong; complaint != "" {
					t.Errorf("round %d: %s", round, complaint)
				}
			}
			if row.says != "" {
				x.logs(row.says, 5*time.Second)
			}
		})
	}
}

// TestAHelperThatEndsAtOnceStopsNobody has a request wait, or refused if a helper was quick enough
// to be asked before it ended, thrice: a question that nobody has read is not to blame.
func TestAHelperThatEndsAtOnceStopsNobody(t *testing.T) {
	dir := world(t)
	o := newOrigin(t, "127.0.0.1", pages())
	writeFile(t, dir, "ends", "#!/bin/sh\nexit 3\n")
	os.Chmod(dir+"/ends", 0o755)
	x := start(t, exaproxy(), dir, base+openPort+"url_rewrite_program {dir}/ends\nurl_rewrite_children 2 startup=1\n")
	client := x.client()
	client.Timeout = 5 * time.Second
	wrong := one(client, o.URL+"/page", expect(http.StatusServiceUnavailable))
	if wrong != "" && !strings.Contains(wrong, "Client.Timeout") {
		t.Error(wrong)
	}
	if requests, _ := o.counts(); requests != 0 {
		t.Error("the request has passed unfiltered")
	}
	x.logs("no redirector process stays alive", 20*time.Second)
	if n := strings.Count(x.cacheLog(), "\n"); n > 60 {
		t.Errorf("cache.log has %d lines about it", n)
	}
	x.signal(syscall.SIGTERM)
	if status := x.wait(5 * time.Second); status != 0 {
		t.Errorf("the exit status is %d, want 0", status)
	}
}
