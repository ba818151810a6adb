package manager

import (
	"bytes"

	"exaproxy/compat/decision"
	"exaproxy/compat/errpage"
	"exaproxy/engine"
	"exaproxy/engine/h1"
)

// A Policy answers requests for the cache manager. It belongs to the worker's goroutine.
type Policy struct {
	pages *errpage.Policy
	host  []byte // visible_hostname, by which we are asked
}

// NewPolicy makes the policy of one worker.
func NewPolicy(pages *errpage.Policy) *Policy {
	return &Policy{pages: pages, host: []byte(pages.Identity.Host)}
}

// path is how the path of a manager's page begins.
var path = []byte("/squid-internal-mgr")

// Admit answers a request that is for the manager, in either of the ways in which Squid is asked
// for it, and lets others proceed.
func (p *Policy) Admit(r *engine.Request, m *decision.Memory) engine.Decision {
	if !p.asked(r) {
		return engine.Decision{Action: engine.Proceed}
	}
	m.Failure = engine.Failure{Kind: engine.Unsupported, Side: engine.OurSide, Page: "ERR_INVALID_URL"}
	p.pages.Write(m, r, &m.Failure, "ERR_INVALID_URL", 404)
	return m.Serve()
}

func (p *Policy) asked(r *engine.Request) bool {
	t := &r.Target
	if t.Scheme == "cache_object" {
		return true
	}
	if !bytes.HasPrefix(t.Path, path) {
		return false
	}
	return t.Form == h1.Origin || t.Form == h1.Absolute && bytes.EqualFold(t.Host, p.host)
}
