package access

import (
	"strings"

	"exaproxy/compat/decision"
	"exaproxy/compat/errpage"
	"exaproxy/engine"
)

// purges says whether a request is to throw a page out of the cache, which is no server's affair. Squid takes the
// method in either case.
func purges(r *engine.Request) bool { return strings.EqualFold(r.Method, "PURGE") }

// purge answers such a request that http_access lets pass: nobody may purge if no acl names the method, as in Squid;
// else the page is not found, as there is no cache.
func (p *Policy) purge(m *decision.Memory) engine.Decision {
	if !p.Settings.Purge {
		return m.Refuse(engine.Failure{Kind: engine.Refused, Side: engine.OurSide, Page: errpage.AccessDenied})
	}
	m.Reply = engine.LocalReply{Status: 404, Fields: p.Pages.Identity.AppendNotCached(m.Reply.Fields[:0], p.Pages.Now()), Body: m.Reply.Body[:0]}
	return m.Serve()
}
