package redirector

import (
	"testing"

	"exaproxy/compat/compattest"
	"exaproxy/compat/decision"
	"exaproxy/engine"
	"exaproxy/helper"
)

func TestInterpret(t *testing.T) {
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
		{name: "a target that cannot be used", answer: "http://b.test:99999/", asked: 1, want: engine.Refuse, kind: engine.HelperLost},
		{name: "a target that cannot be used, pass", conf: "url_rewrite_failure target=pass", answer: "http://b.test:99999/", asked: 1, want: engine.Proceed},
		{name: "a page that is not there", conf: "url_rewrite_failure target=pass invalid=pass", answer: "file://none.html", asked: 1, want: engine.Refuse, kind: engine.HelperLost},
		{name: "lost", err: helper.ErrLost, asked: 1, want: engine.Refuse, kind: engine.HelperLost},
		{name: "lost, pass", conf: "url_rewrite_failure crash=pass", err: helper.ErrLost, asked: 1, want: engine.Proceed},
		{name: "line feed in the question", err: helper.ErrLineFeed, asked: 1, want: engine.Refuse, kind: engine.HelperLost},
		{name: "late", err: engine.ErrHelperLate, asked: 1, want: engine.Refuse, kind: engine.HelperLate},
		{name: "too long", err: helper.ErrTooLong, asked: 1, want: engine.Refuse, kind: engine.HelperLost},
		{name: "too long, pass", conf: "url_rewrite_failure long=pass", err: helper.ErrTooLong, asked: 1, want: engine.Proceed},
		{name: "late, bypass", conf: "url_rewrite_timeout 1 second on_timeout=bypass", err: engine.ErrHelperLate, asked: 1, want: engine.Proceed},
		{name: "late, retry", conf: "url_rewrite_timeout 1 second on_timeout=retry", err: engine.ErrHelperLate, asked: 2, want: engine.Ask},
		{name: "late, retried enough", conf: "url_rewrite_timeout 1 second on_timeout=retry", err: engine.ErrHelperLate, asked: 3, want: engine.Refuse, kind: engine.HelperLate},
		{name: "late, response", conf: `url_rewrite_timeout 1 second on_timeout=use_configured_response response="OK url=http://b.test/"`, err: engine.ErrHelperLate, asked: 1, want: engine.Redirect},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newPolicy(t, row.conf)
			r := compattest.NewRequest(t, "GET http://a.test/ HTTP/1.1")
			r.Asked = row.asked
			var answer []byte
			if row.err == nil {
				answer = []byte(row.answer)
			}
			var st State
			var m decision.Memory
			d := p.Interpret(r, answer, row.err, &st, &m)
			if d.Action != row.want {
				t.Fatalf("it decides %v, want %v", d.Action, row.want)
			}
			if d.Action == engine.Refuse && d.Failure.Kind != row.kind {
				t.Errorf("it fails with %v, want %v", d.Failure.Kind, row.kind)
			}
		})
	}
}

// TestInterpretUnasked has nobody asked: that is not the same as an empty answer, and changes
// nothing.
func TestInterpretUnasked(t *testing.T) {
	p := newPolicy(t, "")
	r := compattest.NewRequest(t, "GET http://a.test/ HTTP/1.1")
	var st State
	var m decision.Memory
	if d := p.Interpret(r, nil, nil, &st, &m); d.Action != engine.Proceed {
		t.Errorf("it decides %v", d.Action)
	}
}

// TestRedirectOfATunnel has a redirect shown as a page to a client that believes to be in a tunnel.
func TestRedirectOfATunnel(t *testing.T) {
	for _, row := range []struct {
		head  string
		pages bool
		body  bool
	}{
		{"CONNECT a.test:443 HTTP/1.1", true, true},
		{"CONNECT a.test:443 HTTP/1.1", false, false},
		{"GET http://a.test/ HTTP/1.1", true, false},
	} {
		p := newPolicy(t, "")
		p.inTunnel = func(*engine.Request) bool { return row.pages }
		var st State
		var m decision.Memory
		d := p.Interpret(compattest.NewRequest(t, row.head), []byte("302:http://b.test/"), nil, &st, &m)
		if d.Action != engine.Redirect || d.Reply.Status != 302 || d.URL != "http://b.test/" || (len(d.Reply.Body) > 0) != row.body {
			t.Errorf("%s, pages %v: it decides %v with %+v", row.head, row.pages, d.Action, d.Reply)
		}
	}
}

// TestNotesOfAnAnswer has what a helper notes kept with the request, but not before it has decided.
func TestNotesOfAnAnswer(t *testing.T) {
	p := newPolicy(t, "")
	r := compattest.NewRequest(t, "GET http://a.test/ HTTP/1.1")
	var st State
	var m decision.Memory
	r.Asked = 1
	p.Interpret(r, []byte("BH message=busy"), nil, &st, &m)
	if len(r.Notes) > 0 {
		t.Errorf("an answer that has the helpers asked again is noted: %s", r.Notes)
	}
	r.Asked = 2
	p.Interpret(r, []byte("OK tag=x"), nil, &st, &m)
	if len(r.Notes) != 1 || string(r.Notes[0].Key) != "tag" || string(r.Notes[0].Value) != "x" {
		t.Errorf("the notes are %s", r.Notes)
	}
}
