package bump

import (
	"testing"

	"exaproxy/compat/acl"
	"exaproxy/compat/compattest"
	"exaproxy/engine"
	"exaproxy/engine/tlshello"
)

// A course is what is chosen at each step, while there is one more.
type course [3]engine.Bump

// steps has the rules asked at one step after the other, as the engine does.
func steps(t *testing.T, rules string) (chosen course, mode string) {
	t.Helper()
	var s Settings
	acls := acl.NewSet()
	const names = "acl step1 at_step SslBump1\nacl step2 at_step SslBump2\nacl step3 at_step SslBump3\n"
	compattest.MustRead(t, acls, s.Directives(), names+rules)
	acls.Finish()
	r := compattest.NewRequest(t, "CONNECT site.test:443 HTTP/1.1")
	r.TLS = &engine.SeenTLS{}
	var place acl.Place
	p := Policy{Settings: &s, Match: func(l *acl.List, r *engine.Request) acl.Answer { return l.Match(r, &r.Target, &place) }}
	for i := range chosen {
		r.TLS.Step = i + 1
		r.TLS.Action = p.Bump(r, &State{})
		chosen[i] = r.TLS.Action
		if r.TLS.Action != engine.BumpPeek && r.TLS.Action != engine.BumpStare {
			break
		}
	}
	return chosen, r.TLS.Mode
}

// TestTheFirstPossibleRuleCounts has lists of rules, and what Squid 5.7 was seen to do with them.
func TestTheFirstPossibleRuleCounts(t *testing.T) {
	const (
		splice, peek, stare, terminate = engine.BumpSplice, engine.BumpPeek, engine.BumpStare, engine.BumpTerminate
		first, after                   = engine.BumpClientFirst, engine.BumpServerFirst
	)
	for _, row := range []struct {
		rules string
		want  course
		mode  string
	}{
		{"", course{splice}, "splice"},
		{"ssl_bump splice all", course{splice}, "splice"},
		{"ssl_bump none all", course{splice}, "none"},
		{"ssl_bump bump all", course{first}, "bump"},
		{"ssl_bump client-first all", course{first}, "client-first"},
		{"ssl_bump server-first all", course{peek, after}, "server-first"},
		{"ssl_bump server-first step1\nssl_bump splice all", course{peek, after}, "server-first"},
		{"ssl_bump terminate all", course{terminate}, "terminate"},
		{"ssl_bump bump step2", course{splice}, "splice"},
		{"ssl_bump peek all", course{peek, peek, splice}, "splice"},
		{"ssl_bump stare all", course{stare, stare, after}, "bump"},
		{"ssl_bump peek step1", course{peek, splice}, "splice"},
		{"ssl_bump stare step1", course{stare, splice}, "splice"},
		{"ssl_bump peek step1\nssl_bump none step2", course{peek, splice}, "splice"},
		{"ssl_bump peek step1\nssl_bump bump all", course{peek, after}, "bump"},
		{"ssl_bump peek step1\nssl_bump terminate all", course{peek, terminate}, "terminate"},
		{"ssl_bump peek step1\nssl_bump server-first all", course{peek, splice}, "splice"},
		{"ssl_bump peek step1\nssl_bump peek step2\nssl_bump bump all", course{peek, peek, splice}, "splice"},
		{"ssl_bump peek step1\nssl_bump peek step2\nssl_bump terminate all", course{peek, peek, terminate}, "terminate"},
		{"ssl_bump peek step1\nssl_bump stare step2\nssl_bump splice all", course{peek, stare, after}, "bump"},
		{"ssl_bump peek step1\nssl_bump stare step2\nssl_bump none all", course{peek, stare, after}, "bump"},
		{"ssl_bump stare step1\nssl_bump peek step2\nssl_bump none all", course{stare, peek, splice}, "splice"},
		{"ssl_bump stare step1\nssl_bump stare step2\nssl_bump terminate all", course{stare, stare, terminate}, "terminate"},
	} {
		if got, mode := steps(t, row.rules); got != row.want || mode != row.mode {
			t.Errorf("%q: %v, logged as %q; want %v, %q", row.rules, got, mode, row.want, row.mode)
		}
	}
}

// TestWhoSpeaksNoHTTP has rules for what is wrong with what a diverted client says.
func TestWhoSpeaksNoHTTP(t *testing.T) {
	const byPage = "acl fp squid_error ERR_PROTOCOL_UNKNOWN\non_unsupported_protocol tunnel fp"
	const bySilence = "acl fp squid_error ERR_REQUEST_START_TIMEOUT\non_unsupported_protocol tunnel fp"
	for _, row := range []struct {
		rules string
		wrong engine.Failure
		want  engine.Action
	}{
		{"", engine.Failure{Page: "ERR_PROTOCOL_UNKNOWN"}, engine.Refuse},
		{byPage, engine.Failure{Page: "ERR_PROTOCOL_UNKNOWN"}, engine.Proceed},
		{byPage, engine.Failure{Page: "ERR_TOO_BIG"}, engine.Refuse},
		{"on_unsupported_protocol respond all\non_unsupported_protocol tunnel all", engine.Failure{}, engine.Refuse},
		{bySilence, engine.Failure{Kind: engine.ClientSilent}, engine.Proceed},
		{bySilence, engine.Failure{Kind: engine.ClientLate}, engine.Refuse},
	} {
		var s Settings
		acls := acl.NewSet()
		compattest.MustRead(t, acls, s.Directives(), row.rules)
		acls.Finish()
		r := compattest.NewRequest(t, "GET / HTTP/1.1")
		r.Wrong = &row.wrong
		var place acl.Place
		p := Policy{Settings: &s, Match: func(l *acl.List, r *engine.Request) acl.Answer { return l.Match(r, &r.Target, &place) }}
		if got := p.Foreign(r, &State{}); got != row.want {
			t.Errorf("%s\nwhere %v: %v, want %v", row.rules, row.wrong, got, row.want)
		}
	}
	s, _, err := read(t, "on_unsupported_protocol tunnel all")
	if err != nil {
		t.Fatal(err)
	}
	for answer, want := range map[acl.Answer]engine.Action{acl.Unknown: engine.Refuse, acl.Pending: engine.Pending} {
		if got := asked(s, answer).Foreign(compattest.NewRequest(t, "GET / HTTP/1.1"), &State{}); got != want {
			t.Errorf("where acls say %v: %v", answer, got)
		}
	}
}

// TestTunnelsBySquidError has rules that go by what was said instead of TLS.
func TestTunnelsBySquidError(t *testing.T) {
	const recipe = "acl fp squid_error ERR_PROTOCOL_UNKNOWN ERR_TOO_BIG\non_unsupported_protocol tunnel fp\non_unsupported_protocol respond all"
	for _, row := range []struct {
		rules string
		why   error
		want  engine.Bump
	}{
		{recipe, tlshello.ErrNotTLS, engine.BumpSplice},
		{recipe, tlshello.ErrMalformed, engine.BumpTerminate},
		{recipe, tlshello.ErrShort, engine.BumpTerminate},
		{"acl fp squid_error ERR_TOO_BIG ERR_NONE\non_unsupported_protocol tunnel fp", tlshello.ErrNotTLS, engine.BumpTerminate},
		{"acl fp squid_error ERR_REQUEST_START_TIMEOUT\non_unsupported_protocol tunnel fp", tlshello.ErrShort, engine.BumpSplice},
		{"acl fp squid_error ERR_REQUEST_PARSE_TIMEOUT\non_unsupported_protocol tunnel fp", tlshello.ErrShort, engine.BumpSplice},
		{"acl fp squid_error ERR_REQUEST_START_TIMEOUT ERR_REQUEST_PARSE_TIMEOUT\non_unsupported_protocol tunnel fp", tlshello.ErrNotTLS, engine.BumpTerminate},
	} {
		var s Settings
		acls := acl.NewSet()
		compattest.MustRead(t, acls, s.Directives(), row.rules)
		acls.Finish()
		r := compattest.NewRequest(t, "CONNECT site.test:443 HTTP/1.1")
		r.TLS = &engine.SeenTLS{Step: 2, NotTLS: row.why}
		var place acl.Place
		p := Policy{Settings: &s, Match: func(l *acl.List, r *engine.Request) acl.Answer { return l.Match(r, &r.Target, &place) }}
		if got := p.Bump(r, &State{}); got != row.want {
			t.Errorf("%s\nwhere %v: %v, want %v", row.rules, row.why, got, row.want)
		}
	}
}
