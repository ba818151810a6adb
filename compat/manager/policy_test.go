package manager

import (
	"strings"
	"testing"
	"time"

	"exaproxy/compat/compattest"
	"exaproxy/compat/decision"
	"exaproxy/compat/errpage"
	"exaproxy/engine"
)

// TestAdmit has requests for the cache manager answered, whichever way it is asked, and no others.
func TestAdmit(t *testing.T) {
	p := NewPolicy(&errpage.Policy{Settings: &errpage.Settings{Pages: errpage.Default()},
		Identity: &errpage.Identity{Host: "proxy.test"}, Now: time.Now})
	for _, row := range []struct {
		line string
		want engine.Action
	}{
		{"GET cache_object://proxy.test/info HTTP/1.0", engine.Serve},
		{"GET /squid-internal-mgr/info HTTP/1.1", engine.Serve},
		{"GET http://Proxy.test/squid-internal-mgr/info HTTP/1.1", engine.Serve},
		{"GET http://other.test/squid-internal-mgr/info HTTP/1.1", engine.Proceed},
		{"GET http://proxy.test/ HTTP/1.1", engine.Proceed},
	} {
		var m decision.Memory
		d := p.Admit(compattest.NewRequest(t, row.line), &m)
		if d.Action != row.want {
			t.Errorf("%s: it decides %v, want %v", row.line, d.Action, row.want)
		}
		if d.Action == engine.Serve && (d.Reply.Status != 404 || !strings.Contains(string(d.Reply.Fields), "X-Squid-Error: ERR_INVALID_URL 0\r\n")) {
			t.Errorf("%s is answered %d with\n%s", row.line, d.Reply.Status, d.Reply.Fields)
		}
	}
}
