package headers

import (
	"exaproxy/compat/errpage"
	"exaproxy/engine"
	"exaproxy/engine/canary"
	"exaproxy/engine/h1"
)

// Edit makes the changes of Squid's to a reply that are not a matter of HTTP: X-Cache and X-Cache-Lookup, or Cache-Status, and Via. Then it
// follows the rules of the configuration.
func (p *Policy) Edit(r *engine.Request, h *h1.Header) {
	if h.Has("WWW-Authenticate") {
		connectionAuth(r, h)
	}
	h.Del("Surrogate-Control")  // it was for us, or for who stands before the server
	h.Del("Alternate-Protocol") // the client is to stay with us
	if r.Accelerated() {
		h.Del("Proxy-Authenticate") // there is no proxy, for the client
	}
	if p.status[0] == nil {
		h.Add("X-Cache", p.cache)
		h.Add("X-Cache-Lookup", p.cacheLookup)
	} else {
		h.Add("Cache-Status", p.status[errpage.LookupFor(r)])
	}
	if p.settings.Via {
		p.appendList(r, h, "Via", p.viaOf(r))
	}
	p.apply(&p.settings.reply, r, h)
}

// EditRequest makes those to a request: Via and X-Forwarded-For.
func (p *Policy) EditRequest(r *engine.Request, h *h1.Header) {
	if p.settings.Via {
		p.appendList(r, h, "Via", p.viaFor(r))
	}
	if r.Accelerated() {
		p.appendList(r, h, "Surrogate-Capability", p.surrogate)
	}
	p.forwardedFor(r, h)
}

// EndRequest adds Cache-Control to a request, behind what others have added, and then follows the rules of the
// configuration for all of it.
func (p *Policy) EndRequest(r *engine.Request, h *h1.Header) {
	if !h.Has("Cache-Control") {
		h.Add("Cache-Control", maxAge)
	}
	p.apply(&p.settings.request, r, h)
}

// connectionAuth tells the client of a proxy that it may prove who it is to a server by a scheme that proves a connection,
// or takes such challenges out where the port has no-connection-auth (RFC 4559, section 6).
func connectionAuth(r *engine.Request, h *h1.Header) {
	found, forbidden := false, r.Port != nil && r.Port.NoConnectionAuth
	h.Revise(func(name, value []byte) ([]byte, bool) {
		proves := h1.EqualFold(name, "WWW-Authenticate") && engine.ProvesConnection(value)
		found = found || proves
		return value, !(proves && forbidden)
	})
	if found && !forbidden && (r.Port == nil || r.Port.Mode == engine.Forward) {
		h.Add("Proxy-support", sessionBased)
		h.Add("Connection", proxySupport) // nobody behind the client is meant
	}
}

var sessionBased, proxySupport = []byte("Session-Based-Authentication"), []byte("Proxy-support")

// EditOwn follows the rules for the fields of a reply of our own.
func (p *Policy) EditOwn(r *engine.Request, h *h1.Header) { p.apply(&p.settings.reply, r, h) }

// maxAge is what Squid asks of servers on behalf of clients that asked for nothing.
var maxAge = []byte("max-age=259200")

var unknown = []byte("unknown")

// forwardedFor makes X-Forwarded-For what forwarded_for says.
func (p *Policy) forwardedFor(r *engine.Request, h *h1.Header) {
	const name = "X-Forwarded-For"
	switch p.settings.Forwarded {
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
	default:
		panic("BUG: forwarded_for has a value without a meaning")
	}
}

// clientOf is the address of who has sent the request, as a text that lives as long as the request.
func (p *Policy) clientOf(r *engine.Request) []byte {
	p.scratch = r.Sender().Addr().Unmap().AppendTo(p.blank())
	return r.Keep(p.scratch)
}

// appendList makes entry the last of the lists in the fields of that name, joined to one field
// which goes behind all others. entry lives as long as the request.
func (p *Policy) appendList(r *engine.Request, h *h1.Header, name string, entry []byte) {
	if !h.Has(name) {
		h.Add(name, entry)
		return
	}
	p.scratch = p.blank()
	h.All(name, func(value []byte) bool {
		if len(value) > 0 {
			p.scratch = append(append(p.scratch, value...), ", "...)
		}
		return true
	})
	p.scratch = append(p.scratch, entry...)
	h.Del(name)
	h.Add(name, r.Keep(p.scratch))
}

// blank is memory to compose in. What was composed there before was copied.
func (p *Policy) blank() []byte { return canary.Again(p.scratch, canary.ForwardedLine, 0) }
