package compat

import (
	"fmt"
	"slices"

	"exaproxy/compat/errpage"
	"exaproxy/compat/rewrite"
	"exaproxy/engine"
)

// asks is how often a question is put to the helpers at most, when they answer BH or are late
// and on_timeout=retry.
const asks = 3

// Interpret does what the helpers said, or what the settings have for helpers that said nothing. An
// ordinary request is not remembered any longer: it may become a tunnel that lasts for days.
func (p *policy) Interpret(r *engine.Request, line []byte, err error) engine.Decision {
	d := p.interpret(r, line, err)
	v := visited(r)
	if v == nil {
		return d
	}
	if d.Action != engine.Ask {
		v.verdict.EachNote(func(key, value string) { r.AddNote([]byte(key), []byte(value)) })
	}
	if d.Action == engine.Proceed && v.verdict.Action != rewrite.Intercept {
		p.forget(r)
	}
	return d
}

func (p *policy) interpret(r *engine.Request, line []byte, err error) engine.Decision {
	switch {
	case err == engine.ErrHelperLate:
		return p.late(r)
	case err != nil:
		p.log.Error(fmt.Sprintf("URL rewrite helper: %s", err), "url", p.shown(r))
		return p.fault(r, p.s.Rewriter.Crash, engine.HelperLost, err)
	case line == nil:
		return engine.Decision{Action: engine.Proceed}
	}
	return p.obey(r, line)
}

// obey does what an answer asks for.
func (p *policy) obey(r *engine.Request, line []byte) engine.Decision {
	v := p.remember(r)
	v.verdict = rewrite.Parse(line, r, p.s.Limits.Whitespace)
	switch v.verdict.Action {
	case rewrite.Unchanged, rewrite.Intercept:
		return engine.Decision{Action: engine.Proceed}
	case rewrite.Rewrite:
		return engine.Decision{Action: engine.Rewrite, Target: v.verdict.Target}
	case rewrite.Redirect:
		return p.redirect(r, v)
	case rewrite.File:
		return p.local(r, v)
	case rewrite.Again:
		return p.again(r, v)
	case rewrite.Invalid:
		p.log.Error(v.verdict.Complaint, "url", p.shown(r))
		return p.fault(r, p.s.Rewriter.Invalid, engine.HelperLost, nil)
	}
	panic("BUG: an answer of the helpers that asks for nothing")
}

// again puts the question once more after BH, until it was put often enough.
func (p *policy) again(r *engine.Request, v *visit) engine.Decision {
	if r.Asked < asks {
		p.log.Error(fmt.Sprintf("helper: %s, attempt #%d of %d", v.verdict.String(), r.Asked, asks-1))
		return engine.Decision{Action: engine.Ask}
	}
	p.log.Error(fmt.Sprintf("URL rewrite helper: %s", v.verdict.String()), "url", p.shown(r))
	return p.fault(r, p.s.Rewriter.Broken, engine.HelperLost, nil)
}

// late does what url_rewrite_timeout says.
func (p *policy) late(r *engine.Request) engine.Decision {
	w := &p.s.Rewriter
	if w.OnTimeout == TimeoutRetry && r.Asked < asks {
		return engine.Decision{Action: engine.Ask}
	}
	p.log.Error("URL rewrite helper: Timedout", "url", p.shown(r))
	switch w.OnTimeout {
	case TimeoutBypass:
		return engine.Decision{Action: engine.Proceed}
	case TimeoutResponse:
		return p.obey(r, r.Keep([]byte(w.Response)))
	case TimeoutFail, TimeoutRetry:
		return p.fault(r, Deny, engine.HelperLate, engine.ErrHelperLate)
	}
	panic("BUG: nothing to do about a late helper")
}

// fault is what becomes of a request that the helpers could not answer.
func (p *policy) fault(r *engine.Request, f Fault, kind engine.FailureKind, err error) engine.Decision {
	if f == Pass {
		return engine.Decision{Action: engine.Proceed}
	}
	v := p.remember(r)
	v.failure = engine.Failure{Kind: kind, Side: engine.HelperSide, Err: err}
	return engine.Decision{Action: engine.Refuse, Failure: &v.failure}
}

// redirect is the answer that sends the client elsewhere. One that believes to be in a tunnel may
// show the page that goes with it.
func (p *policy) redirect(r *engine.Request, v *visit) engine.Decision {
	location := v.verdict.Location
	if r.IsConnect() && p.s.Verdict == engine.ConnectPage {
		v.body = errpage.AppendRedirectPage(v.body[:0], location)
		v.fields = p.words.self.AppendTunnelRedirect(v.fields[:0], location, len(v.body), p.now())
	} else {
		v.body = v.body[:0]
		v.fields = p.words.self.AppendRedirect(v.fields[:0], location, p.now())
	}
	v.reply = engine.LocalReply{Status: v.verdict.Status, Fields: v.fields, Body: v.body}
	return engine.Decision{Action: engine.Redirect, Reply: &v.reply, URL: string(location)}
}

// shown is the request's URL for cache.log.
func (p *policy) shown(r *engine.Request) string {
	const enough = 256
	url := r.Target.AppendURL(p.line[:0])
	p.line = url
	if len(url) > enough {
		url = append(slices.Clip(url[:enough]), "…"...)
	}
	return string(url)
}
