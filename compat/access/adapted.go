package access

import (
	"exaproxy/compat/acl"
	"exaproxy/compat/decision"
	"exaproxy/compat/errpage"
	"exaproxy/engine"
)

// JudgesAdapted says whether anything is said of requests as helpers have made them.
func (s *Settings) JudgesAdapted() bool { return !s.Adapted.Empty() }

// AdmitAdapted follows adapted_http_access: it is http_access once more, about what the helpers have made of the request.
func (p *Policy) AdmitAdapted(r *engine.Request, st *State, m *decision.Memory) engine.Decision {
	return p.judge(p.Settings.Adapted, r, st, m)
}

// AdmitMiss follows miss_access, about a request that is going to be sent on: nil, or why it is not. As in Squid deny_info
// has nothing for a CONNECT.
func (p *Policy) AdmitMiss(r *engine.Request, st *State) *engine.Failure {
	if p.MatchKnown(p.Settings.Misses, r, st) == acl.Allow {
		return nil
	}
	f := &engine.Failure{Kind: engine.NotForwarded, Side: engine.OurSide, Page: errpage.ForwardingDenied}
	if d, ok := p.Settings.DenyInfo[st.place.Last()]; ok && !r.IsConnect() {
		st.denial = d
		f.Page = d.page()
	}
	return f
}
