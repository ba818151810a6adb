// Package outgoing says how TLS is spoken to origin servers, and which of them are trusted: the directives
// tls_outgoing_options and sslproxy_foreign_intermediate_certs, and those of Squid 3 in their place
// (sslproxy_cafile and others).
//
// Package compat takes Settings from a configuration, on the goroutine that reads it; they are not
// changed afterwards, and shared by all workers and by the goroutines of handshakes.
package outgoing

import (
	"crypto/tls"
	"crypto/x509"
	"time"

	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/compat/openssl"
	"exaproxy/compat/verify"
	"exaproxy/engine"
)

// Settings are what a configuration says of TLS to origin servers. The zero Settings verify them against
// whom the system trusts.
type Settings struct {
	Config *tls.Config // nil: as crypto/tls does
	Usage  string      // what errors begin with; "": tls_outgoing_options

	cert, key  string // paths
	noDefaults bool   // default-ca=off
	anyPeer    bool   // flags=DONT_VERIFY_PEER
	anyName    bool   // flags=DONT_VERIFY_DOMAIN

	protocol openssl.Protocol
	trusted  verify.Authorities // cafile= and capath=
	verify   verify.Options     // but for host and time
}

// Directives are the setters.
func (s *Settings) Directives() directive.Set {
	return directive.Set{
		"tls_outgoing_options":                s.set,
		"sslproxy_foreign_intermediate_certs": s.setIntermediates,
		"sslproxy_cafile":                     s.setOne("cafile"),
		"sslproxy_capath":                     s.setOne("capath"),
		"sslproxy_cipher":                     s.setOne("cipher"),
		"sslproxy_client_certificate":         s.setOne("cert"),
		"sslproxy_client_key":                 s.setOne("key"),
		"sslproxy_flags":                      s.setOne("flags"),
		"sslproxy_options":                    s.setOne("options"),
		"sslproxy_version":                    s.setOne("version"),
	}
}

// Configure gives the engine its part.
func (s *Settings) Configure(c *engine.Config) {
	c.OutgoingTLS = s.Config
	if !s.anyPeer {
		c.VerifyServer = func(serverName string, chain []*x509.Certificate) []error {
			return s.Faults(chain, serverName, time.Now()).Unwrap()
		}
	}
}

// Finished is how TLS is spoken by all options with somebody who is verified by a name, which may be an address.
func (s *Settings) Finished(c *directive.Context, name string) (*tls.Config, error) {
	if err := s.apply(c); err != nil {
		return nil, err
	}
	config := s.Config.Clone()
	config.InsecureSkipVerify = true // by crypto/tls
	config.VerifyConnection = func(state tls.ConnectionState) error {
		if faults := s.Faults(state.PeerCertificates, name, time.Now()); len(faults) > 0 {
			return faults
		}
		return nil
	}
	return config, nil
}

// Faults are what is wrong with the chain that the origin host shows. It is called on goroutines of
// handshakes.
func (s *Settings) Faults(chain []*x509.Certificate, host string, now time.Time) verify.Faults {
	if s.anyPeer {
		return nil
	}
	o := s.verify
	o.Host, o.Now = host, now
	if s.anyName {
		o.Host = ""
	}
	return verify.Chain(chain, &o)
}

// set takes tls_outgoing_options. As in Squid a line adds to those before.
func (s *Settings) set(c *directive.Context, l *conf.Line) error {
	args := c.Args(l)
	for {
		token, ok := args.Word()
		if !ok {
			return s.apply(c)
		}
		if err := s.Option(c, token.Text); err != nil {
			return err
		}
	}
}

// setOne makes the setter of a directive that is one option of tls_outgoing_options.
func (s *Settings) setOne(option string) directive.Setter {
	return func(c *directive.Context, l *conf.Line) error {
		value, err := c.Args(l).String()
		if err == nil {
			err = s.Option(c, option+"="+value)
		}
		if err != nil {
			return err
		}
		return s.apply(c)
	}
}
