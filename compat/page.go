package compat

import (
	"exaproxy/compat/errpage"
	"exaproxy/engine"
)

// Page makes the answer to a transaction that went wrong or was refused: an error page of
// Squid's name and status, or what deny_info has instead.
func (p *policy) Page(r *engine.Request, f *engine.Failure) engine.LocalReply {
	v := p.remember(r)
	if d := v.denial; d != nil && f.Kind == engine.Refused {
		return p.denied(r, v, d)
	}
	name, status := errpage.Name(f)
	return p.errorPage(r, f, name, status)
}

// denied is the answer of deny_info.
func (p *policy) denied(r *engine.Request, v *visit, d *Denial) engine.LocalReply {
	switch {
	case d.Reset:
		return engine.LocalReply{Reset: true}
	case d.URL != "":
		return p.deniedTo(r, v, d)
	}
	_, status := errpage.Name(&v.failure)
	if d.Status != 0 {
		status = d.Status
	}
	return p.errorPage(r, &v.failure, d.Page, status)
}

// deniedTo sends the client to the URL of deny_info.
func (p *policy) deniedTo(r *engine.Request, v *visit, d *Denial) engine.LocalReply {
	location := d.appendURL(v.body[:0], p, r)
	v.body = location
	reason := 403
	if d.Status != 0 {
		reason = d.Status
	}
	v.fields = p.words.self.AppendDenial(v.fields[:0], reason, location, p.now())
	return engine.LocalReply{Status: d.status(r), Fields: v.fields, Page: d.URL, ContentType: htmlPage}
}

// errorPage makes an answer of an error page.
func (p *policy) errorPage(r *engine.Request, f *engine.Failure, name string, status int) engine.LocalReply {
	v := p.remember(r)
	bare := tunnelFailed(r, f)
	media := htmlPage
	if bare {
		media = ""
	}
	v.body = p.s.Pages.Append(v.body[:0], name, p.values(r, f))
	v.fields = p.words.self.AppendError(v.fields[:0], &errpage.Head{
		Page: name, Errno: errpage.Errno(f), Length: len(v.body), Language: p.s.Pages.Language,
		LookedUp: errpage.LookedUp(f), Bare: bare, Now: p.now(),
	})
	return engine.LocalReply{Status: status, Fields: v.fields, Body: v.body, Close: bare, Page: name, ContentType: media}
}

// htmlPage is the type of error pages.
const htmlPage = errpage.ContentType

// tunnelFailed says whether this is the failure of a CONNECT that had been let through. Squid's
// answers to these have fewer fields.
func tunnelFailed(r *engine.Request, f *engine.Failure) bool {
	return r.IsConnect() && (f.Side == engine.UpstreamSide || f.Side == engine.NameSide)
}

// values are what the codes of error pages stand for.
func (p *policy) values(r *engine.Request, f *engine.Failure) *errpage.Values {
	return &errpage.Values{
		Request: r, Failure: f, Now: p.now(),
		Host: p.s.VisibleName, Contact: p.s.Contact, Product: p.words.self.Product,
		Stylesheet: p.s.Errors.Stylesheet, Text: p.s.Errors.Text, MailData: p.s.Errors.MailData,
	}
}
