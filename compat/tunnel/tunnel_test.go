package tunnel

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/compattest"
	"exaproxy/engine"
	"exaproxy/engine/tlshello"
)

// newPolicy makes the policy of a configuration, and gives what it logs.
func newPolicy(t *testing.T, text string) (*Policy, *strings.Builder) {
	t.Helper()
	var s Settings
	acls := acl.NewSet()
	r := compattest.MustRead(t, acls, s.Directives(), text)
	if err := s.Finish(r.Context); err != nil {
		t.Fatal(err)
	}
	acls.Finish()
	var log strings.Builder
	var place acl.Place
	now := time.Unix(1e9, 0)
	return &Policy{Settings: &s, Log: slog.New(slog.NewTextHandler(&log, nil)), Now: func() time.Time { return now },
		Match: func(l *acl.List, r *engine.Request) acl.Answer { return l.Match(r, &r.Target, &place) }}, &log
}

func TestWhichTunnelsAreLookedAt(t *testing.T) {
	const ports = "acl SSL_ports port 443 563\n"
	for _, row := range []struct {
		conf, ask string
		want      bool
	}{
		{"", "CONNECT a.test:443", false},
		{"tunnel_check off", "CONNECT a.test:443", false},
		{"tunnel_check on", "CONNECT a.test:443", true},
		{"tunnel_check on", "CONNECT a.test:563", false},
		{"tunnel_check on", "GET http://a.test:443/", false},
		{ports + "tunnel_check on", "CONNECT a.test:563", true},
		{ports + "tunnel_check on", "CONNECT a.test:22", false},
		{ports + "acl bank dstdomain bank.test\ntunnel_check on\ntunnel_check_access deny bank\ntunnel_check_access allow all", "CONNECT bank.test:443", false},
		{ports + "acl bank dstdomain bank.test\ntunnel_check on\ntunnel_check_access deny bank\ntunnel_check_access allow all", "CONNECT a.test:22", true},
	} {
		p, _ := newPolicy(t, row.conf)
		if got := p.Looks(compattest.NewRequest(t, row.ask+" HTTP/1.1")); got != row.want {
			t.Errorf("%q: %s is looked at: %v", row.conf, row.ask, got)
		}
	}
}

func TestWhatMayBeSaid(t *testing.T) {
	name := func(n string) tlshello.Hello { return tlshello.Hello{ServerName: n} }
	for _, row := range []struct {
		target string
		hello  tlshello.Hello
		err    error
		want   string // in the log; "" if it may
	}{
		{"a.test:443", name("a.test"), nil, ""},
		{"A.test.:443", name("a.TEST"), nil, ""},
		{"a.test:443", name("b.test"), nil, `the ClientHello is for \"b.test\"`},
		{"a.test:443", name("www.a.test"), nil, `the ClientHello is for`},
		{"a.test:443", name(""), nil, "has no server name"},
		{"a.test:443", tlshello.Hello{ServerName: "front.test", Encrypted: true}, nil, `outer name is \"front.test\"`},
		{"a.test:443", tlshello.Hello{ServerName: "a.test", Encrypted: true}, nil, ""},
		{"192.0.2.1:443", name(""), nil, ""},
		{"192.0.2.1:443", name("a.test"), nil, "the CONNECT is to an address"},
		{"[2001:db8::1]:443", name(""), nil, ""},
		{"a.test:443", name(""), tlshello.ErrNotTLS, "it is no TLS ClientHello"},
		{"a.test:443", name(""), tlshello.ErrMalformed, "cannot be read"},
		{"a.test:443", name(""), tlshello.ErrShort, "has said nothing"},
	} {
		p, log := newPolicy(t, "tunnel_check on")
		f := p.Hello(compattest.NewRequest(t, "CONNECT "+row.target+" HTTP/1.1"), &row.hello, row.err)
		if allowed := f == nil; allowed != (row.want == "") || !strings.Contains(log.String(), row.want) || allowed != (log.Len() == 0) {
			t.Errorf("%s and %+v, %v: %v, %s", row.target, row.hello, row.err, f, log)
		}
	}
}

func TestOneLineASecond(t *testing.T) {
	p, log := newPolicy(t, "tunnel_check on")
	r := compattest.NewRequest(t, "CONNECT a.test:443 HTTP/1.1")
	for range 5 {
		p.Hello(r, &tlshello.Hello{}, tlshello.ErrNotTLS)
	}
	if n := strings.Count(log.String(), "\n"); n != 1 {
		t.Errorf("there are %d lines:\n%s", n, log)
	}
}

// TestWhoIsNotKnownIsLookedAt has an acl that would have to wait for a name spare nobody.
func TestWhoIsNotKnownIsLookedAt(t *testing.T) {
	p, _ := newPolicy(t, "tunnel_check on\ntunnel_check_access allow all")
	p.Match = func(*acl.List, *engine.Request) acl.Answer { return acl.Pending }
	if !p.Looks(compattest.NewRequest(t, "CONNECT a.test:443 HTTP/1.1")) {
		t.Error("it is not looked at")
	}
}
