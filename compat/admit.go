package compat

import (
	"bytes"

	"exaproxy/compat/acl"
	"exaproxy/compat/errpage"
	"exaproxy/compat/rewrite"
	"exaproxy/engine"
	"exaproxy/engine/h1"
)

// allows asks an access list about a request.
func (p *policy) allows(list *acl.List, r *engine.Request) acl.Answer {
	return list.Match(r, &r.Target, &p.remember(r).place)
}

// Admit obeys http_access, and stops what has gone round in a loop.
func (p *policy) Admit(r *engine.Request) engine.Decision {
	if p.forManager(r) {
		return p.noManager(r)
	}
	switch p.allows(p.s.HTTPAccess, r) {
	case acl.Deny:
		return p.refuse(r)
	case acl.Pending:
		return engine.Decision{Action: engine.Pending}
	case acl.Allow:
	}
	if p.looping(r) {
		return p.loop(r)
	}
	return engine.Decision{Action: engine.Proceed}
}

// refuse is what http_access says no with: the usual page, or what deny_info has for the acl
// that decided.
func (p *policy) refuse(r *engine.Request) engine.Decision {
	v := p.remember(r)
	v.failure = engine.Failure{Kind: engine.Refused, Side: engine.OurSide, Page: accessDenied}
	if d, ok := p.s.DenyInfo[v.place.Last()]; ok {
		v.denial = d
		v.failure.Page = d.page()
	}
	return engine.Decision{Action: engine.Refuse, Failure: &v.failure}
}

// accessDenied is the page of a refusal.
const accessDenied = errpage.AccessDenied

func (p *policy) loop(r *engine.Request) engine.Decision {
	p.line = append(p.line[:0], "Forwarding loop detected for: "...)
	p.line = append(append(p.line, r.Method...), ' ')
	p.line = r.Target.AppendURL(p.line)
	p.log.Warn(string(p.line), "client", r.Client.Addr().String())
	v := p.remember(r)
	v.failure = engine.Failure{Kind: engine.Looping, Side: engine.OurSide, Page: accessDenied}
	return engine.Decision{Action: engine.Refuse, Failure: &v.failure}
}

// forManager says whether the request is for the cache manager, in either of the ways in which
// Squid is asked for it.
func (p *policy) forManager(r *engine.Request) bool {
	t := &r.Target
	if t.Scheme == "cache_object" {
		return true
	}
	if !bytes.HasPrefix(t.Path, managerPath) {
		return false
	}
	return t.Form == h1.Origin || t.Form == h1.Absolute && equalFold(t.Host, p.s.VisibleName)
}

var managerPath = []byte("/squid-internal-mgr")

// noManager answers a request for the cache manager, which is not served yet, as Squid does one
// for a page that it does not have. It is never forwarded, nor put to the helpers.
func (p *policy) noManager(r *engine.Request) engine.Decision {
	v := p.remember(r)
	v.failure = engine.Failure{Kind: engine.Unsupported, Side: engine.OurSide, Page: "ERR_INVALID_URL"}
	v.reply = p.errorPage(r, &v.failure, "ERR_INVALID_URL", 404)
	return engine.Decision{Action: engine.Serve, Reply: &v.reply}
}

// Question puts the URL to the helpers, unless url_rewrite_access or an overload says otherwise.
func (p *policy) Question(r *engine.Request) (line []byte, a engine.Action) {
	if p.overload == nil {
		return nil, engine.Proceed
	}
	if r.Asked == 0 { // who is to be asked once more was allowed to be asked
		switch p.allows(p.s.Rewriter.Access, r) {
		case acl.Pending:
			return nil, engine.Pending
		case acl.Deny:
			return nil, engine.Proceed
		case acl.Allow:
		}
		if p.overload.skip() {
			return nil, engine.Proceed
		}
	}
	p.asking.Request = r
	p.line = rewrite.Append(p.line[:0], p.s.Rewriter.Extras, &p.asking)
	return p.line, engine.Ask
}
