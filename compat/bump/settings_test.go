package bump

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"exaproxy/compat/acl"
	"exaproxy/compat/compattest"
	"exaproxy/compat/ports"
	"exaproxy/engine"
	"exaproxy/engine/tlshello"
)

// read has the setters take a configuration.
func read(t *testing.T, text string) (*Settings, *compattest.Reading, error) {
	t.Helper()
	s := &Settings{}
	acls := acl.NewSet()
	r, err := compattest.Read(acls, s.Directives(), text)
	if err == nil {
		acls.Finish()
	}
	return s, r, err
}

// TestWhatIsSaidOfRules has what `squid -k parse` of 5.7 prints, for each line, and which that is.
func TestWhatIsSaidOfRules(t *testing.T) {
	const (
		allow = `SECURITY NOTICE: auto-converting deprecated "ssl_bump allow <acl>" to "ssl_bump client-first <acl>" which is usually inferior to the newer server-first bumping mode. Update your ssl_bump rules.`
		deny  = `WARNING: auto-converting deprecated "ssl_bump deny <acl>" to "ssl_bump none <acl>". Update your ssl_bump rules.`
	)
	for text, want := range map[string][]string{
		"ssl_bump peek all\nssl_bump bump all\nssl_bump none all\nssl_bump server-first all": nil,
		"ssl_bump peek": nil,
		"ssl_bump allow all\nssl_bump deny all\nssl_bump allow all":               {allow, deny, allow},
		"on_unsupported_protocol tunnel all\non_unsupported_protocol respond all": nil,
	} {
		for i := range want {
			want[i] = fmt.Sprintf("%s (squid.conf line %d)", want[i], i+1)
		}
		if _, r, err := read(t, text); err != nil || !slices.Equal(r.Messages, want) {
			t.Errorf("%q: %v; it is said %q, want %q", text, err, r.Messages, want)
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	const (
		newBesideOld = "FATAL: do not mix new client/server-first/none actions with deprecated allow/deny actions. Update your ssl_bump rules."
		oldBesideNew = "FATAL: do not mix deprecated allow/deny actions with new client/server-first/none actions. Update your ssl_bump rules."
	)
	for text, want := range map[string]string{
		"ssl_bump foo all":                       "FATAL: unknown ssl_bump mode: foo",
		"ssl_bump Peek all":                      "FATAL: unknown ssl_bump mode: Peek",
		"ssl_bump allow all\nssl_bump peek all":  newBesideOld,
		"ssl_bump deny all\nssl_bump splice all": newBesideOld,
		"ssl_bump peek all\nssl_bump allow all":  oldBesideNew,
		"ssl_bump none all\nssl_bump deny all":   oldBesideNew,
		"ssl_bump":                               "a value is missing",
		"ssl_bump peek nosuch":                   "ACL not found: nosuch",
		"on_unsupported_protocol":                "a value is missing",
		"on_unsupported_protocol foo all":        "FATAL: unknown on_unsupported_protocol mode: foo",
		"on_unsupported_protocol tunnel nosuch":  "ACL not found: nosuch",
	} {
		if _, _, err := read(t, text); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// TestRulesThatNoPortIsFor are told of.
func TestRulesThatNoPortIsFor(t *testing.T) {
	for _, row := range []struct {
		text  string
		ports ports.Settings
		want  []string
	}{
		{"", nil, nil},
		{"ssl_bump peek all", ports.Settings{{}, {Bump: true}}, nil},
		{"ssl_bump peek all", ports.Settings{{}}, []string{"NOTICE: squid.conf(1): ssl_bump has no effect: no http_port that is opened has the option ssl-bump"}},
		{"on_unsupported_protocol tunnel all", ports.Settings{{}}, nil},
	} {
		s, r, err := read(t, row.text)
		if err != nil {
			t.Fatal(err)
		}
		s.Finish(r.Context, row.ports)
		if !slices.Equal(r.Messages, row.want) {
			t.Errorf("%q with %d ports: it is said %q, want %q", row.text, len(row.ports), r.Messages, row.want)
		}
	}
}

// TestDeprecatedRulesAreFollowed as what they are converted to.
func TestDeprecatedRulesAreFollowed(t *testing.T) {
	if got, mode := steps(t, "ssl_bump allow all"); got != (course{engine.BumpClientFirst}) || mode != "client-first" {
		t.Errorf("allow: %v, %s", got, mode)
	}
	if got, mode := steps(t, "ssl_bump deny all"); got != (course{engine.BumpSplice}) || mode != "none" {
		t.Errorf("deny: %v, %s", got, mode)
	}
}

// asked is a policy whose acls answer in a row what the test says.
func asked(s *Settings, answers ...acl.Answer) *Policy {
	return &Policy{Settings: s, Match: func(*acl.List, *engine.Request) acl.Answer {
		a := answers[0]
		answers = answers[1:]
		return a
	}}
}

// TestWhatIsNoTLS is a tunnel only by a rule, and only the first that matches counts.
func TestWhatIsNoTLS(t *testing.T) {
	const splice, terminate = engine.BumpSplice, engine.BumpTerminate
	for _, row := range []struct {
		text    string
		answers []acl.Answer
		want    engine.Bump
	}{
		{"ssl_bump splice all", nil, terminate},
		{"on_unsupported_protocol tunnel all", []acl.Answer{acl.Allow}, splice},
		{"on_unsupported_protocol respond all", []acl.Answer{acl.Allow}, terminate},
		{"on_unsupported_protocol tunnel all", []acl.Answer{acl.Deny}, terminate},
		{"on_unsupported_protocol tunnel all", []acl.Answer{acl.Pending}, engine.BumpPending},
		{"on_unsupported_protocol respond all\non_unsupported_protocol tunnel all", []acl.Answer{acl.Allow}, terminate},
		{"on_unsupported_protocol respond all\non_unsupported_protocol tunnel all", []acl.Answer{acl.Deny, acl.Allow}, splice},
		{"on_unsupported_protocol tunnel all\non_unsupported_protocol respond all", []acl.Answer{acl.Deny, acl.Allow}, terminate},
	} {
		s, _, err := read(t, row.text)
		if err != nil {
			t.Fatal(err)
		}
		r := compattest.NewRequest(t, "CONNECT site.test:443 HTTP/1.1")
		r.TLS = &engine.SeenTLS{Step: 2, Action: engine.BumpPeek, Mode: "peek", NotTLS: tlshello.ErrNotTLS}
		if got := asked(s, row.answers...).Bump(r, &State{}); got != row.want || r.TLS.Mode != "peek" {
			t.Errorf("%q, acls say %v: %d, logged as %s; want %d", row.text, row.answers, got, r.TLS.Mode, row.want)
		}
	}
}

// TestARuleThatNobodyCanJudge ends the tunnel.
func TestARuleThatNobodyCanJudge(t *testing.T) {
	s, _, err := read(t, "ssl_bump terminate all\nssl_bump splice all\non_unsupported_protocol tunnel all")
	if err != nil {
		t.Fatal(err)
	}
	r := compattest.NewRequest(t, "CONNECT site.test:443 HTTP/1.1")
	r.TLS = &engine.SeenTLS{Step: 1}
	if got := asked(s, acl.Unknown).Bump(r, &State{}); got != engine.BumpTerminate {
		t.Errorf("it is %d", got)
	}
	r.TLS.NotTLS = tlshello.ErrNotTLS
	if got := asked(s, acl.Unknown).Bump(r, &State{}); got != engine.BumpTerminate {
		t.Errorf("without TLS it is %d", got)
	}
}

// TestARuleThatWaits is asked again, and leaves nothing behind meanwhile.
func TestARuleThatWaits(t *testing.T) {
	s, _, err := read(t, "ssl_bump terminate all\nssl_bump bump all")
	if err != nil {
		t.Fatal(err)
	}
	r := compattest.NewRequest(t, "CONNECT site.test:443 HTTP/1.1")
	r.TLS = &engine.SeenTLS{Step: 1}
	p, st := asked(s, acl.Deny, acl.Pending, acl.Allow), &State{}
	if got := p.Bump(r, st); got != engine.BumpPending || r.TLS.Mode != "" {
		t.Errorf("it is %d, logged as %q", got, r.TLS.Mode)
	}
	if got := p.Bump(r, st); got != engine.BumpClientFirst || r.TLS.Mode != "bump" { // the first line is not asked again
		t.Errorf("then it is %d, logged as %q", got, r.TLS.Mode)
	}
}

// TestWhatIsImpossibleIsNotAsked has no acl be evaluated for nothing: it could wait for a name server.
func TestWhatIsImpossibleIsNotAsked(t *testing.T) {
	const peek, stare = engine.BumpPeek, engine.BumpStare
	for _, row := range []struct {
		text  string
		step  int
		after engine.Bump
		want  engine.Bump
	}{
		{"ssl_bump client-first all\nssl_bump server-first all", 2, peek, engine.BumpSplice},
		{"ssl_bump peek all\nssl_bump stare all\nssl_bump bump all\nssl_bump none all\nssl_bump client-first all\nssl_bump server-first all", 3, peek, engine.BumpSplice},
		{"ssl_bump peek all\nssl_bump stare all\nssl_bump splice all\nssl_bump none all\nssl_bump client-first all\nssl_bump server-first all", 3, stare, engine.BumpServerFirst},
	} {
		s, _, err := read(t, row.text)
		if err != nil {
			t.Fatal(err)
		}
		r := compattest.NewRequest(t, "CONNECT site.test:443 HTTP/1.1")
		r.TLS = &engine.SeenTLS{Step: row.step, Action: row.after}
		if got := asked(s).Bump(r, &State{}); got != row.want { // it panics if it is asked
			t.Errorf("%q at step %d: %d, want %d", row.text, row.step, got, row.want)
		}
	}
}

// TestASettledServerFirst has no rule of the second step count.
func TestASettledServerFirst(t *testing.T) {
	s, _, err := read(t, "ssl_bump terminate all")
	if err != nil {
		t.Fatal(err)
	}
	r := compattest.NewRequest(t, "CONNECT site.test:443 HTTP/1.1")
	r.TLS = &engine.SeenTLS{Step: 2, Action: engine.BumpPeek, Mode: "server-first"}
	if got := asked(s).Bump(r, &State{}); got != engine.BumpServerFirst {
		t.Errorf("it is %d", got)
	}
	r.TLS.NotTLS = errors.New("none")
	if got := asked(s).Bump(r, &State{}); got != engine.BumpTerminate {
		t.Errorf("without TLS it is %d", got)
	}
}
