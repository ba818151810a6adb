package compat

import (
	"bytes"

	"exaproxy/engine"
	"exaproxy/engine/h1"
)

// Edit makes the changes of Squid's that are not a matter of HTTP: Via, X-Forwarded-For,
// Cache-Control and Host upstream; X-Cache, X-Cache-Lookup and Via downstream.
func (p *policy) Edit(r *engine.Request, h *h1.Header, d engine.Direction) {
	if d == engine.Downstream {
		h.Add("X-Cache", p.words.cache)
		h.Add("X-Cache-Lookup", p.words.looked)
		if p.s.Via {
			p.appendList(r, h, "Via", p.words.via[1])
		}
		return
	}
	if r.WasRewritten && p.s.Rewriter.KeepHost {
		h.Set("Host", hostAsSent(r))
	}
	if p.s.Via {
		p.appendList(r, h, "Via", p.words.viaOf(r))
	}
	p.forward(r, h)
	if !h.Has("Cache-Control") {
		h.Add("Cache-Control", maxAge)
	}
}

// maxAge is what Squid asks of servers on behalf of clients that asked for nothing.
var maxAge = []byte("max-age=259200")

var unknown = []byte("unknown")

// forward makes X-Forwarded-For what forwarded_for says.
func (p *policy) forward(r *engine.Request, h *h1.Header) {
	const name = "X-Forwarded-For"
	switch p.s.Forwarded {
	case ForwardedTransparent:
	case ForwardedDelete:
		h.Del(name)
	case ForwardedTruncate:
		h.Del(name)
		h.Add(name, p.clientOf(r))
	case ForwardedOff:
		p.appendList(r, h, name, unknown)
	case ForwardedOn:
		p.appendList(r, h, name, p.clientOf(r))
	}
}

// clientOf is the client's address as a text that lives as long as the request.
func (p *policy) clientOf(r *engine.Request) []byte {
	p.line = r.Client.Addr().Unmap().AppendTo(p.line[:0])
	return r.Keep(p.line)
}

// appendList makes entry the last of the lists in the fields of that name, joined to one field
// which goes behind all others. entry lives as long as the request.
func (p *policy) appendList(r *engine.Request, h *h1.Header, name string, entry []byte) {
	if !h.Has(name) {
		h.Add(name, entry)
		return
	}
	p.line = p.line[:0]
	for field, value := range h.Each {
		if equalFold(field, name) && len(value) > 0 {
			p.line = append(append(p.line, value...), ", "...)
		}
	}
	h.Del(name)
	h.Add(name, r.Keep(append(p.line, entry...)))
}

func equalFold(b []byte, name string) bool {
	return len(b) == len(name) && bytes.EqualFold(b, []byte(name))
}

// hostAsSent is the client's Host field, or what it ought to have been.
func hostAsSent(r *engine.Request) []byte {
	if host := r.Header.Get("Host"); len(host) > 0 {
		return host
	}
	return r.Keep(r.Target.AppendHost(nil))
}

// looping says whether the request went through us already: our own entry stands in its Via.
func (p *policy) looping(r *engine.Request) bool {
	for value := range viaOf(&r.Header) {
		if bytes.Contains(value, p.words.signature) {
			return true
		}
	}
	return false
}

func viaOf(h *h1.Header) func(func([]byte) bool) {
	return func(yield func([]byte) bool) { h.All("Via", yield) }
}
