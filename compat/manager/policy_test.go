package manager

import (
	"io"
	"strings"
	"testing"

	"exaproxy/compat/acl"
	"exaproxy/compat/compattest"
	"exaproxy/compat/conf"
	"exaproxy/compat/decision"
	"exaproxy/compat/directive"
	"exaproxy/compat/errpage"
	"exaproxy/engine"
)

// newPolicy is one for a configuration, without an engine.
func newPolicy(t testing.TB, text string) *Policy {
	t.Helper()
	var s Settings
	compattest.MustRead(t, acl.NewSet(), s.Directives(), text)
	services := compattest.Services(t)
	return NewPolicy(Config{Settings: &s, Services: services, Workers: new(Workers), Clients: true,
		Peers: func() []Peer { return nil },
		Pages: &errpage.Policy{Settings: &errpage.Settings{Pages: errpage.Default()},
			Identity: &errpage.Identity{Host: "proxy.test", Port: 3128}, Now: services.Loop.Now}})
}

// TestAsks finds requests for the cache manager, whichever way it is asked, and no others; all that it finds match the
// acl manager, so that there is no way round "deny manager".
func TestAsks(t *testing.T) {
	p := newPolicy(t, "hostname_aliases other.name")
	set := acl.NewSet()
	rules := set.NewList("http_access", acl.Deny)
	compattest.MustRead(t, set, directive.Set{"http_access": directive.Rules(rules)}, "http_access deny manager\nhttp_access allow all")
	set.Finish()
	for line, want := range map[string]bool{
		"GET cache_object://proxy.test/info HTTP/1.0":                     true,
		"GET CACHE_OBJECT://anybody/info HTTP/1.0":                        true,
		"GET /squid-internal-mgr/info HTTP/1.1":                           true,
		"GET /squid-internal-mgr HTTP/1.1":                                true,
		"GET http://Proxy.test:3128/squid-internal-mgr/info HTTP/1.1":     true,
		"GET http://other.name:3128/squid-internal-mgr/info HTTP/1.1":     true,
		"GET http://u:p@proxy.test:3128/squid-internal-mgr/info HTTP/1.1": true,
		"GET http://proxy.test/squid-internal-mgr/info HTTP/1.1":          false, // another port
		"GET http://other.test:3128/squid-internal-mgr/info HTTP/1.1":     false,
		"GET http://proxy.test:3128/Squid-internal-mgr/info HTTP/1.1":     false,
		"GET http://proxy.test:3128/%73quid-internal-mgr/info HTTP/1.1":   false,
		"GET http://proxy.test:3128/ HTTP/1.1":                            false,
		"CONNECT proxy.test:3128 HTTP/1.1":                                false,
	} {
		r := compattest.NewRequest(t, line)
		if got := p.Asks(r); got != want {
			t.Errorf("%s: for the manager: %v", line, got)
		}
		if want && rules.Match(r, &r.Target, &acl.Place{}) != acl.Deny && line != "GET /squid-internal-mgr HTTP/1.1" {
			t.Errorf("%s gets past deny manager", line)
		}
	}
}

// TestAnswer has pages be there, asked for a password, or not be there.
func TestAnswer(t *testing.T) {
	p := newPolicy(t, `cachemgr_passwd secret menu server_list
cachemgr_passwd disable idns
cachemgr_passwd none config
cachemgr_passwd other all`)
	for _, row := range []struct {
		ask, field string
		status     int
		has        string
	}{
		{"cache_object://h/menu", "", 401, "WWW-Authenticate: Basic realm=\"menu\"\r\n"},
		{"cache_object://h/menu@", "", 401, "ERR_CACHE_MGR_ACCESS_DENIED 0"},
		{"cache_object://h/menu@secret", "", 200, "Content-Type: text/plain;charset=utf-8\r\n"},
		{"cache_object://h/menu?x@secret", "", 200, ""},
		{"cache_object://h/menu@other", "", 401, ""},
		{"cache_object://h/menu", "Authorization: Basic eDpzZWNyZXQ=", 200, ""},
		{"cache_object://h/menu", "Proxy-Authorization: Basic eDpzZWNyZXQ=", 401, ""},
		{"cache_object://h/", "", 401, "realm=\"menu\""},
		{"/squid-internal-mgr/menu@secret", "", 404, ""},
		{"/squid-internal-mgr/menu", "Authorization: Basic eDpzZWNyZXQ=", 200, ""},
		{"/squid-internal-mgr/server_list?x=1", "Authorization: bAsIc  eDpzZWNyZXQ=", 200, ""},
		{"/squid-internal-mgr/config", "", 200, ""},
		{"/squid-internal-mgr/idns", "", 404, "ERR_INVALID_URL 0"},
		{"/squid-internal-mgr/objects", "", 404, "X-Squid-Error: ERR_INVALID_URL 0\r\n"},
		{"/squid-internal-mgr/shutdown", "Authorization: Basic eDpvdGhlcg==", 404, ""},
		{"/squid-internal-mgr/username_cache", "Authorization: Basic eDpvdGhlcg==", 404, ""}, // nobody is known
		{"/squid-internal-mgrmenu", "Authorization: Basic eDpvdGhlcg==", 404, ""},
	} {
		r := compattest.NewRequest(t, strings.TrimSuffix("GET "+row.ask+" HTTP/1.0\n"+row.field, "\n"))
		var st State
		var m decision.Memory
		if !p.Asks(r) {
			t.Errorf("%s is not for the manager", row.ask)
		}
		d := p.Answer(r, &st, &m)
		if d.Action != engine.Serve || d.Reply.Status != row.status || !strings.Contains(string(d.Reply.Fields), row.has) {
			t.Errorf("%s %s: it decides %v, %d with\n%s", row.ask, row.field, d.Action, m.Reply.Status, m.Reply.Fields)
		}
	}
}

// TestConfig shows the lines that set something, without the passwords of the manager.
func TestConfig(t *testing.T) {
	p := newPolicy(t, "")
	lines, err := conf.Parse("squid.conf", conf.Options{Open: func(string) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader("http_port 3128\ncachemgr_passwd secret info menu\nif false\nvia off\nendif\n# a comment\n")), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range lines {
		p.Settings.Show(&lines[i])
	}
	r := &report{p: p}
	writeConfig(r)
	if want := "http_port 3128\ncachemgr_passwd XXXXXXXXXX info menu\n"; string(r.out) != want {
		t.Errorf("it shows\n%s\nwant\n%s", r.out, want)
	}
}

// TestHidden are pages that nobody sees without a password, and their place in the menu.
func TestHidden(t *testing.T) {
	for conf, want := range map[string]string{
		"":                               " config                \tCurrent Squid Configuration     \thidden\n",
		"cachemgr_passwd x config":       " config                \tCurrent Squid Configuration     \tprotected\n",
		"cachemgr_passwd none all":       " config                \tCurrent Squid Configuration     \tpublic\n",
		"cachemgr_passwd disable config": " config                \tCurrent Squid Configuration     \tdisabled\n",
	} {
		r := &report{p: newPolicy(t, conf)}
		writeMenu(r)
		if !strings.Contains(string(r.out), want) {
			t.Errorf("%s: the menu lacks %q:\n%s", conf, want, r.out)
		}
	}
}
