package compat

import (
	"io"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"exaproxy/engine"
	"exaproxy/engine/h1"
	"exaproxy/engine/loop"
	"exaproxy/engine/loop/looptest"
	"exaproxy/helper"
)

// loadText loads a configuration from a text.
func loadText(t testing.TB, text string) *Settings {
	t.Helper()
	var said strings.Builder
	s, err := Load("squid.conf", Overrides{
		Say: func(_ int, line string) { said.WriteString(line + "\n") },
		Open: func(name string) (io.ReadCloser, error) {
			if name != "squid.conf" {
				text = ""
			}
			return io.NopCloser(strings.NewReader(text)), nil
		},
	})
	if err != nil {
		t.Fatalf("the configuration is rejected:\n%s", said.String())
	}
	return s
}

// silent starts no helper.
type silent struct{}

func (silent) Spawn(*helper.Config, int) (helper.Process, error) { return nil, io.EOF }

// newTestPolicy makes the policy of a configuration, on a loop of its own.
func newTestPolicy(t *testing.T, text string) *policy {
	t.Helper()
	s := loadText(t, text)
	l, err := loop.New(looptest.NewKernel(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	log := NewCacheLog(CacheLogOptions{Stderr: io.Discard, StderrLevel: -1})
	logs := NewLogs(log, nil)
	t.Cleanup(logs.Close)
	setup, err := s.Engine(logs)
	if err != nil {
		t.Fatal(err)
	}
	services := engine.Services{Loop: l, Log: setup.Config.Log}
	if c := setup.Config.Helper; c != nil {
		c.Spawn, c.Idle = silent{}, 0
		services.Helpers = helper.NewPool(l, *c)
	}
	made, err := setup.Config.NewPolicy(services)
	if err != nil {
		t.Fatal(err)
	}
	return made.(*policy)
}

// newRequest makes the request of a head, as from a client.
func newRequest(t *testing.T, head string) *engine.Request {
	t.Helper()
	r := &engine.Request{
		Client: netip.MustParseAddrPort("192.0.2.1:40000"),
		Local:  netip.MustParseAddrPort("192.0.2.9:3128"),
	}
	head = strings.ReplaceAll(head, "\n", "\r\n") + "\r\n\r\n"
	if _, err := h1.ParseRequest([]byte(head), &r.Request, h1.Limits{Relaxed: true}); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestOrdinaryRequestCostsNoMemory asks the policy all that the engine asks about a request that a
// helper lets pass, over and over.
func TestOrdinaryRequestCostsNoMemory(t *testing.T) {
	p := newTestPolicy(t, `
http_port 3128
acl inside src 192.0.2.0/24
acl bad dstdomain .bad.test
acl ports port 80 443
http_access deny bad
http_access deny !ports
http_access allow inside
url_rewrite_program /bin/cat
url_rewrite_children 1
access_log stdio:`+filepath.Join(t.TempDir(), "access.log")+` squid
cache_log none
`)
	fresh := newRequest(t, "GET http://www.a.test/x?y HTTP/1.1\nHost: www.a.test\nVia: 1.1 other.test (squid/4.1)\nX-Forwarded-For: 10.0.0.1")
	upstream := netip.MustParseAddrPort("192.0.2.80:80")
	var r engine.Request
	var up, down h1.Header
	rec := &engine.Record{}
	scratch := newRequest(t, "GET http://a.test/ HTTP/1.1") // whose memory is used again and again, as the engine does
	play := func() {
		again := *scratch
		r = again
		r.Request, r.Client, r.Local = fresh.Request, fresh.Client, fresh.Local
		if d := p.Admit(&r); d.Action != engine.Proceed {
			t.Fatalf("Admit decides %v", d.Action)
		}
		if line, action := p.Question(&r); action != engine.Ask || len(line) == 0 {
			t.Fatal("the helpers are not asked")
		}
		r.Asked++
		if d := p.Interpret(&r, []byte{}, nil); d.Action != engine.Proceed {
			t.Fatalf("Interpret decides %v", d.Action)
		}
		if hop := p.Route(&r, nil).Hop; string(hop.Host) != "www.a.test" || hop.Port != 80 {
			t.Fatalf("it goes to %s port %d", hop.Host, hop.Port)
		}
		up.CopyFrom(&r.Header)
		p.Edit(&r, &up, engine.Upstream)
		down.Reset()
		p.Edit(&r, &down, engine.Downstream)
		*rec = engine.Record{Request: &r, Ended: time.Unix(1795341430, 0), Status: 200, Upstream: upstream, Hierarchy: "HIER_DIRECT"}
		p.Record(rec)
	}
	play()
	// Request.Keep starts from nothing here, for only the engine can reset it: one growth for
	// each of the two fields that are joined.
	const kept = 2
	if n := testing.AllocsPerRun(1000, play); n > kept {
		t.Errorf("an ordinary request allocates %.1f times", n-kept)
	}
}

func TestEditUpstream(t *testing.T) {
	for _, row := range []struct{ name, conf, head, want string }{
		{
			"nothing was there", "",
			"GET http://a.test/ HTTP/1.1",
			"Via: 1.1 proxy.test (squid/5.7)\nX-Forwarded-For: 192.0.2.1\nCache-Control: max-age=259200\n",
		},
		{
			"lists are joined at the end", "",
			"GET http://a.test/ HTTP/1.0\nVia: 1.1 one\nAccept: */*\nvia: 1.0 two\nX-Forwarded-For: 10.0.0.1",
			"Accept: */*\nVia: 1.1 one, 1.0 two, 1.0 proxy.test (squid/5.7)\nX-Forwarded-For: 10.0.0.1, 192.0.2.1\nCache-Control: max-age=259200\n",
		},
		{
			"the client's Cache-Control stays", "forwarded_for transparent",
			"GET http://a.test/ HTTP/1.1\nCache-Control: no-cache\nX-Forwarded-For: 10.0.0.1",
			"Cache-Control: no-cache\nX-Forwarded-For: 10.0.0.1\nVia: 1.1 proxy.test (squid/5.7)\n",
		},
		{
			"hidden", "forwarded_for delete\nvia off\nhttpd_suppress_version_string on",
			"GET http://a.test/ HTTP/1.1\nX-Forwarded-For: 10.0.0.1",
			"Cache-Control: max-age=259200\n",
		},
		{
			"without a version", "forwarded_for off\nhttpd_suppress_version_string on\nunique_hostname one.proxy.test",
			"GET http://a.test/ HTTP/1.1",
			"Via: 1.1 one.proxy.test (squid)\nX-Forwarded-For: unknown\nCache-Control: max-age=259200\n",
		},
		{
			"truncated", "forwarded_for truncate\nvia off",
			"GET http://a.test/ HTTP/1.1\nX-Forwarded-For: 10.0.0.1\nX-Forwarded-For: 10.0.0.2",
			"X-Forwarded-For: 192.0.2.1\nCache-Control: max-age=259200\n",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newTestPolicy(t, "http_port 3128\nhttp_access allow all\nvisible_hostname proxy.test\naccess_log none\n"+row.conf)
			r := newRequest(t, row.head)
			var h h1.Header
			h.CopyFrom(&r.Header)
			p.Edit(r, &h, engine.Upstream)
			if got := strings.ReplaceAll(string(h.AppendTo(nil)), "\r", ""); got != row.want {
				t.Errorf("the fields are\n%swant\n%s", got, row.want)
			}
		})
	}
}

func TestHeed(t *testing.T) {
	const base = "http_port 3128\nhttp_access allow all\naccess_log none\nurl_rewrite_program /bin/cat\n"
	type row struct {
		name, conf, answer string
		err                error
		asked              int
		want               engine.Action
		kind               engine.FailureKind // if refused
	}
	for _, row := range []row{
		{name: "nothing", asked: 1, want: engine.Proceed},
		{name: "ERR", answer: "ERR", asked: 1, want: engine.Proceed},
		{name: "redirect", answer: "OK url=http://b.test/", asked: 1, want: engine.Redirect},
		{name: "rewrite", answer: "OK rewrite-url=http://b.test/", asked: 1, want: engine.Rewrite},
		{name: "intercept", answer: "intercept://b.test", asked: 1, want: engine.Proceed},
		{name: "first BH", answer: "BH", asked: 1, want: engine.Ask},
		{name: "second BH", answer: "BH", asked: 2, want: engine.Ask},
		{name: "third BH", answer: "BH", asked: 3, want: engine.Proceed},
		{name: "third BH denied", conf: "url_rewrite_failure bh=deny", answer: "BH", asked: 3, want: engine.Refuse, kind: engine.HelperLost},
		{name: "nonsense", answer: "/rel", asked: 1, want: engine.Proceed},
		{name: "nonsense denied", conf: "url_rewrite_failure invalid=deny", answer: "/rel", asked: 1, want: engine.Refuse, kind: engine.HelperLost},
		{name: "a page that is not there", answer: "file://none.html", asked: 1, want: engine.Proceed},
		{name: "lost", err: helper.ErrLost, asked: 1, want: engine.Refuse, kind: engine.HelperLost},
		{name: "lost, pass", conf: "url_rewrite_failure crash=pass", err: helper.ErrLost, asked: 1, want: engine.Proceed},
		{name: "line feed in the question", err: helper.ErrLineFeed, asked: 1, want: engine.Refuse, kind: engine.HelperLost},
		{name: "late", err: engine.ErrHelperLate, asked: 1, want: engine.Refuse, kind: engine.HelperLate},
		{name: "late, bypass", conf: "url_rewrite_timeout 1 second on_timeout=bypass", err: engine.ErrHelperLate, asked: 1, want: engine.Proceed},
		{name: "late, retry", conf: "url_rewrite_timeout 1 second on_timeout=retry", err: engine.ErrHelperLate, asked: 2, want: engine.Ask},
		{name: "late, retried enough", conf: "url_rewrite_timeout 1 second on_timeout=retry", err: engine.ErrHelperLate, asked: 3, want: engine.Refuse, kind: engine.HelperLate},
		{name: "late, response", conf: `url_rewrite_timeout 1 second on_timeout=use_configured_response response="OK url=http://b.test/"`, err: engine.ErrHelperLate, asked: 1, want: engine.Redirect},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newTestPolicy(t, base+row.conf)
			r := newRequest(t, "GET http://a.test/ HTTP/1.1")
			r.Asked = row.asked
			var answer []byte
			if row.err == nil {
				answer = []byte(row.answer)
			}
			d := p.Interpret(r, answer, row.err)
			if d.Action != row.want {
				t.Fatalf("it decides %v, want %v", d.Action, row.want)
			}
			if d.Action == engine.Refuse && d.Failure.Kind != row.kind {
				t.Errorf("it fails with %v, want %v", d.Failure.Kind, row.kind)
			}
		})
	}
}

// TestInterpretUnasked has nobody asked: that is not the same as an empty answer, and changes nothing.
func TestInterpretUnasked(t *testing.T) {
	p := newTestPolicy(t, "http_port 3128\nhttp_access allow all\naccess_log none\n")
	r := newRequest(t, "GET http://a.test/ HTTP/1.1")
	if d := p.Interpret(r, nil, nil); d.Action != engine.Proceed {
		t.Errorf("it decides %v", d.Action)
	}
}

func TestRouteOfAnIntercept(t *testing.T) {
	p := newTestPolicy(t, "http_port 3128\nhttp_access allow all\naccess_log none\nurl_rewrite_program /bin/cat\n")
	for _, row := range []struct {
		answer, host string
		port         uint16
	}{
		{"intercept://b.test:8080", "b.test", 8080},
		{"intercept://b.test", "b.test", 81},
		{"", "a.test", 81},
	} {
		r := newRequest(t, "GET http://a.test:81/ HTTP/1.1")
		p.Interpret(r, []byte(row.answer), nil)
		if hop := p.Route(r, nil).Hop; string(hop.Host) != row.host || hop.Port != row.port {
			t.Errorf("after %q it goes to %s port %d, want %s port %d", row.answer, hop.Host, hop.Port, row.host, row.port)
		}
		p.forget(r)
	}
}

func TestLoopIsSeen(t *testing.T) {
	p := newTestPolicy(t, "http_port 3128\nhttp_access allow all\naccess_log none\nvisible_hostname proxy.test\n")
	for _, row := range []struct {
		via  string
		loop bool
	}{
		{"1.1 proxy.test (squid/5.7)", true},
		{"1.0 one, 1.1 proxy.test (squid/5.7), 1.1 two", true},
		{"1.1 proxy.test (squid/4.10)", false}, // another proxy of that name, during a migration
		{"1.1 other.test (squid/5.7)", false},
		{"1.1 another-proxy.test (squid/5.7)", false},
	} {
		r := newRequest(t, "GET http://a.test/ HTTP/1.1\nVia: "+row.via)
		if d := p.Admit(r); (d.Action == engine.Refuse) != row.loop {
			t.Errorf("with Via: %s it decides %v", row.via, d.Action)
		}
	}
}
