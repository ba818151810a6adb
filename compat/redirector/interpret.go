package redirector

import (
	"strconv"

	"exaproxy/compat/children"
	"exaproxy/compat/decision"
	"exaproxy/compat/errpage"
	"exaproxy/compat/reqmod"
	"exaproxy/compat/rewrite"
	"exaproxy/engine"
	"exaproxy/helper"
)

// mostAsked is how often a question is put to the helpers at most, when they answer BH or are late
// and on_timeout=retry.
const mostAsked = 3

// Interpret does what the helpers said, or what the settings have for helpers that said nothing.
func (p *Policy) Interpret(r *engine.Request, line []byte, err error, st *State, m *decision.Memory) engine.Decision {
	d := p.decide(r, line, err, st, m)
	if d.Action != engine.Ask && st.answer.HasNotes() {
		children.Note(r, children.Notes(st.answer.EachNote))
	}
	if p.spare == nil {
		return d
	}
	said := verdict(d, st)
	if said == "" {
		return d
	}
	p.spare(r, "helper:"+said)
	*st = State{}
	return engine.Decision{Action: engine.Proceed}
}

// verdict is what helpers have done to a request, for report_only; "": it goes on as it is, or they are asked again.
func verdict(d engine.Decision, st *State) string {
	switch d.Action {
	case engine.Rewrite:
		return "rewrite:" + string(d.Target.AppendURL(nil))
	case engine.Redirect:
		return strconv.Itoa(d.Reply.Status) + ":" + d.URL
	case engine.Serve, engine.Challenge:
		if st.answer.Action == rewrite.File {
			return "file:" + string(st.answer.Name)
		}
		return strconv.Itoa(d.Reply.Status)
	case engine.Refuse:
		page, status := errpage.Name(d.Failure)
		return strconv.Itoa(status) + ":" + page
	case engine.Proceed:
		if st.Steers() {
			return "intercept:" + string(st.answer.Host)
		}
		if st.Matters() {
			return "headers"
		}
	case engine.Pending, engine.Ask:
	}
	return ""
}

func (p *Policy) decide(r *engine.Request, line []byte, err error, st *State, m *decision.Memory) engine.Decision {
	switch {
	case err == engine.ErrHelperLate:
		return p.late(r, st, m)
	case err == helper.ErrTooLong:
		p.report(r, tooLong, p.settings.fate("long", p.settings.Long),
			"%s: a line of more than %d bytes was not sent (helper_line_max)", p.settings.Kind, p.settings.LineMax)
		return fault(p.settings.Long, m, engine.HelperLost, err)
	case err == helper.ErrGarbled:
		p.report(r, invalid, p.settings.fate("invalid", p.settings.Invalid), "%s: %s", p.settings.Kind, err)
		return fault(p.settings.Invalid, m, engine.HelperLost, err)
	case err != nil:
		p.report(r, kindOf(err), p.settings.fate("crash", p.settings.Crash), "%s: %s", p.settings.Kind, err)
		return fault(p.settings.Crash, m, engine.HelperLost, err)
	case line == nil:
		return engine.Decision{Action: engine.Proceed}
	}
	return p.apply(r, line, st, m)
}

// apply does what an answer asks for.
func (p *Policy) apply(r *engine.Request, line []byte, st *State, m *decision.Memory) engine.Decision {
	if p.settings.Kind == Blocks {
		answer := reqmod.Parse(line, r, p.whitespace)
		st.answer, st.fields = answer.Answer, answer.Fields
		if answer.Reply != nil {
			return p.serveReply(r, answer.Reply, m)
		}
	} else {
		st.answer = rewrite.Parse(line, r, p.whitespace)
		p.reportGarbage(r, &st.answer)
		if d, ok := p.readChanges(r, st, m); !ok {
			return d
		}
	}
	switch st.answer.Action {
	case rewrite.Unchanged, rewrite.Intercept:
		return engine.Decision{Action: engine.Proceed}
	case rewrite.Rewrite:
		return engine.Decision{Action: engine.Rewrite, Target: st.answer.Target}
	case rewrite.Redirect:
		return p.redirect(r, st, m)
	case rewrite.File:
		return p.servePage(r, st, m)
	case rewrite.Again:
		return p.again(r, st, m)
	case rewrite.Invalid:
		p.report(r, invalid, p.settings.fate("invalid", p.settings.Invalid), "%s", st.answer.Complaint)
		return fault(p.settings.Invalid, m, engine.HelperLost, nil)
	case rewrite.BadTarget:
		p.report(r, badTarget, p.settings.fate("target", p.settings.Target), "%s", st.answer.Complaint)
		return fault(p.settings.Target, m, engine.HelperLost, nil)
	}
	panic("BUG: an answer of the helpers that asks for nothing")
}

// again puts the question once more after BH, until it was put often enough.
func (p *Policy) again(r *engine.Request, st *State, m *decision.Memory) engine.Decision {
	if r.Asked < mostAsked {
		p.report(r, firstAttempt+trouble(r.Asked-1), "It is asked again", "helper: %s, attempt #%d of %d", &st.answer, r.Asked, mostAsked-1)
		return engine.Decision{Action: engine.Ask}
	}
	p.report(r, broken, p.settings.fate("bh", p.settings.Broken), "%s: %s", p.settings.Kind, &st.answer)
	return fault(p.settings.Broken, m, engine.HelperLost, nil)
}

// late does what url_rewrite_timeout says.
func (p *Policy) late(r *engine.Request, st *State, m *decision.Memory) engine.Decision {
	s := p.settings
	if s.OnTimeout == TimeoutRetry && r.Asked < mostAsked {
		return engine.Decision{Action: engine.Ask}
	}
	p.report(r, late, s.fateOfLate(), "%s: Timedout", s.Kind)
	switch s.OnTimeout {
	case TimeoutBypass:
		return engine.Decision{Action: engine.Proceed}
	case TimeoutResponse:
		return p.apply(r, r.Keep([]byte(s.Response)), st, m)
	case TimeoutFail, TimeoutRetry:
		return fault(Deny, m, engine.HelperLate, engine.ErrHelperLate)
	}
	panic("BUG: nothing to do about a late helper")
}

// fault is what becomes of a request that the helpers could not answer.
func fault(f Fault, m *decision.Memory, kind engine.FailureKind, err error) engine.Decision {
	if f == Pass {
		return engine.Decision{Action: engine.Proceed}
	}
	return m.Refuse(engine.Failure{Kind: kind, Side: engine.HelperSide, Err: err})
}

// redirect is the answer that sends the client elsewhere. One that believes to be in a tunnel may
// show the page that goes with it.
func (p *Policy) redirect(r *engine.Request, st *State, m *decision.Memory) engine.Decision {
	location := st.answer.Location
	fields, body := m.Reply.Fields[:0], m.Reply.Body[:0]
	if r.IsConnect() && p.inTunnel(r) {
		body = errpage.AppendRedirectPage(body, location)
		fields = p.identity.AppendTunnelRedirect(fields, location, len(body), errpage.LookupFor(r), p.now())
	} else {
		fields = p.identity.AppendRedirect(fields, location, errpage.LookupFor(r), p.now())
	}
	m.Reply = engine.LocalReply{Status: st.answer.Status, Fields: fields, Body: body}
	return m.Redirect(string(location))
}

// servePage answers with the page that a helper named (file://NAME). If it is not there, the request is
// refused all the same: the answer was understood.
func (p *Policy) servePage(r *engine.Request, st *State, m *decision.Memory) engine.Decision {
	page, ok := p.settings.page(string(st.answer.Name))
	if !ok {
		p.report(r, noPage, refused+", whatever "+p.settings.Kind.prefix()+"failure says",
			"%s: there is no page 'file://%s' in error_directory", p.settings.Kind, st.answer.Name)
		return fault(Deny, m, engine.HelperLost, nil)
	}
	body := append(m.Reply.Body[:0], fill(string(page), r, &st.answer)...)
	media := mediaOf(page)
	fields := p.identity.AppendPage(m.Reply.Fields[:0], media, len(body), p.now())
	m.Reply = engine.LocalReply{Status: st.answer.Status, Fields: fields, Body: body, ContentType: media,
		Close: mayPassForTunnel(r, st.answer.Status)}
	return m.Serve()
}
