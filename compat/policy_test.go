package compat

import (
	"io"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"exaproxy/compat/compattest"
	"exaproxy/compat/logs"
	"exaproxy/engine"
	"exaproxy/engine/canary/canarytest"
	"exaproxy/engine/h1"
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

// quietLogs are a cache log and log files, of which nothing is shown.
func quietLogs(t testing.TB) (*logs.CacheLog, *logs.Files) {
	log := logs.NewCacheLog(logs.CacheLogOptions{Stderr: io.Discard, StderrLevel: -1})
	files := logs.NewFiles(log, nil)
	t.Cleanup(files.Close)
	return log, files
}

// newTestPolicy makes the policy of a configuration, on a loop of its own.
func newTestPolicy(t *testing.T, text string) *policy {
	t.Helper()
	s := loadText(t, text)
	setup, err := s.Engine(quietLogs(t))
	if err != nil {
		t.Fatal(err)
	}
	services := compattest.Services(t)
	if c := setup.Config.Helper; c != nil {
		compattest.AddHelpers(&services, *c)
	}
	made, err := setup.Config.NewPolicy(services)
	if err != nil {
		t.Fatal(err)
	}
	return made.(*policy)
}

// TestOrdinaryRequestCostsNoMemory asks the policy all that the engine asks about a request that a
// helper lets pass, over and over.
func TestOrdinaryRequestCostsNoMemory(t *testing.T) {
	canarytest.SkipReuse(t)
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
	fresh := compattest.NewRequest(t, "GET http://www.a.test/x?y HTTP/1.1\nHost: www.a.test\nVia: 1.1 other.test (squid/4.1)\nX-Forwarded-For: 10.0.0.1")
	upstream := netip.MustParseAddrPort("192.0.2.80:80")
	var r engine.Request
	var up, down h1.Header
	rec := &engine.Record{}
	scratch := compattest.NewRequest(t, "GET http://a.test/ HTTP/1.1") // whose memory is used again and again, as the engine does
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
		r := compattest.NewRequest(t, "GET http://a.test:81/ HTTP/1.1")
		p.Interpret(r, []byte(row.answer), nil)
		if hop := p.Route(r, nil).Hop; string(hop.Host) != row.host || hop.Port != row.port {
			t.Errorf("after %q it goes to %s port %d, want %s port %d", row.answer, hop.Host, hop.Port, row.host, row.port)
		}
		p.states.release(r)
	}
}
