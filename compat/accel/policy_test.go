package accel

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/compattest"
	"exaproxy/compat/ports"
	"exaproxy/engine"
	"exaproxy/engine/h1"
)

// port is that of an http_port line with options.
func port(t *testing.T, options string) *engine.Port {
	t.Helper()
	var s ports.Settings
	compattest.MustRead(t, acl.NewSet(), s.Directives(), "http_port 127.0.0.1:3128 "+options)
	return &s[0]
}

// request is one of a head by a port of ours.
func request(t *testing.T, p *engine.Port, head string) *engine.Request {
	r := compattest.NewRequest(t, head)
	r.Port, r.Local = p, netip.MustParseAddrPort("192.0.2.9:8080")
	return r
}

const (
	forbidden = "405"
	bad       = "400"
	unlocated = "501" // as of forward ports
)

// complete tells the URL of a request by a port with some options, or why there is none.
func complete(t *testing.T, options, head string) string {
	t.Helper()
	p := &Policy{Log: slog.New(slog.DiscardHandler), Now: time.Now}
	r := request(t, port(t, options), head)
	switch f := p.Complete(r); {
	case f == nil && r.Target.Form == h1.Asterisk:
		return unlocated
	case f == nil:
		return string(r.Target.AppendURL(nil))
	case f.Kind == engine.NotAllowed:
		return forbidden
	}
	return bad
}

// TestURLs has the URLs be those that Squid 5.7 made of the same requests by ports with the same options, but for what
// stands behind "not": that is Squid's.
func TestURLs(t *testing.T) {
	heads := map[string]string{
		"host":      "GET /p?q HTTP/1.1\nHost: A.test",
		"host 1.0":  "GET /p?q HTTP/1.0\nHost: a.test",
		"port":      "GET /p HTTP/1.1\nHost: a.test:99",
		"default":   "GET /p HTTP/1.1\nHost: a.test:80",
		"none":      "GET /p HTTP/1.1",
		"none 1.0":  "GET /p HTTP/1.0",
		"0.9":       "GET /p",
		"URL":       "GET http://b.test:77/x HTTP/1.1\nHost: a.test",
		"URL bare":  "GET http://b.test?x HTTP/1.1\nHost: a.test",
		"URL https": "GET https://u:p@b.test/x HTTP/1.0",
		"ftp":       "GET ftp://b.test/x HTTP/1.1\nHost: a.test",
		"CONNECT":   "CONNECT b.test:443 HTTP/1.1\nHost: b.test",
		"OPTIONS *": "OPTIONS * HTTP/1.1\nHost: a.test",
		"urn":       "GET urn:foo:bar HTTP/1.1\nHost: a.test",
		"empty":     "GET /p HTTP/1.1\nHost:",
		"two":       "GET /p HTTP/1.1\nHost: a.test\nHost: c.test",
		"IPv6":      "GET /p HTTP/1.1\nHost: [::1]",
		"IPv6 port": "GET /p HTTP/1.1\nHost: [::1]:88",
		"blank":     "GET /p HTTP/1.1\nHost: a b",
		"path":      "GET /p HTTP/1.1\nHost: a.test/x",
		"user":      "GET /p HTTP/1.1\nHost: u@a.test",
		"dot":       "GET /p HTTP/1.1\nHost: a.test.",
		"colon":     "GET /p HTTP/1.1\nHost: a.test:",
		"port 0":    "GET /p HTTP/1.1\nHost: a.test:0",
		"port big":  "GET /p HTTP/1.1\nHost: a.test:99999",
		"//":        "GET //b.test/x HTTP/1.1\nHost: a.test",
		"space":     "GET /a b HTTP/1.1\nHost: a.test",
		"mgr":       "GET /squid-internal-mgr/info HTTP/1.1\nHost: a.test",
		"bracket":   "GET /p HTTP/1.1\nHost: a[b",
		"ports":     "GET /p HTTP/1.1\nHost: a.test:80:81",
	}
	for options, want := range map[string]map[string]string{
		"accel": {"host": "http://a.test/p?q", "host 1.0": "http://a.test/p?q", "port": "http://a.test:99/p", "default": "http://a.test/p",
			"none": bad, "none 1.0": bad, "0.9": bad, "URL": "http://b.test:77/x", "URL bare": "http://b.test/?x", "URL https": "https://b.test/x",
			"ftp": "ftp://b.test/x", "CONNECT": forbidden, "OPTIONS *": unlocated, "urn": "urn:foo:bar", "empty": bad, "two": bad + " not http://a.test/p",
			"IPv6": "http://[::1]/p", "IPv6 port": "http://[::1]:88/p", "blank": bad, "path": bad, "user": bad, "dot": "http://a.test/p", "colon": bad,
			"port 0": bad, "port big": bad, "//": "http://a.test//b.test/x", "space": "http://a.test/ab", "mgr": "/squid-internal-mgr/info not http://proxy.test:8080/squid-internal-mgr/info",
			"bracket": bad + " not http://a[b/p", "ports": bad + " not http://a.test:80:81/p"},
		"accel no-vhost": {"host": bad, "host 1.0": bad, "none": bad, "0.9": bad, "URL": "http://b.test:77/x", "URL bare": "http://b.test/?x",
			"URL https": "https://b.test/x", "CONNECT": forbidden, "OPTIONS *": unlocated, "urn": "urn:foo:bar", "two": bad},
		"accel defaultsite=d.test": {"host": "http://a.test/p?q", "port": "http://a.test:99/p", "none": "http://d.test/p", "none 1.0": "http://d.test/p",
			"0.9": "http://d.test/p", "URL": "http://b.test:77/x", "CONNECT": forbidden, "OPTIONS *": unlocated, "empty": bad, "blank": "http://d.test/p",
			"path": "http://d.test/p", "user": "http://d.test/p", "colon": bad, "port 0": bad},
		"accel no-vhost defaultsite=d.test": {"host": "http://d.test/p?q", "port": "http://d.test/p", "none": "http://d.test/p", "0.9": "http://d.test/p",
			"URL": "http://d.test/x", "URL bare": "http://d.test/?x", "URL https": "http://d.test/x", "ftp": "http://d.test/x", "CONNECT": forbidden,
			"OPTIONS *": unlocated + " not http://d.test*/", "urn": bad + " not http://d.testurn:foo:bar/", "empty": "http://d.test/p", "two": "http://d.test/p",
			"IPv6": "http://d.test/p", "port big": "http://d.test/p", "//": "http://d.test//b.test/x"},
		"accel no-vhost defaultsite=d.test:8080": {"host": "http://d.test:8080/p?q", "URL": "http://d.test:8080/x", "none 1.0": "http://d.test:8080/p"},
		"accel vport": {"host": "http://a.test:8080/p?q", "port": "http://a.test:8080/p", "none": "http://192.0.2.9:8080/p", "0.9": "http://192.0.2.9:8080/p",
			"URL": "http://b.test:77/x", "CONNECT": forbidden, "empty": bad + " not http://:8080/p", "IPv6": "http://[::1]:8080/p", "IPv6 port": "http://[::1]:8080/p",
			"blank": "http://192.0.2.9:8080/p", "colon": "http://a.test:8080/p", "port big": "http://a.test:8080/p"},
		"accel vport=81":                            {"host": "http://a.test:81/p?q", "port": "http://a.test:81/p", "none": "http://192.0.2.9:81/p", "URL": "http://b.test:77/x"},
		"accel vport=80":                            {"host": "http://a.test/p?q", "port": "http://a.test/p", "none": "http://192.0.2.9/p"},
		"accel no-vhost vport":                      {"host": "http://192.0.2.9:8080/p?q", "none": "http://192.0.2.9:8080/p", "URL": "http://192.0.2.9:8080/x", "OPTIONS *": unlocated + " not http://192.0.2.9:8080/"},
		"accel no-vhost vport=81":                   {"host": "http://192.0.2.9:81/p?q", "URL https": "http://192.0.2.9:81/x"},
		"accel vport defaultsite=d.test":            {"host": "http://a.test:8080/p?q", "none": "http://d.test:8080/p"},
		"accel vport=81 defaultsite=d.test:82":      {"host": "http://a.test:81/p?q", "none": "http://d.test:81/p not http://d.test:82:81/p"},
		"accel no-vhost vport=81 defaultsite=[::2]": {"host": "http://[::2]:81/p?q", "URL": "http://[::2]:81/x"},
		"accel vport=0 defaultsite=d.test":          {"host": "http://a.test/p?q", "none": "http://d.test/p"},
		"accel protocol=http":                       {"host": "http://a.test/p?q"},
		"vhost":                                     {"host": "http://a.test/p?q", "none": bad, "CONNECT": forbidden},
		"vhost no-vhost vhost":                      {"host": "http://a.test/p?q"},
	} {
		for name, url := range want {
			url, _, _ = strings.Cut(url, " not ")
			if got := complete(t, options, heads[name]); got != url {
				t.Errorf("by a port with %q the request %q is for %s, want %s", options, name, got, url)
			}
		}
	}
}

// TestConnectIsTold once a minute, in Squid's words.
func TestConnectIsTold(t *testing.T) {
	var log strings.Builder
	now := time.Unix(1795341430, 0)
	p := &Policy{Log: slog.New(slog.NewTextHandler(&log, nil)), Now: func() time.Time { return now }}
	for range 3 {
		p.Complete(request(t, port(t, "accel"), "CONNECT b.test:443 HTTP/1.1"))
	}
	now = now.Add(time.Minute)
	p.Complete(request(t, port(t, "accel"), "CONNECT b.test:443 HTTP/1.1"))
	if got := log.String(); strings.Count(got, "CONNECT method received on HTTP Accelerator port 3128") != 2 || !strings.Contains(got, "2 more") {
		t.Errorf("the log has %s", got)
	}
}

func TestBound(t *testing.T) {
	for options, want := range map[string]bool{"": false, "accel": true, "accel allow-direct": false, "vhost defaultsite=d.test": true} {
		if r := request(t, port(t, options), "GET http://a.test/ HTTP/1.1"); r.Bound() != want {
			t.Errorf("by a port with %q it is bound: %v", options, !want)
		}
	}
}
