package headers

import (
	"bytes"
	"cmp"
	"fmt"
	"log/slog"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/decision"
	"exaproxy/compat/errpage"
	"exaproxy/engine"
)

// A Policy edits the heads of one worker's messages. It belongs to the worker's goroutine.
type Policy struct {
	// Match asks an access list that nobody waits for about a request. It may be nil if there are no rules.
	Match acl.Match
	Now   func() time.Time

	settings *Settings
	log      *slog.Logger

	signature   []byte                       // " proxy.test (squid/5.7)"
	via         [2][]byte                    // our entry in Via, by minor version
	viaICY      []byte                       // the same for a reply of Shoutcast
	cache       []byte                       // X-Cache
	cacheLookup []byte                       // X-Cache-Lookup
	status      [errpage.NotAsked + 1][]byte // Cache-Status, by what Squid would have looked up; nil: the two above are said
	surrogate   []byte                       // our entry in Surrogate-Capability

	scratch []byte // what is composed and copied on
}

// NewPolicy makes the policy of one worker. port is the proxy's first http_port.
func NewPolicy(s *Settings, port uint16, log *slog.Logger) *Policy {
	p := &Policy{settings: s, log: log, signature: []byte(s.signature())}
	for minor := range p.via {
		p.via[minor] = fmt.Appendf(nil, "1.%d%s", minor, p.signature)
	}
	p.viaICY = []byte("ICY/0.0" + s.signature())
	p.cache = fmt.Appendf(nil, "MISS from %s", s.VisibleName)
	p.cacheLookup = fmt.Appendf(nil, "MISS from %s:%d", s.VisibleName, port)
	if s.hasCacheStatus() {
		for l := range p.status {
			p.status[l] = errpage.Lookup(l).AppendStatus(nil, s.UniqueName)
		}
	}
	p.surrogate = fmt.Appendf(nil, `%s="Surrogate/1.0"`, cmp.Or(s.Surrogate, s.VisibleName))
	return p
}

// Admit refuses a request that went through us already: our own entry stands in its Via.
func (p *Policy) Admit(r *engine.Request, m *decision.Memory) engine.Decision {
	if !p.looping(r) {
		return engine.Decision{Action: engine.Proceed}
	}
	p.scratch = append(p.blank(), "Forwarding loop detected for: "...)
	p.scratch = append(append(p.scratch, r.Method...), ' ')
	p.scratch = r.Target.AppendURL(p.scratch)
	p.log.Warn(string(p.scratch), "client", r.Client.Addr().String())
	return m.Refuse(engine.Failure{Kind: engine.Looping, Side: engine.OurSide, Page: errpage.AccessDenied})
}

func (p *Policy) looping(r *engine.Request) (found bool) {
	r.Header.All("Via", func(value []byte) bool {
		found = bytes.Contains(value, p.signature)
		return !found
	})
	return found
}

// viaOf is our entry in Via for the reply to r.
func (p *Policy) viaOf(r *engine.Request) []byte {
	if r.Reply != nil && r.Reply.ICY {
		return p.viaICY
	}
	return p.via[1]
}

// viaFor is our entry in Via for r: it has the version that r came with (RFC 9110, section 7.6.3).
func (p *Policy) viaFor(r *engine.Request) []byte {
	if r.Major == 1 && r.Minor <= 1 {
		return p.via[r.Minor]
	}
	return r.Keep(fmt.Appendf(nil, "%d.%d%s", r.Major, r.Minor, p.signature))
}
