package headers

import (
	"log/slog"
	"strings"
	"testing"

	"exaproxy/compat/acl"
	"exaproxy/compat/compattest"
	"exaproxy/compat/decision"
	"exaproxy/engine"
	"exaproxy/engine/h1"
)

// newPolicy makes the policy of a configuration whose first port is 3128.
func newPolicy(t *testing.T, text string) *Policy {
	t.Helper()
	s := Defaults()
	s.Finish(compattest.MustRead(t, acl.NewSet(), s.Directives(), text).Context)
	return NewPolicy(&s, 3128, slog.New(slog.DiscardHandler))
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
			p := newPolicy(t, "visible_hostname proxy.test\n"+row.conf)
			r := compattest.NewRequest(t, row.head)
			var h h1.Header
			h.CopyFrom(&r.Header)
			p.EditRequest(r, &h)
			p.EndRequest(r, &h)
			if got := strings.ReplaceAll(string(h.AppendTo(nil)), "\r", ""); got != row.want {
				t.Errorf("the fields are\n%swant\n%s", got, row.want)
			}
		})
	}
}

func TestEditDownstream(t *testing.T) {
	for _, row := range []struct{ conf, want string }{
		{"", "Server: origin\nX-Cache: MISS from proxy.test\nX-Cache-Lookup: MISS from proxy.test:3128\nVia: 1.0 one, 1.1 proxy.test (squid/5.7)\n"},
		{"via off", "Via: 1.0 one\nServer: origin\nX-Cache: MISS from proxy.test\nX-Cache-Lookup: MISS from proxy.test:3128\n"},
	} {
		p := newPolicy(t, "visible_hostname proxy.test\n"+row.conf)
		r := compattest.NewRequest(t, "GET http://a.test/ HTTP/1.1")
		var h h1.Header
		h.Add("Via", []byte("1.0 one"))
		h.Add("Server", []byte("origin"))
		p.Edit(r, &h)
		if got := strings.ReplaceAll(string(h.AppendTo(nil)), "\r", ""); got != row.want {
			t.Errorf("with %q the fields are\n%swant\n%s", row.conf, got, row.want)
		}
	}
}

func TestLoopIsSeen(t *testing.T) {
	p := newPolicy(t, "visible_hostname proxy.test\n")
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
		r := compattest.NewRequest(t, "GET http://a.test/ HTTP/1.1\nVia: "+row.via)
		var m decision.Memory
		if d := p.Admit(r, &m); (d.Action == engine.Refuse) != row.loop {
			t.Errorf("with Via: %s it decides %v", row.via, d.Action)
		}
	}
}

func TestConnectionAuth(t *testing.T) {
	for _, row := range []struct {
		port engine.Port
		want string
	}{
		{engine.Port{}, "WWW-Authenticate: Basic realm=x\nWWW-Authenticate: negotiate\nWWW-Authenticate: NTLMX\nWWW-Authenticate: NTLM abc\nProxy-support: Session-Based-Authentication\nConnection: Proxy-support\n"},
		{engine.Port{NoConnectionAuth: true}, "WWW-Authenticate: Basic realm=x\nWWW-Authenticate: NTLMX\n"},
		{engine.Port{Mode: engine.Accel}, "WWW-Authenticate: Basic realm=x\nWWW-Authenticate: negotiate\nWWW-Authenticate: NTLMX\nWWW-Authenticate: NTLM abc\n"},
	} {
		p := newPolicy(t, "via off")
		r := compattest.NewRequest(t, "GET http://a.test/ HTTP/1.1")
		r.Port = &row.port
		var h h1.Header
		for _, challenge := range []string{"Basic realm=x", "negotiate", "NTLMX", "NTLM abc"} {
			h.Add("WWW-Authenticate", []byte(challenge))
		}
		p.Edit(r, &h)
		got := strings.ReplaceAll(string(h.AppendTo(nil)), "\r\n", "\n")
		if got, _, _ = strings.Cut(got, "X-Cache: "); got != row.want {
			t.Errorf("got\n%swant\n%s", got, row.want)
		}
	}
}
