package redirector

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"exaproxy/compat/children"
	"exaproxy/compat/compattest"
	"exaproxy/compat/decision"
	"exaproxy/engine"
	"exaproxy/helper"
)

// newLoggedPolicy makes a policy whose log and clock are the test's.
func newLoggedPolicy(t *testing.T, text string) (p *Policy, log *bytes.Buffer, now *time.Time) {
	t.Helper()
	log, now = &bytes.Buffer{}, new(time.Time)
	*now = time.Unix(1e9, 0)
	services := compattest.Services(t)
	services.Log = slog.New(slog.NewTextHandler(log, nil))
	compattest.AddHelpers(&services, helper.Config{Argv: []string{"/bin/cat"}, Children: 1})
	p = newPolicyWith(t, services, text)
	p.now = func() time.Time { return *now }
	p.overload.Now = p.now
	return p, log, now
}

// TestReports has a client cause the same fault again and again: it is told once a second, with how often it
// was since, what became of the request, and which directive decides that.
func TestReports(t *testing.T) {
	const refused, passes = "The request is refused", "The request passes unfiltered"
	for _, row := range []struct {
		name, conf, answer string
		err                error
		asked              int
		want               []string
	}{
		{"lost", "", "", helper.ErrLost, 1, []string{"URL rewrite helper: ", refused + " (url_rewrite_failure crash=deny)"}},
		{"lost, pass", "url_rewrite_failure crash=pass", "", helper.ErrLost, 1, []string{passes + " (url_rewrite_failure crash=pass)"}},
		{"remembered", "", "", helper.ErrRemembered, 1, []string{"nobody was asked", refused + " (url_rewrite_failure crash=deny)"}},
		{"too long", "", "", helper.ErrTooLong, 1, []string{"a line of more than 8191 bytes was not sent (helper_line_max)", refused + " (url_rewrite_failure long=deny)"}},
		{"too long, pass", "url_rewrite_failure long=pass", "", helper.ErrTooLong, 1, []string{passes + " (url_rewrite_failure long=pass)"}},
		{"no page", "", "file://none.html", nil, 1, []string{"there is no page 'file://none.html' in error_directory", refused + ", whatever url_rewrite_failure says"}},
		{"bad status", "", `OK status=403 url="http://b.test/"`, nil, 1, []string{"ERROR: URL-rewrite produces invalid 403 redirect Location: http://b.test/", refused + " (url_rewrite_failure target=deny)"}},
		{"nonsense", "", "/rel", nil, 1, []string{"ERROR: URL-rewrite produces invalid request: GET /rel HTTP/1.1", passes + " (url_rewrite_failure invalid=pass)"}},
		{"nonsense, deny", "url_rewrite_failure invalid=deny", "/rel", nil, 1, []string{refused + " (url_rewrite_failure invalid=deny)"}},
		{"bad target", "", "http://b.test:99999/", nil, 1, []string{"ERROR: URL-rewrite produces invalid request: GET http://b.test:99999/", refused + " (url_rewrite_failure target=deny)"}},
		{"first BH", "", "BH", nil, 1, []string{"helper: {result=BH}, attempt #1 of 2"}},
		{"second BH", "", "BH", nil, 2, []string{"helper: {result=BH}, attempt #2 of 2"}},
		{"third BH", "", "BH", nil, 3, []string{"URL rewrite helper: {result=BH}", passes + " (url_rewrite_failure bh=pass)"}},
		{"late", "", "", engine.ErrHelperLate, 1, []string{"URL rewrite helper: Timedout", refused + " (url_rewrite_timeout on_timeout=fail)"}},
		{"late, bypass", "url_rewrite_timeout 1 second on_timeout=bypass", "", engine.ErrHelperLate, 1, []string{passes + " (url_rewrite_timeout on_timeout=bypass)"}},
		{"late, retried", "url_rewrite_timeout 1 second on_timeout=retry", "", engine.ErrHelperLate, 3, []string{refused + " (url_rewrite_timeout on_timeout=retry)"}},
		{"late, response", `url_rewrite_timeout 1 second on_timeout=use_configured_response response="ERR"`, "", engine.ErrHelperLate, 1, []string{"The configured response decides"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			p, log, now := newLoggedPolicy(t, row.conf)
			r := compattest.NewRequest(t, "GET http://a.test/ HTTP/1.1")
			r.Asked = row.asked
			var answer []byte
			if row.err == nil {
				answer = []byte(row.answer)
			}
			interpret := func() {
				var st State
				p.Interpret(r, answer, row.err, &st, &decision.Memory{})
			}
			for range 1000 {
				interpret()
				*now = now.Add(time.Millisecond)
			}
			text := strings.ReplaceAll(log.String(), `\"`, `"`)
			for _, want := range append(row.want, "url=http://a.test/") {
				if strings.Count(text, want) != 1 {
					t.Errorf("it does not say %q once:\n%s", want, text)
				}
			}
			interpret()
			if want := "(999 more of this kind since the last message)"; strings.Count(log.String(), "\n") != 2 || !strings.Contains(log.String(), want) {
				t.Errorf("a second later it does not say %q:\n%s", want, log)
			}
		})
	}
}

// TestGarbageIsTold has a helper that takes the URL for its channel number, and one that repeats its question.
func TestGarbageIsTold(t *testing.T) {
	const squid = "UPGRADE WARNING: URL rewriter reponded with garbage '%s'. Future Squid will treat this as part of the URL. "
	const channel, err = "give it one with the option concurrency= of url_rewrite_children", "had better answer ERR"
	for _, row := range []struct{ conf, answer, garbage, advice string }{
		{"", "http://a.test/ ERR", " ERR", channel},
		{"", "http://b.test/ OK", " OK", channel},
		{"", "http://a.test/ 127.0.0.1/- - GET", " 127.0.0.1/- - GET", err},
		{"url_rewrite_children 1 concurrency=2", "http://a.test/ ERR", " ERR", err},
	} {
		p, log, now := newLoggedPolicy(t, row.conf)
		interpret := func() {
			var st State
			p.Interpret(compattest.NewRequest(t, "GET http://a.test/ HTTP/1.1"), []byte(row.answer), nil, &st, &decision.Memory{})
		}
		for range 50 {
			interpret()
			*now = now.Add(time.Second)
		}
		for _, want := range []string{fmt.Sprintf(squid, row.garbage), row.advice, "url=http://a.test/", "level=ERROR"} {
			if strings.Count(log.String(), want) != 1 {
				t.Errorf("of %q it does not say %q once:\n%s", row.answer, want, log)
			}
		}
		*now = now.Add(time.Minute)
		if interpret(); !strings.Contains(log.String(), "(49 more of this kind since the last message)") {
			t.Errorf("later it does not say how often it was:\n%s", log)
		}
	}
}

// TestKindsOfReportsAreLimitedApart has one kind of fault not hide another.
func TestKindsOfReportsAreLimitedApart(t *testing.T) {
	p, log, _ := newLoggedPolicy(t, "")
	r := compattest.NewRequest(t, "GET http://a.test/ HTTP/1.1")
	for _, err := range []error{helper.ErrLost, helper.ErrRemembered, helper.ErrTooLong, helper.ErrLineFeed, engine.ErrHelperLate} {
		var st State
		p.Interpret(r, nil, err, &st, &decision.Memory{})
	}
	for asked, answer := range []string{"BH", "BH", "BH", "/rel", "http://b.test:99999/", "file://none"} {
		r.Asked = asked + 1
		var st State
		p.Interpret(r, []byte(answer), nil, &st, &decision.Memory{})
	}
	if n := strings.Count(log.String(), "\n"); n != 11 {
		t.Errorf("%d of 11 kinds are told:\n%s", n, log)
	}
}

// TestBypassIsTold has no helper that can be started, and requests that pass for that.
func TestBypassIsTold(t *testing.T) {
	p, log, now := newLoggedPolicy(t, "url_rewrite_children 1\nurl_rewrite_bypass on")
	busy, serving := true, 0
	p.overload.Pool = fakePool{queue: 7, busy: &busy, serving: &serving}
	ask := func(n int) {
		for range n {
			if _, action := p.Question(compattest.NewRequest(t, "GET http://a.test/ HTTP/1.1")); action != engine.Proceed {
				t.Fatalf("it decides %v", action)
			}
		}
	}
	ask(1000)
	const want = "requests pass unfiltered (url_rewrite_bypass on), since no redirector process is running"
	if text := log.String(); strings.Count(text, want) != 1 || strings.Count(text, "\n") != 1 {
		t.Errorf("it does not say %q once:\n%s", want, text)
	}
	*now, serving = now.Add(children.TellDropped), 4
	ask(1)
	if text := log.String(); !strings.Contains(text, "since all 4/4 redirector processes are busy (999 more since the last message)") {
		t.Errorf("later it does not say how many passed:\n%s", text)
	}
}

// TestOverloadIsTold has the processes of the worker counted, and not those of others.
func TestOverloadIsTold(t *testing.T) {
	for _, row := range []struct {
		serving, workers int
		want             string
	}{
		{4, 1, "All 4/4 redirector processes are busy."},
		{4, 2, "All 4/4 redirector processes are busy. (worker 1 of 2)"},
		{0, 1, "0/4 redirector processes are running."},
	} {
		p, log, _ := newLoggedPolicy(t, fmt.Sprint("url_rewrite_children ", 4*row.workers))
		busy := true
		p.overload.Pool = fakePool{queue: 100, busy: &busy, serving: &row.serving}
		p.overload.Workers = row.workers
		p.Question(compattest.NewRequest(t, "GET http://a.test/ HTTP/1.1"))
		for _, want := range []string{row.want + `"`, "100 pending requests queued"} {
			if strings.Count(log.String(), want) != 1 {
				t.Errorf("it does not say %q once:\n%s", want, log)
			}
		}
	}
}

// TestPersistentOverloadIsTold has requests pass after three minutes, and says so with their number.
func TestPersistentOverloadIsTold(t *testing.T) {
	p, log, now := newLoggedPolicy(t, "url_rewrite_children 4 on-persistent-overload=ERR")
	busy, serving := true, 4
	p.overload.Pool = fakePool{queue: 100, busy: &busy, serving: &serving}
	ask := func() { p.Question(compattest.NewRequest(t, "GET http://a.test/ HTTP/1.1")) }
	ask()
	*now = now.Add(children.PersistentTime)
	for range 100 {
		ask()
	}
	const want = "dropping requests to overloaded redirector helper configured with on-persistent-overload=err: they pass unfiltered"
	if strings.Count(log.String(), want) != 1 {
		t.Errorf("it does not say %q once:\n%s", want, log)
	}
	*now = now.Add(children.TellDropped)
	ask()
	if !strings.Contains(log.String(), "(99 more since the last message)") {
		t.Errorf("later it does not say how many passed:\n%s", log)
	}
}

// A fakePool is as busy as the test says, with four children.
type fakePool struct {
	queue   int
	busy    *bool
	serving *int
}

func (f fakePool) Queue() int                 { return f.queue }
func (f fakePool) Busy() bool                 { return *f.busy }
func (f fakePool) Serving() (ready, most int) { return *f.serving, 4 }
