package compat

import (
	"exaproxy/compat/redirector"
	"exaproxy/engine"
)

// An adapted is what the helpers have decided on, while adapted_http_access is asked about it.
type adapted struct {
	decision engine.Decision
	waits    bool
}

// Interpret does what the redirectors said, if adapted_http_access allows it. The state of an ordinary request is not kept
// any longer: it may become a tunnel that lasts for days.
func (p *policy) Interpret(r *engine.Request, line []byte, err error) engine.Decision {
	st := p.states.of(r)
	var d engine.Decision
	if st.adapted.waits {
		d = st.adapted.decision
	} else {
		d = p.interpret(r, st, line, err)
	}
	if p.access.Settings.JudgesAdapted() && (d.Action == engine.Proceed || d.Action == engine.Rewrite || d.Action == engine.Redirect) {
		d = p.admitAdapted(r, st, d)
	}
	if d.Action == engine.Proceed && !st.needed() {
		p.states.release(r)
	}
	return d
}

// admitAdapted asks adapted_http_access about what the helpers have made of a request.
func (p *policy) admitAdapted(r *engine.Request, st *requestState, d engine.Decision) engine.Decision {
	if d.Action == engine.Rewrite {
		r.Rewritten, r.WasRewritten = d.Target, true
	}
	st.adapted = adapted{decision: d, waits: true}
	said := p.access.AdmitAdapted(r, &st.access, &st.decision)
	switch {
	case said.Action == engine.Pending:
		return said
	case said.Action == engine.Proceed:
		said = d
	case r.IsConnect() && said.Action.Verdict():
		said.Connect = p.verdict.OfAccess(r)
	}
	st.adapted = adapted{}
	return said
}

// interpret does what the redirectors said.
func (p *policy) interpret(r *engine.Request, st *requestState, line []byte, err error) engine.Decision {
	asking, steered := st.intercept.Asking(), st.redirector.Steers()
	var before *redirector.State // of the name that a client says, or of a CONNECT that was judged before its ClientHello was there
	if asking || steered {
		said := st.redirector
		before = &said
	}
	d := p.redirector.Interpret(r, line, err, &st.redirector, &st.decision)
	switch {
	case d.Action == engine.Proceed && asking:
		st.redirector, d = *before, st.intercept.Named()
	case d.Action == engine.Proceed && steered && !st.redirector.Steers():
		st.redirector = *before
	case !st.redirector.Steers() && st.intercept.AskOfAddress(r, d):
		r.Asked = 0
		return engine.Decision{Action: engine.Ask}
	}
	switch {
	case !r.IsConnect() || !d.Action.Verdict():
	case d.Failure != nil && d.Failure.Side == engine.HelperSide:
		d.Connect = engine.ConnectRedirect // they have said nothing
	default:
		d.Connect = p.verdict.OfHelpers(r)
	}
	return d
}
