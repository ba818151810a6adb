package errpage

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/compattest"
	"exaproxy/compat/decision"
	"exaproxy/engine"
)

// newPolicy makes the policy of a configuration, with a custom page besides Squid's.
func newPolicy(t *testing.T, text string, custom ...string) (p *Policy, messages string) {
	t.Helper()
	s := Defaults()
	reading := compattest.MustRead(t, acl.NewSet(), s.Directives(), text)
	s.Finish(reading.Context, custom)
	return &Policy{Settings: &s, Identity: &Identity{Product: "squid/5.7", Host: "proxy.test", Port: 3128},
		Now: func() time.Time { return time.Unix(1795341430, 0) }}, strings.Join(reading.Messages, "\n")
}

// TestPage has a failure answered with its page; a CONNECT that had been let through is answered
// with fewer fields, and its connection ends.
func TestPage(t *testing.T) {
	p, _ := newPolicy(t, "cache_mgr admin@proxy.test\nerr_html_text <i>call 42</i>")
	for _, row := range []struct {
		line string
		bare bool
	}{{"GET http://a.test/ HTTP/1.1", false}, {"CONNECT a.test:443 HTTP/1.1", true}} {
		var m decision.Memory
		f := &engine.Failure{Kind: engine.CannotConnect, Side: engine.UpstreamSide}
		reply := p.Page(compattest.NewRequest(t, row.line), f, &m)
		if reply.Status != 503 || reply.Page != "ERR_CONNECT_FAIL" || reply.Close != row.bare || (reply.ContentType == "") != row.bare ||
			bytes.Contains(reply.Fields, []byte("X-Cache: ")) == row.bare || !bytes.Contains(reply.Body, []byte("admin@proxy.test")) {
			t.Errorf("%s is answered with %d %s, close %v, type %q and\n%s%s", row.line, reply.Status, reply.Page, reply.Close, reply.ContentType, reply.Fields, reply.Body)
		}
	}
}

// TestFinish reads the administrator's pages, and complains of what is not there.
func TestFinish(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"ERR_ACCESS_DENIED": "denied: %u", "ERR_OURS": "ours: %H"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p, messages := newPolicy(t, "error_directory "+dir+"\nerr_page_stylesheet /nonexistent.css", "ERR_OURS")
	for _, want := range []string{
		"WARNING: cannot read err_page_stylesheet: open /nonexistent.css: no such file or directory",
		"ERROR: loading file '" + dir + "/ERR_DNS_FAIL': (2) No such file or directory",
	} {
		if !strings.Contains(messages, want) {
			t.Errorf("the messages lack %q:\n%s", want, messages)
		}
	}
	var m decision.Memory
	r := compattest.NewRequest(t, "GET http://a.test/ HTTP/1.1")
	for name, want := range map[string]string{"ERR_ACCESS_DENIED": "denied: http://a.test/", "ERR_OURS": "ours: a.test"} {
		p.Write(&m, r, &engine.Failure{Kind: engine.Refused}, name, 403)
		if got := string(m.Reply.Body); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}
