package packets

import (
	"net/netip"

	"exaproxy/compat/acl"
	"exaproxy/engine"
	"exaproxy/engine/proxyheader"
)

// A Policy says what the packets of one worker's connections bear. It belongs to the worker's goroutine.
type Policy struct {
	settings *Settings
	match    acl.Match // waits
	known    acl.Match // does not
	scratch  []byte
}

// NewPolicy makes the policy of one worker; nil if nothing is configured. known asks lists that nobody waits for.
func NewPolicy(s *Settings, match, known acl.Match) *Policy {
	if s.Empty() {
		return nil
	}
	return &Policy{settings: s, match: match, known: known}
}

// MarkClient has packets to the client of a request bear what is configured. As in Squid those of pages that tell a
// refusal bear it too, and nobody waits for what an acl would have to look up.
func (p *Policy) MarkClient(r *engine.Request) {
	if p == nil {
		return
	}
	a := &asking{policy: p, request: r, match: p.known}
	r.Packets = engine.Packets{TOS: pick(a, p.settings.client), Mark: pick(a, p.settings.toClient)}
	r.ConnMark = pick(a, p.settings.toConnection)
}

// Mark has a hop bear what is configured. It says Pending while an acl has to be looked up.
func (p *Policy) Mark(r *engine.Request, hop *engine.Hop) engine.Action {
	if p == nil {
		return engine.Proceed
	}
	s, a := p.settings, &asking{policy: p, request: r, match: p.match}
	hop.Local, hop.Local6 = pick(a, s.local[0]), pick(a, s.local[1])
	if !hop.Local.IsValid() {
		hop.Local, hop.Local6 = hop.Local6, netip.Addr{}
	}
	hop.TOS, hop.Mark = pick(a, s.tos), pick(a, s.mark)
	version := pick(a, s.headers)
	if a.pending {
		return engine.Pending
	}
	switch version {
	case 1:
		p.scratch = proxyheader.AppendV1(p.scratch[:0], r.Client, r.Local)
		hop.ProxyHeader = string(p.scratch)
	case 2:
		p.scratch = proxyheader.AppendV2(p.scratch[:0], r.Client, r.Local)
		hop.ProxyHeader = string(p.scratch)
	}
	return engine.Proceed
}

// Give has another hop bear what one does. An address of ours that it has already stays.
func Give(bears, hop *engine.Hop) {
	if !hop.Local.IsValid() {
		hop.Local, hop.Local6 = bears.Local, bears.Local6
	}
	hop.TOS, hop.Mark, hop.ProxyHeader = bears.TOS, bears.Mark, bears.ProxyHeader
}

// An asking is one look at all choices.
type asking struct {
	policy  *Policy
	request *engine.Request
	match   acl.Match // for lists that are waited for
	pending bool
}

// pick is the value of the first line that matches; none if there is none, or once one has to be waited for.
func pick[V any](a *asking, ch choice[V]) (none V) {
	for _, l := range ch {
		match := a.match
		if l.known {
			match = a.policy.known
		}
		if a.pending {
			return none
		}
		switch match(l.when, a.request) {
		case acl.Allow:
			return l.value
		case acl.Pending:
			a.pending = true
		}
	}
	return none
}
