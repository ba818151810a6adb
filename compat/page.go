package compat

import (
	"errors"
	"strconv"
	"syscall"

	"exaproxy/compat/errpage"
	"exaproxy/engine"
)

// Page makes the answer to a transaction that went wrong or was refused: an error page of
// Squid's name and status, or what deny_info has instead.
func (p *policy) Page(r *engine.Request, f *engine.Failure) engine.Reply {
	v := p.remember(r)
	if d := v.denial; d != nil && f.Kind == engine.Refused {
		return p.denied(r, v, d)
	}
	name, status := errpage.Name(f)
	return p.errorPage(r, f, name, status)
}

// denied is the answer of deny_info.
func (p *policy) denied(r *engine.Request, v *visit, d *Denial) engine.Reply {
	switch {
	case d.Reset:
		return engine.Reply{Reset: true}
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
func (p *policy) deniedTo(r *engine.Request, v *visit, d *Denial) engine.Reply {
	location := d.appendURL(v.body[:0], p, r)
	v.body, v.page, v.media = location, d.URL, htmlPage
	b := p.appendServerPage(v.fields[:0], 0, htmlPage)
	b = append(b, "X-Squid-Error: 403 Access Denied\r\nLocation: "...)
	b = append(append(b, location...), crlf...)
	v.fields = p.appendOwn(b, p.words.neverLooked)
	return engine.Reply{Status: d.status(r), Fields: v.fields}
}

// errorPage makes an answer of an error page.
func (p *policy) errorPage(r *engine.Request, f *engine.Failure, name string, status int) engine.Reply {
	v := p.remember(r)
	v.page = name
	if !tunnelFailed(r, f) {
		v.media = htmlPage
	}
	v.body = p.pages.Append(v.body[:0], name, p.values(r, f))
	b := p.appendServerPage(v.fields[:0], len(v.body), htmlPage)
	b = append(append(append(b, "X-Squid-Error: "...), name...), ' ')
	b = append(strconv.AppendInt(b, int64(errorNumber(f)), 10), crlf...)
	b = append(b, "Vary: Accept-Language\r\nContent-Language: en\r\n"...)
	if !tunnelFailed(r, f) {
		b = p.appendOwn(b, p.lookedUp(f))
	}
	v.fields = b
	return engine.Reply{Status: status, Fields: v.fields, Body: v.body, Close: tunnelFailed(r, f)}
}

// htmlPage is the type of error pages.
const htmlPage = "text/html;charset=utf-8"

// appendServerPage writes the fields that each page begins with.
func (p *policy) appendServerPage(b []byte, length int, media string) []byte {
	b = append(append(b, "Server: "...), p.words.product...)
	b = append(append(append(b, "\r\nMime-Version: 1.0\r\nDate: "...), p.dateNow()...), "\r\nContent-Type: "...)
	b = append(append(b, media...), "\r\nContent-Length: "...)
	return append(strconv.AppendInt(b, int64(length), 10), crlf...)
}

// lookedUp is X-Cache-Lookup of a page: what was refused was never looked up in a cache.
func (p *policy) lookedUp(f *engine.Failure) []byte {
	if f.Side == engine.UpstreamSide || f.Side == engine.NameSide {
		return p.words.looked
	}
	return p.words.neverLooked
}

// tunnelFailed says whether this is the failure of a CONNECT that had been let through. Squid's
// answers to these have fewer fields.
func tunnelFailed(r *engine.Request, f *engine.Failure) bool {
	return r.IsConnect() && (f.Side == engine.UpstreamSide || f.Side == engine.NameSide)
}

// errorNumber is the errno behind a failure, 0 if none is.
func errorNumber(f *engine.Failure) int {
	var number syscall.Errno
	switch {
	case errors.As(f.Err, &number):
		return int(number)
	case f.Kind == engine.ConnectLate:
		return int(syscall.ETIMEDOUT)
	}
	return 0
}

// values are what the codes of error pages stand for.
func (p *policy) values(r *engine.Request, f *engine.Failure) *errpage.Values {
	return &errpage.Values{
		Request: r, Failure: f, Now: p.now(),
		Host: p.s.VisibleName, Contact: p.s.Contact, Product: p.words.product,
	}
}
