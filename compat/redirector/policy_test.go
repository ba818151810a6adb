package redirector

import (
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

// newPolicy makes the policy of a configuration with a redirector.
func newPolicy(t *testing.T, text string) *Policy {
	t.Helper()
	services := compattest.Services(t)
	compattest.AddHelpers(&services, helper.Config{Argv: []string{"/bin/cat"}, Children: 1})
	return newPolicyWith(t, services, text)
}

func newPolicyWith(t *testing.T, services engine.Services, text string) *Policy {
	t.Helper()
	acls := acl.NewSet()
	s := Defaults(acls)
	compattest.MustRead(t, acls, s.Directives(), "url_rewrite_program /bin/cat\n"+text)
	if err := s.Finish(func(int, string, ...any) {}); err != nil {
		t.Fatal(err)
	}
	acls.Finish()
	var place acl.Place
	return NewPolicy(Config{Settings: &s, Services: services, Identity: &errpage.Identity{Host: "proxy.test", Product: "squid"},
		Match: func(l *acl.List, r *engine.Request) acl.Answer { return l.Match(r, &r.Target, &place) }})
}

// TestQuestion has only those requests put to the redirector that url_rewrite_access names.
func TestQuestion(t *testing.T) {
	p := newPolicy(t, "acl inside dstdomain .inside.test\nurl_rewrite_access deny inside\nurl_rewrite_access allow all\nurl_rewrite_extras %rm")
	for _, row := range []struct {
		url, line string
		want      engine.Action
	}{
		{"http://a.test/", "http://a.test/ GET", engine.Ask},
		{"http://www.inside.test/", "", engine.Proceed},
	} {
		line, action := p.Question(compattest.NewRequest(t, "GET "+row.url+" HTTP/1.1"))
		if action != row.want || string(line) != row.line {
			t.Errorf("about %s the question is %q with %v, want %q with %v", row.url, line, action, row.line, row.want)
		}
	}
	none := newPolicyWith(t, compattest.Services(t), "")
	if line, action := none.Question(compattest.NewRequest(t, "GET http://a.test/ HTTP/1.1")); action != engine.Proceed {
		t.Errorf("without helpers the question is %q with %v", line, action)
	}
}

func TestSteer(t *testing.T) {
	p := newPolicy(t, "")
	for _, row := range []struct {
		answer, host string
		port         uint16
		steers       bool
	}{
		{"intercept://b.test:8080", "b.test", 8080, true},
		{"intercept://b.test", "b.test", 81, true},
		{"", "a.test", 81, false},
	} {
		r := compattest.NewRequest(t, "GET http://a.test:81/ HTTP/1.1")
		var st State
		p.Interpret(r, []byte(row.answer), nil, &st, &decision.Memory{})
		hop := engine.Direct(r)
		p.Steer(&st, &hop)
		if string(hop.Host) != row.host || hop.Port != row.port || st.Steers() != row.steers {
			t.Errorf("after %q it goes to %s port %d (%v)", row.answer, hop.Host, hop.Port, st.Steers())
		}
	}
}

// TestEdit has a rewritten request keep the client's Host field where the configuration asks for it.
func TestEdit(t *testing.T) {
	for _, row := range []struct{ conf, head, want string }{
		{"", "GET http://a.test/ HTTP/1.1\nHost: a.test", "b.test"},
		{"url_rewrite_host_header off", "GET http://a.test/ HTTP/1.1\nHost: a.test", "a.test"},
		{"url_rewrite_host_header off", "GET http://a.test:81/ HTTP/1.0", "a.test:81"},
	} {
		p := newPolicy(t, row.conf)
		r := compattest.NewRequest(t, row.head)
		r.WasRewritten = true
		var h h1.Header
		h.Add("Host", []byte("b.test"))
		p.Edit(r, &h, nil)
		if got := string(h.Get("Host")); got != row.want {
			t.Errorf("%q, %s: Host is %s, want %s", row.conf, strings.ReplaceAll(row.head, "\n", ", "), got, row.want)
		}
	}
}

// TestOverloadLimitIsShared gives each worker its part of queue-size.
func TestOverloadLimitIsShared(t *testing.T) {
	for _, row := range []struct {
		conf    string
		workers int
		want    int
	}{
		{"url_rewrite_children 10 queue-size=12", 1, 12},
		{"url_rewrite_children 10 queue-size=12", 4, 3},
		{"url_rewrite_children 10", 4, 5},
		{"url_rewrite_children 10\nurl_rewrite_bypass on", 4, 0},
	} {
		services := compattest.Services(t)
		services.Workers = row.workers
		compattest.AddHelpers(&services, helper.Config{Argv: []string{"/bin/cat"}, Children: 1})
		if got := newPolicyWith(t, services, row.conf).overload.Limit(); got != row.want {
			t.Errorf("with %q each of %d workers has a queue of %d, want %d", row.conf, row.workers, got, row.want)
		}
	}
}
