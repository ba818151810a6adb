// Package tunnel looks at what clients say first in tunnels that are allowed (tunnel_check and
// tunnel_check_access, which are ours): the commonest way round a filter is a CONNECT to port 443 with
// something else inside.
//
// A tunnel must begin with a ClientHello of TLS whose server name is the host of the CONNECT. Where the CONNECT
// names an address there must be no server name. A ClientHello without one, one that cannot be read, one
// for another host (the outer name of an encrypted ClientHello is another), anything else, and ten
// seconds of silence end the tunnel. The server is not heard before.
//
// Package compat takes Settings from a configuration, on the goroutine that reads it; a Policy
// belongs to one worker's goroutine.
package tunnel

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/engine"
	"exaproxy/engine/loop"
	"exaproxy/engine/tlshello"
)

// Settings are what a configuration says of tunnels. The zero Settings look at none.
type Settings struct {
	Check  bool      // tunnel_check
	Access *acl.List // tunnel_check_access; nil: port 443, unless Finish finds an acl SSL_ports
}

// Directives are the setters.
func (s *Settings) Directives() directive.Set {
	return directive.Set{
		"tunnel_check":        directive.OnOff(&s.Check),
		"tunnel_check_access": s.setAccess,
	}
}

// setAccess takes a line of tunnel_check_access.
func (s *Settings) setAccess(c *directive.Context, l *conf.Line) error {
	if s.Access == nil {
		s.Access = c.ACLs.NewList(l.Name, acl.Deny)
		s.Access.Unknown = acl.Allow // nobody is spared by a helper that has said nothing
	}
	return directive.KnownRules(s.Access)(c, l)
}

// sslPorts is the acl that Squid's stock configuration has for the ports of TLS.
const sslPorts = "SSL_ports"

// Finish has the tunnels to SSL_ports be looked at, if there is such an acl and no line says otherwise.
func (s *Settings) Finish(c *directive.Context) error {
	if !s.Check || s.Access != nil || !c.ACLs.Has(sslPorts) {
		return nil
	}
	return s.setAccess(c, &conf.Line{Name: "tunnel_check_access", Tokens: []conf.Token{{Text: "allow"}, {Text: sslPorts}}})
}

// A Policy answers one worker's engine.
type Policy struct {
	Settings *Settings
	Log      *slog.Logger
	Now      func() time.Time
	// Match asks an access list about a request.
	Match acl.Match

	ended loop.Limiter // of what is logged of tunnels that were ended
}

// Looks says whether the client of a CONNECT is listened to.
func (p *Policy) Looks(r *engine.Request) bool {
	switch {
	case !p.Settings.Check || !r.IsConnect():
		return false
	case p.Settings.Access == nil:
		return r.Target.Port == 443
	}
	return p.Match(p.Settings.Access, r) != acl.Deny // a name that would have to be looked up spares nobody
}

// Hello says why a tunnel may not be used for what the client says first; nil if it may.
func (p *Policy) Hello(r *engine.Request, h *tlshello.Hello, err error) *engine.Failure {
	if err == tlshello.ErrShort {
		err = errSilent
	}
	if err == nil {
		err = wrongName(plain(string(r.Target.Host)), plain(h.ServerName), h.Encrypted)
	}
	if err == nil {
		return nil
	}
	p.report(r, err)
	return &engine.Failure{Kind: engine.Refused, Side: engine.ClientSide, Err: err}
}

var (
	errSilent  = errors.New("the client has said nothing, or not all of a ClientHello")
	errNoName  = errors.New("the ClientHello has no server name")
	errAddress = errors.New("the CONNECT is to an address, and the ClientHello asks for a name")
)

// wrongName says why a server name is not what the CONNECT was for.
func wrongName(host, name string, encrypted bool) error {
	_, notAddress := netip.ParseAddr(host)
	switch {
	case notAddress == nil && name == "", name == host && name != "":
		return nil
	case notAddress == nil:
		return fmt.Errorf("%w: %q", errAddress, name)
	case name == "":
		return errNoName
	case encrypted:
		return fmt.Errorf("the ClientHello is encrypted (ECH), and its outer name is %q", name)
	}
	return fmt.Errorf("the ClientHello is for %q", name)
}

// plain is a host in the form in which two of them are compared.
func plain(host string) string {
	return strings.TrimSuffix(strings.Trim(strings.ToLower(host), "[]"), ".")
}

// reportEvery is how often it is logged that tunnels are ended.
const reportEvery = time.Second

func (p *Policy) report(r *engine.Request, why error) {
	suppressed, ok := p.ended.Allow(p.Now(), reportEvery)
	if !ok {
		return
	}
	attrs := []any{"client", r.Client.String(), "host", string(r.Target.AppendHost(nil)), "reason", why}
	if suppressed > 0 {
		attrs = append(attrs, "more since the last message", suppressed)
	}
	p.Log.Warn("tunnel_check: a tunnel is ended (tunnel_check_access says which are looked at)", attrs...)
}
