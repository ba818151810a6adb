package engine

import (
	"crypto/x509"
	"errors"
	"net/netip"
	"strings"

	"exaproxy/engine/h1"
	"exaproxy/engine/tlshello"
)

// SeenTLS is what was seen of the TLS that the proxy looks into: of a client's inside a CONNECT (ssl_bump), and
// of the origin's. All requests of a bumped connection share one. It is filled on the loop, and what it
// points to does not change.
type SeenTLS struct {
	// Step is the step of ssl_bump that is being decided, 1 to 3 (at_step); 0 when none is.
	Step int
	// Action is the last that was chosen, and Mode what the policy and the log call it.
	Action Bump
	Mode   string
	// ServerName is what the client's ClientHello asks for (SNI), "" if it names nobody or was not read.
	ServerName string
	// NotTLS is why what the client says is no TLS; nil if it is, or is not known yet.
	NotTLS error
	// Server is the chain that the origin has shown, its own certificate first; empty before it has.
	Server []*x509.Certificate
	// Errors are what is wrong with Server: Faults of compat/verify, which have OpenSSL's names.
	Errors []error
	// Bumped says that the requests in the tunnel are read: the proxy speaks TLS in the server's place.
	Bumped bool

	user     string         // who has asked for the tunnel, if that was proved
	client   netip.AddrPort // and where: Request.Client, Told and ToldName of the CONNECT
	told     netip.AddrPort
	toldName string
	host     string // of the CONNECT
	port     uint16
	decided  string // the host that was known when it was decided to read the requests: they have to be for it
}

// see begins to look into the TLS of a tunnel.
func see(r *Request) *SeenTLS {
	return &SeenTLS{Step: 1, user: r.User, client: r.Client, told: r.Told, toldName: r.ToldName, host: string(r.Target.Host), port: r.Target.Port}
}

// PeerName is the name by which the client knows the server: that in the ClientHello, or else the
// CONNECT's host.
func (s *SeenTLS) PeerName() string {
	if s.ServerName != "" {
		return s.ServerName
	}
	return s.host
}

// InsideName is the name that a CONNECT's ClientHello asks for, in the form of a target's host, if it is not the
// host of the CONNECT.
func (r *Request) InsideName() []byte {
	if r.TLS == nil || r.TLS.ServerName == "" || r.TLS.Bumped {
		return nil
	}
	if name := strings.ToLower(r.TLS.ServerName); name != string(r.Target.Host) {
		return []byte(name)
	}
	return nil
}

// hear notes what a ClientHello says, or why there is none.
func (s *SeenTLS) hear(h *tlshello.Hello, err error) {
	s.Step, s.ServerName, s.NotTLS = 2, h.ServerName, err
}

var (
	errElsewhere     = errors.New("the tunnel was decided on for another host")
	errConnectInside = errors.New("CONNECT inside a tunnel that is decrypted")
	errOneHost       = &h1.SyntaxError{Kind: h1.BadURL, What: "not one Host field with a host"}
)

// complete makes the target of a request in the tunnel a URL: whom it is for says Host, as to a server
// (RFC 9112, section 3.3); without one it is for the host for which the tunnel was decided on. Any other is
// errElsewhere.
func (s *SeenTLS) complete(r *Request, ws h1.Whitespace) error {
	switch r.Target.Form {
	case h1.Authority:
		return errConnectInside
	case h1.Asterisk:
		return nil // it names no server
	case h1.Origin:
		if err := s.completeOrigin(r, ws); err != nil {
			return err
		}
	case h1.Absolute:
	}
	if t := &r.Target; t.Scheme != "https" || t.Port != s.port || string(t.Host) != s.decided {
		return errElsewhere
	}
	return nil
}

func (s *SeenTLS) completeOrigin(r *Request, ws h1.Whitespace) error {
	host := []byte(nil)
	switch r.Header.Count("Host") {
	case 0:
		decided := h1.Target{Scheme: "https", Host: []byte(s.decided), IPv6: strings.Contains(s.decided, ":"), Port: s.port}
		host = decided.AppendHost(nil)
	case 1:
		host = r.Header.Get("Host")
	default:
		return errOneHost
	}
	return r.Locate("https", host, ws)
}
