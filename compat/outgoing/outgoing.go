// Package outgoing says how TLS is spoken to origin servers: the directive tls_outgoing_options.
//
// Package compat takes Settings from a configuration, on the goroutine that reads it; they are not
// changed afterwards, and shared by all workers.
package outgoing

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strings"

	"exaproxy/compat/authority"
	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/engine"
)

// Settings are what a configuration says of TLS to origin servers. The zero Settings verify them against
// whom the system trusts.
type Settings struct {
	Config *tls.Config // nil: as crypto/tls does, verifying against whom the system trusts

	cert, key  string   // paths
	authority  []string // paths of cafile=
	noDefaults bool     // default-ca=off
	anyPeer    bool     // flags=DONT_VERIFY_PEER
	anyName    bool     // flags=DONT_VERIFY_DOMAIN
}

// Directives are the setters.
func (s *Settings) Directives() directive.Set { return directive.Set{"tls_outgoing_options": s.set} }

// Configure gives the engine its part.
func (s *Settings) Configure(c *engine.Config) { c.OutgoingTLS = s.Config }

// set takes tls_outgoing_options. A later line takes the place of an earlier one.
func (s *Settings) set(c *directive.Context, l *conf.Line) error {
	*s = Settings{Config: &tls.Config{}}
	args := c.Args(l)
	for {
		token, ok := args.Word()
		if !ok {
			return s.finish(c)
		}
		if err := s.option(c, token.Text); err != nil {
			return err
		}
	}
}

// option takes one option.
func (s *Settings) option(c *directive.Context, option string) error {
	name, value, _ := strings.Cut(option, "=")
	switch name {
	case "cert":
		s.cert = value
	case "key":
		s.key = value
	case "cafile":
		s.authority = append(s.authority, value)
	case "default-ca":
		s.noDefaults = value == "off"
	case "min-version":
		version, ok := authority.Version(value)
		if !ok {
			return conf.Invalid{fmt.Sprintf("FATAL: tls_outgoing_options: '%s': the versions of TLS are 1.0, 1.1, 1.2 and 1.3", option)}
		}
		s.Config.MinVersion = version
	case "flags":
		return s.flags(value)
	case "cipher", "options":
		c.Say(1, "NOTICE: tls_outgoing_options: '%s' has no effect: what is safe is chosen by the TLS library", option)
	default:
		return conf.Invalid{fmt.Sprintf("ERROR: tls_outgoing_options: '%s' cannot be followed yet", option)}
	}
	return nil
}

func (s *Settings) flags(value string) error {
	for flag := range strings.FieldsFuncSeq(value, func(c rune) bool { return c == ',' || c == ':' }) {
		switch flag {
		case "DONT_VERIFY_PEER":
			s.anyPeer = true
		case "DONT_VERIFY_DOMAIN":
			s.anyName = true
		case "NO_SESSION_REUSE":
			// there is none
		default:
			return conf.Invalid{fmt.Sprintf("ERROR: tls_outgoing_options: the flag '%s' cannot be followed", flag)}
		}
	}
	return nil
}

// finish reads the files.
func (s *Settings) finish(c *directive.Context) error {
	if len(s.authority) > 0 || s.noDefaults {
		if err := s.trust(c); err != nil {
			return err
		}
	}
	if s.cert != "" { // for servers that ask for one
		pair, err := authority.Read(c.ReadFile, s.cert, s.key)
		if err != nil {
			return conf.Invalid{fmt.Sprintf("FATAL: tls_outgoing_options: cert=%s: %s", s.cert, err)}
		}
		s.Config.Certificates = []tls.Certificate{pair}
	}
	switch {
	case s.anyPeer:
		s.Config.InsecureSkipVerify = true
	case s.anyName:
		s.Config.InsecureSkipVerify = true
		s.Config.VerifyConnection = verifyChain(s.Config.RootCAs)
	}
	return nil
}

// trust makes the list of authorities.
func (s *Settings) trust(c *directive.Context) (err error) {
	s.Config.RootCAs = x509.NewCertPool()
	if !s.noDefaults {
		if s.Config.RootCAs, err = x509.SystemCertPool(); err != nil {
			return conf.Invalid{fmt.Sprintf("FATAL: tls_outgoing_options: whom the system trusts: %s", err)}
		}
	}
	for _, path := range s.authority {
		text, err := c.ReadFile(path)
		if err == nil && !s.Config.RootCAs.AppendCertsFromPEM(text) {
			err = fmt.Errorf("there is no certificate in it")
		}
		if err != nil {
			return conf.Invalid{fmt.Sprintf("FATAL: tls_outgoing_options: cafile=%s: %s", path, err)}
		}
	}
	return nil
}

// verifyChain verifies who has signed a server's certificate, and not whose it is.
func verifyChain(roots *x509.CertPool) func(tls.ConnectionState) error {
	return func(s tls.ConnectionState) error {
		between := x509.NewCertPool()
		for _, cert := range s.PeerCertificates[1:] {
			between.AddCert(cert)
		}
		_, err := s.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between})
		return err
	}
}
