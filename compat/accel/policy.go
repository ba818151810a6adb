package accel

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strconv"
	"time"

	"exaproxy/engine"
	"exaproxy/engine/h1"
	"exaproxy/engine/loop"
)

// A Policy makes the URLs of one worker's requests. It belongs to the worker's goroutine.
type Policy struct {
	Whitespace h1.Whitespace // uri_whitespace
	Log        *slog.Logger
	Now        func() time.Time // the loop's time

	connects loop.Limiter // of CONNECTs that are logged
}

// internal is how the paths begin that Squid itself answers, whatever the Host field says. Package manager does.
var internal = []byte("/squid-internal-mgr")

// Complete makes the target of a request that came by an accelerator's port a URL, as Squid does. A failure is why
// there is none. A URL that a client gives stays if the port goes by the Host field, or has nothing else to go by;
// else its path counts alone.
func (p *Policy) Complete(r *engine.Request) *engine.Failure {
	t, site := &r.Target, r.Port.Site
	switch t.Form {
	case h1.Authority:
		p.warn(r)
		return &engine.Failure{Kind: engine.NotAllowed, Side: engine.ClientSide, Err: errConnect}
	case h1.Asterisk:
		return nil // it names no server, whoever is asked
	case h1.Absolute:
		if site.ByHost || site.Default == "" && portOf(r) == 0 || t.Scheme == "cache_object" {
			return nil
		}
		if t.Scheme == "urn" {
			return malformed("a URN has no path")
		}
	case h1.Origin:
		if bytes.HasPrefix(t.Path, internal) {
			return nil
		}
	}
	return p.locate(r)
}

var errConnect = errors.New("CONNECT on the port of an accelerator")

// locate makes the URL.
func (p *Policy) locate(r *engine.Request) *engine.Failure {
	var room [280]byte
	host, fault := appendAuthority(room[:0], r)
	if fault != nil {
		return fault
	}
	if err := r.Locate(r.Port.Site.Scheme, host, p.Whitespace); err != nil {
		return &engine.Failure{Kind: engine.BadRequest, Side: engine.ClientSide, Err: err}
	}
	return nil
}

// appendAuthority appends the host of the URL, with its port: the client's, or defaultsite, or if all have one port our
// own address.
func appendAuthority(dst []byte, r *engine.Request) ([]byte, *engine.Failure) {
	port := portOf(r)
	named, fault := hostField(r)
	switch {
	case fault != nil:
		return nil, fault
	case named != nil:
		dst = append(dst, named...)
	case r.Port.Site.Default != "":
		dst = append(dst, r.Port.Site.Default...)
	case port != 0:
		dst = appendAddress(dst, r.Local.Addr().Unmap())
	default:
		return nil, malformed("no Host field, and the port has no defaultsite")
	}
	if port != 0 {
		dst = strconv.AppendUint(append(withoutPort(dst), ':'), uint64(port), 10)
	}
	return dst, nil
}

// portOf is the port that all URLs have; 0: they do not.
func portOf(r *engine.Request) uint16 {
	if r.Port.Site.LocalPort {
		return r.Local.Port()
	}
	return r.Port.Site.Port
}

// hostField is the Host field, if the port goes by that and there is one that may be a host; else nil. Of two nobody
// can tell which the server would have taken (RFC 9112, section 3.2).
func hostField(r *engine.Request) ([]byte, *engine.Failure) {
	if !r.Port.Site.ByHost {
		return nil, nil
	}
	switch r.Header.Count("Host") {
	case 0:
		return nil, nil
	case 1:
	default:
		return nil, malformed("more than one Host field")
	}
	host := r.Header.Get("Host")
	switch {
	case len(host) == 0:
		return nil, malformed("an empty Host field")
	case bytes.ContainsFunc(host, foreign):
		return nil, nil // as in Squid
	}
	return host, nil
}

// foreign are what no host or port has.
func foreign(c rune) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		return false
	}
	return !bytes.ContainsRune([]byte("-._[]:"), c)
}

// withoutPort takes the port off a host.
func withoutPort(host []byte) []byte {
	if at := bytes.LastIndexByte(host, ':'); at >= 0 && host[len(host)-1] != ']' {
		return host[:at]
	}
	return host
}

func appendAddress(dst []byte, a netip.Addr) []byte {
	if a.Is4() {
		return a.AppendTo(dst)
	}
	return append(a.WithZone("").AppendTo(append(dst, '[')), ']')
}

func malformed(what string) *engine.Failure {
	return &engine.Failure{Kind: engine.BadRequest, Side: engine.ClientSide, Err: &h1.SyntaxError{Kind: h1.BadURL, What: what}}
}

// warnEvery is how often a CONNECT is logged: clients could fill the log otherwise.
const warnEvery = time.Minute

// warn says in Squid's words that a client takes the port for a proxy's.
func (p *Policy) warn(r *engine.Request) {
	more, ok := p.connects.Allow(p.Now(), warnEvery)
	if !ok {
		return
	}
	kind := "HTTP"
	if r.Port.TLS != nil {
		kind = "HTTPS"
	}
	p.Log.Warn(fmt.Sprintf("CONNECT method received on %s Accelerator port %d%s", kind, r.Port.Addr.Port(), loop.SinceLast(more)), "client", r.Client.Addr().String())
}

// NoServer is the failure of a request that is bound (engine.Request.Bound), and for which nobody has a server.
var NoServer = engine.Failure{Kind: engine.NoRoute, Side: engine.OurSide, Err: errNoServer}

var errNoServer = errors.New("no cache_peer and no helper has a server for it, and its http_port has no allow-direct")
