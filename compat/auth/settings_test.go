package auth

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/children"
	"exaproxy/compat/compattest"
	"exaproxy/engine"
)

func TestSettings(t *testing.T) {
	s := Defaults()
	compattest.MustRead(t, acl.NewSet(), s.Directives(), `auth_param basic program "/lib/an auth" /etc/passwd
auth_param basic children 7 startup=2 idle=3 concurrency=4
auth_param basic realm  The "lab" realm  # one
auth_param basic credentialsttl 5 minutes
auth_param basic casesensitive on
auth_param basic utf8 on
auth_param basic key_extras "%>a %>rd"
`)
	b := s.schemes[0].scheme.(*Basic)
	if got := strings.Join(b.Argv, "|"); got != "/lib/an auth|/etc/passwd" {
		t.Errorf("the program is %q", got)
	}
	if n := b.Children; n.Max != 7 || n.Startup != 2 || n.Idle != 3 || n.Concurrency != 4 {
		t.Errorf("children are %+v", n)
	}
	if b.TTL != 5*time.Minute || !b.CaseSensitive || !b.UTF8 {
		t.Errorf("got %+v", b)
	}
	r := compattest.NewRequest(t, "GET http://a.test/ HTTP/1.1")
	if got, want := string(b.appendExtras(nil, r, &engine.Record{})), " 192.0.2.1 a.test"; got != want {
		t.Errorf("key_extras are %q, want %q", got, want)
	}
	want := `Basic realm="The \"lab\" realm  # one", charset="UTF-8"`
	if got := string((&basicProver{Basic: b}).challenge(nil)); got != want {
		t.Errorf("the challenge is %q, want %q", got, want)
	}
}

func TestRealmBetweenMarks(t *testing.T) {
	s := Defaults()
	compattest.MustRead(t, acl.NewSet(), s.Directives(), "auth_param basic program /bin/cat\nauth_param basic realm \"The school's\"\n")
	b := &basicProver{Basic: s.schemes[0].scheme.(*Basic)}
	if got, want := string(b.challenge(nil)), `Basic realm="The school's"`; got != want {
		t.Errorf("the challenge is %q, want %q", got, want)
	}
}

func TestNobodyIsAskedWithoutAProgram(t *testing.T) {
	s := Defaults()
	compattest.MustRead(t, acl.NewSet(), s.Directives(), "auth_param basic realm x\n")
	if s.Enabled() {
		t.Error("it is enabled")
	}
	acls := acl.NewSet()
	acls.Schemes = s.Enabled
	if _, err := compattest.Read(acls, s.Directives(), "acl users proxy_auth REQUIRED\n"); err == nil ||
		!strings.Contains(err.Error(), "no authentication schemes are fully configured") {
		t.Errorf("got %v", err)
	}
}

func TestMistakes(t *testing.T) {
	for line, want := range map[string]string{
		"auth_param":                                 "",
		"auth_param basic":                           "",
		"auth_param basic program":                   "",
		"auth_param basic realm":                     "Missing auth_param basic realm",
		"auth_param basic children 0":                "cannot be less than 1",
		"auth_param basic children 3 sides=4":        "Undefined option: sides=4",
		"auth_param basic credentialsttl 10":         "missing time unit",
		"auth_param basic casesensitive perhaps":     "can only be 'on' or 'off'",
		"auth_param basic key_extras %bogus":         "%bogus",
		"auth_param digest nonce_max_duration 1":     "missing time unit",
		"auth_param digest nonce_max_count many":     "",
		"auth_param digest nonce_strictness maybe":   "can only be 'on' or 'off'",
		"auth_param ntlm keep_alive perhaps":         "can only be 'on' or 'off'",
		"auth_param ntlm children 3 pipeline=4":      "there is no pipeline= but 1",
		"auth_param negotiate children 3 pipeline=4": "there is no pipeline= but 1",
		"auth_param magic program /bin/cat":          "Unknown authentication scheme 'magic'",
	} {
		s := Defaults()
		if _, err := compattest.Read(acl.NewSet(), s.Directives(), line+"\n"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q in it", line, err, want)
		}
	}
	s := Defaults()
	r := compattest.MustRead(t, acl.NewSet(), s.Directives(), "auth_param basic blankpassword on\n")
	if got := strings.Join(r.Messages, "|"); !strings.Contains(got, "squid.conf(1): Unrecognised basic auth scheme parameter 'blankpassword'") {
		t.Errorf("it says %q", got)
	}
}

func TestStatefulSettings(t *testing.T) {
	s := Defaults()
	r := compattest.MustRead(t, acl.NewSet(), s.Directives(), `auth_param ntlm program /lib/ntlm -x
auth_param ntlm children 7 startup=2 idle=3 concurrency=4 reservation-timeout=90
auth_param ntlm keep_alive off
auth_param negotiate program /lib/negotiate
auth_param negotiate key_extras "%>a %>rd"
auth_param negotiate credentialsttl 2 hours
`)
	if got := strings.Join(r.Messages, "|"); !strings.Contains(got, "Unrecognised negotiate auth scheme parameter 'credentialsttl'") {
		t.Errorf("it says %q", got)
	}
	var c engine.Config
	c.Log = slog.New(slog.DiscardHandler)
	s.Configure(&c, children.Process{})
	ntlm, negotiate := c.PolicyHelpers[0], c.PolicyHelpers[1]
	if ntlm.Name != "ntlmauthenticator" || ntlm.Children != 7 || ntlm.Concurrency != 0 || ntlm.LineMax != 65535 ||
		ntlm.Reservation != 90*time.Second || ntlm.Timeout != 90*time.Second {
		t.Errorf("NTLM's helpers are %+v", ntlm)
	}
	if negotiate.Name != "negotiateauthenticator" || negotiate.Reservation != 0 || negotiate.Timeout != 64*time.Second {
		t.Errorf("Negotiate's helpers are %+v", negotiate)
	}
	if n := s.schemes[0].scheme.(*Stateful); n.KeepAlive || n.Mutual {
		t.Errorf("got %+v", n)
	}
	if n := s.schemes[1].scheme.(*Stateful); !n.KeepAlive || !n.Mutual || n.Extras == nil {
		t.Errorf("got %+v", n)
	}
}
