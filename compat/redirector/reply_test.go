package redirector

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"exaproxy/compat/acl"
	"exaproxy/compat/compattest"
	"exaproxy/compat/decision"
	"exaproxy/compat/errpage"
	"exaproxy/engine"
	"exaproxy/engine/h1"
	"exaproxy/helper"
)

// newReqmodPolicy makes the policy of a configuration with helpers that speak blocks, and a log.
func newReqmodPolicy(t *testing.T, text string) (*Policy, *bytes.Buffer) {
	t.Helper()
	services, log := compattest.Services(t), &bytes.Buffer{}
	services.Log = slog.New(slog.NewTextHandler(log, nil))
	compattest.AddHelpers(&services, helper.Config{Argv: []string{"/bin/cat"}, Children: 1})
	acls := acl.NewSet()
	s := Defaults(acls)
	compattest.MustRead(t, acls, s.Directives(), "reqmod_program /bin/cat\n"+text)
	if err := s.Finish(func(int, string, ...any) {}); err != nil {
		t.Fatal(err)
	}
	acls.Finish()
	var place acl.Place
	return NewPolicy(Config{Settings: &s, Services: services, Identity: &errpage.Identity{Host: "proxy.test", Product: "squid"},
		InTunnel: func(*engine.Request) bool { return true },
		Match:    func(l *acl.List, r *engine.Request) acl.Answer { return l.Match(r, &r.Target, &place) }}), log
}

func block(kind, payload string) []byte {
	return fmt.Appendf(nil, "ICAP/1.0 200 OK\nEncapsulated: %s=0, null-body=%d\n\n%s", kind, len(payload), payload)
}

func TestRepliesOfHelpers(t *testing.T) {
	p, _ := newReqmodPolicy(t, "")
	const date = "Date: Tue, 01 Jan 2030 12:00:00 GMT\r\n"
	for _, row := range []struct {
		method, reply string
		action        engine.Action
		fields        string
		closes        bool
	}{
		{"GET", "HTTP/1.1 403 No\nX: 1\n\nno", engine.Serve, "X: 1\r\n" + date + "Content-Length: 2\r\n", false},
		{"GET", "HTTP/1.1 200 OK\nDate: mine\n\n", engine.Serve, "Date: mine\r\nContent-Length: 0\r\n", false},
		{"GET", "HTTP/1.1 204 None\n\n", engine.Serve, date, false},
		{"GET", "HTTP/1.1 304 Same\nLocation: http://b.test/\n\n", engine.Redirect, "Location: http://b.test/\r\n" + date, false},
		{"GET", "HTTP/1.1 302 There\nLocation: http://b.test/\n\n", engine.Redirect, "Location: http://b.test/\r\n" + date + "Content-Length: 0\r\n", false},
		{"GET", "HTTP/1.1 302 Where\n\n", engine.Serve, date + "Content-Length: 0\r\n", false},
		{"GET", "HTTP/1.1 401 Who\nWWW-Authenticate: Basic\n\n", engine.Challenge, "WWW-Authenticate: Basic\r\n" + date + "Content-Length: 0\r\n", false},
		{"GET", "HTTP/1.1 407 Who\nProxy-Authenticate: Basic\n\n", engine.Challenge, "Proxy-Authenticate: Basic\r\n" + date + "Content-Length: 0\r\n", false},
		{"CONNECT", "HTTP/1.1 403 No\n\n", engine.Serve, date + "Content-Length: 0\r\n", false},
		{"CONNECT", "HTTP/1.1 200 OK\n\n", engine.Serve, date + "Content-Length: 0\r\n", true},
	} {
		target := "http://a.test/"
		if row.method == "CONNECT" {
			target = "a.test:443"
		}
		r := compattest.NewRequest(t, row.method+" "+target+" HTTP/1.1")
		var st State
		var m decision.Memory
		d := p.Interpret(r, block("res-hdr", row.reply), nil, &st, &m)
		if d.Action != row.action || d.Reply == nil || string(d.Reply.Fields) != row.fields || d.Reply.Close != row.closes {
			t.Errorf("%s is answered with %q by %v: %+v, want %v %q", row.method, row.reply, d.Action, d.Reply, row.action, row.fields)
		}
	}
}

// TestFaultsOfReqmod has requests refused that nobody could judge, or let pass if the configuration says so.
func TestFaultsOfReqmod(t *testing.T) {
	for _, row := range []struct {
		conf, answer string
		err          error
		want         engine.Action
		log          string
	}{
		{"", "ICAP/1.0 500 No\n\n", nil, engine.Refuse, "ERROR: REQMOD helper returned an invalid answer: its status is 500, and only 200 and 204 mean something. The request is refused (reqmod_failure invalid=deny)"},
		{"reqmod_failure invalid=pass", "ICAP/1.0 500 No\n\n", nil, engine.Proceed, "The request passes unfiltered (reqmod_failure invalid=pass)"},
		{"", "", helper.ErrGarbled, engine.Refuse, "REQMOD helper: the helper has written something that is no answer. The request is refused (reqmod_failure invalid=deny)"},
		{"reqmod_failure invalid=pass", "", helper.ErrGarbled, engine.Proceed, "passes unfiltered"},
		{"", "", helper.ErrLost, engine.Refuse, "The request is refused (reqmod_failure crash=deny)"},
		{"reqmod_failure crash=pass", "", helper.ErrLost, engine.Proceed, "(reqmod_failure crash=pass)"},
		{"reqmod_failure crash=pass invalid=pass", string(block("req-hdr", "GET nowhere HTTP/1.1\n\n")), nil, engine.Refuse, "(reqmod_failure target=deny)"},
		{"", string(block("req-hdr", "GET file://none HTTP/1.1\n\n")), nil, engine.Refuse, "REQMOD helper: there is no page 'file://none' in error_directory. The request is refused, whatever reqmod_failure says"},
		{"reqmod_timeout 5 seconds", "", engine.ErrHelperLate, engine.Refuse, "REQMOD helper: Timedout. The request is refused (reqmod_timeout on_timeout=fail)"},
		{"reqmod_timeout 5 seconds on_timeout=bypass", "", engine.ErrHelperLate, engine.Proceed, "(reqmod_timeout on_timeout=bypass)"},
		{"reqmod_timeout 5 seconds on_timeout=retry", "", engine.ErrHelperLate, engine.Ask, ""},
	} {
		p, log := newReqmodPolicy(t, row.conf)
		var st State
		d := p.Interpret(compattest.NewRequest(t, "GET http://a.test/ HTTP/1.1"), []byte(row.answer), row.err, &st, &decision.Memory{})
		if d.Action != row.want || !strings.Contains(log.String(), row.log) {
			t.Errorf("%q, after %q or %v: %v, and it says %q; want %v and %q", row.conf, row.answer, row.err, d.Action, log, row.want, row.log)
		}
	}
}

// TestFieldsOfHelpers has what a helper says of fields go on, but for those that are not its business.
func TestFieldsOfHelpers(t *testing.T) {
	p, _ := newReqmodPolicy(t, "")
	r := compattest.NewRequest(t, "POST http://joe:x@a.test/ HTTP/1.1\nHost: a.test\nCookie: a\nContent-Length: 3\nExpect: 100-continue\nConnection: X-Mine")
	for _, row := range []struct{ fields, want string }{
		{"Cookie: b\nCookie: c\nContent-Length: 9\nTransfer-Encoding: chunked\nX-Mine: 1\nTE: x\nMax-Forwards: 0\nProxy-Authorization: x",
			"Content-Length: 3; Expect: 100-continue; Authorization: of the URL; Host: a.test; Cookie: b; Cookie: c; X-Mine: 1; "},
		{"authorization: mine", "Content-Length: 3; Expect: 100-continue; Host: a.test; authorization: mine; "},
	} {
		var st State
		d := p.Interpret(r, block("req-hdr", "POST http://a.test/ HTTP/1.1\n"+row.fields+"\n\n"), nil, &st, &decision.Memory{})
		var h h1.Header
		for _, field := range []string{"Cookie: a", "Content-Length: 3", "Expect: 100-continue", "Authorization: of the URL", "Host: a.test"} {
			name, value, _ := strings.Cut(field, ": ")
			h.Add(name, []byte(value))
		}
		p.Edit(r, &h, &st)
		if got := strings.ReplaceAll(string(h.AppendTo(nil)), "\r\n", "; "); got != row.want || d.Action != engine.Proceed || !st.Matters() {
			t.Errorf("%v; the fields are\n%s\nwant\n%s", d.Action, got, row.want)
		}
	}
}

// TestChangesThatCannotBeMade refuses, whatever url_rewrite_failure says.
func TestChangesThatCannotBeMade(t *testing.T) {
	for _, row := range []struct {
		conf, answer string
		want         engine.Action
		matters      bool
	}{
		{"url_rewrite_headers on", `OK set-header="X: 1"`, engine.Proceed, true},
		{"url_rewrite_children 4 headers=on", `OK set-header="X: 1"`, engine.Proceed, true},
		{"url_rewrite_headers on\nurl_rewrite_children 4 headers=off", `OK set-header="X: 1"`, engine.Proceed, false},
		{"url_rewrite_headers on\nurl_rewrite_failure invalid=pass target=pass", `OK set-header="Host: x"`, engine.Refuse, false},
		{"url_rewrite_headers on", `OK url=http://b.test/ set-header="Host: x"`, engine.Refuse, false},
		{"", `OK set-header="Host: x"`, engine.Proceed, false},
	} {
		p := newPolicy(t, row.conf)
		var st State
		d := p.Interpret(compattest.NewRequest(t, "GET http://a.test/ HTTP/1.1"), []byte(row.answer), nil, &st, &decision.Memory{})
		if d.Action != row.want || st.Matters() != row.matters {
			t.Errorf("%q, %s: %v (%v), want %v (%v)", row.conf, row.answer, d.Action, st.Matters(), row.want, row.matters)
		}
	}
}

// TestOneProgram has the second of two kinds of helpers be an error, whichever it is.
func TestOneProgram(t *testing.T) {
	for _, text := range []string{"url_rewrite_program /bin/cat\nreqmod_program /bin/cat", "reqmod_program /bin/cat\nurl_rewrite_program /bin/cat"} {
		acls := acl.NewSet()
		s := Defaults(acls)
		if _, err := compattest.Read(acls, s.Directives(), text); err == nil || !strings.Contains(err.Error(), "there is a") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
