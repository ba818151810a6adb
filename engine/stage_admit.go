package engine

import (
	"errors"

	"exaproxy/engine/h1"
)

// admit asks the policy whether this client may ask this.
func (t *transaction) admit() stage {
	d := t.setup.policy.Admit(&t.request)
	switch d.Kind {
	case Pending:
		return admitting
	case Serve, Redirect:
		return t.decide(d)
	}
	// Only pages of our own are served by a path alone: this port is for proxy requests.
	if f := misaddressed(&t.request); f != nil {
		return t.failed(f)
	}
	if d.Kind == Refuse {
		return t.decide(d)
	}
	return asking
}

// misaddressed says what is wrong with a target that names no next hop; nil if it names one.
func misaddressed(r *Request) *Failure {
	switch r.Target.Form {
	case h1.Origin:
		err := &h1.SyntaxError{Kind: h1.BadURL, What: "a request to a proxy needs a URL with scheme and host"}
		return &Failure{Kind: BadRequest, Side: ClientSide, Err: err}
	case h1.Asterisk:
		return &Failure{Kind: Unsupported, Side: ClientSide, Err: errors.New("* names no server")}
	}
	return nil
}

// decide notes a decision of the policy and goes where it leads.
func (t *transaction) decide(d Decision) stage {
	t.decided = d
	switch d.Kind {
	case Proceed:
		return resolving
	case Rewrite:
		t.request.Rewritten, t.request.WasRewritten = d.Target, true
		return resolving
	case Redirect, Serve:
		t.own = *d.Reply
		return t.verdictOn()
	case Refuse:
		f := d.Failure
		if f == nil {
			f = &Failure{Kind: Refused, Side: OurSide, Err: errors.New("refused")}
		}
		if next := t.failed(f); next != answering {
			return next
		}
		return t.verdictOn()
	}
	panic("BUG: a decision that decides nothing")
}

// verdictOn begins the answer to a verdict; a CONNECT hears it as connect_verdict says.
func (t *transaction) verdictOn() stage {
	if !t.request.IsConnect() {
		return answering
	}
	switch t.setup.config.ConnectVerdict {
	case ConnectPage:
		t.verdict = establishing
	case ConnectClose:
		t.keep = false
		return over
	}
	return answering
}
