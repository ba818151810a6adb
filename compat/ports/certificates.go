package ports

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"time"

	"exaproxy/compat/authority"
	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
)

// A pair is a certificate of a port, and what belongs to it: paths.
type pair struct{ cert, key, staple string }

// setPair takes tls-cert=, or what belongs to the one before.
func (o *tlsOptions) setPair(name, value string) error {
	if name == "cert" {
		o.pairs = append(o.pairs, pair{cert: value})
		return nil
	}
	if len(o.pairs) == 0 {
		return conf.Invalid{fmt.Sprintf("FATAL: %s= option must be set before %s= is used.", "cert", name)}
	}
	last := &o.pairs[len(o.pairs)-1]
	if name == "key" {
		last.key = value
	} else {
		last.staple = value
	}
	return nil
}

// certificates are those of an https_port, in the order of its options. They are not changed, and asked on the
// goroutines of handshakes.
type certificates []certificate

// A certificate is one with its key, and with what its authority says of it today, if that is known.
type certificate struct {
	plain   *tls.Certificate
	stapled *tls.Certificate // nil: there is no OCSP response
	until   time.Time        // when that is too old
}

// read reads the certificates.
func (o *tlsOptions) read(c *directive.Context) (certificates, error) {
	var all certificates
	for _, p := range o.pairs {
		chain, err := authority.Read(c.ReadFile, p.cert, p.key)
		if err != nil {
			return nil, o.invalid("tls-%s", err)
		}
		if err := authority.InTime(chain.Leaf, time.Now()); err != nil {
			return nil, o.invalid("tls-cert=%s: %s", p.cert, err)
		}
		o.warnOfExpiry(c, p.cert, chain.Leaf, time.Now())
		one := certificate{plain: &chain}
		if p.staple != "" {
			if err := one.staple(c, p.staple); err != nil {
				return nil, o.invalid("tls-ocsp-staple=%s: %s", p.staple, err)
			}
		}
		all = append(all, one)
	}
	return all, nil
}

// expiresSoon is how long before its end a certificate is warned of: time to have another made, and an authority
// installed everywhere.
const expiresSoon = 14 * 24 * time.Hour

// warnOfExpiry says at each start and reload that a certificate is soon of no use.
func (o *tlsOptions) warnOfExpiry(c *directive.Context, file string, cert *x509.Certificate, now time.Time) {
	if left := cert.NotAfter.Sub(now); left < expiresSoon {
		c.Say(1, "WARNING: %s: %s %s: the certificate in %s of %q expires at %s UTC, in %d days", o.at, o.directive, o.port, file, cert.Subject,
			cert.NotAfter.UTC().Format(time.DateTime), int(left/(24*time.Hour)))
	}
}

// choose is the first certificate for the name that the client asks for, of a kind that it understands; else the
// first that it understands; else the first.
func (all certificates) choose(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	anyName := *hello
	anyName.ServerName = ""
	for _, h := range []*tls.ClientHelloInfo{hello, &anyName} {
		for i := range all {
			if h.SupportsCertificate(all[i].plain) == nil {
				return all[i].now(time.Now()), nil
			}
		}
	}
	return all[0].now(time.Now()), nil
}

// now is the certificate with its OCSP response, unless that is too old: a client would take it for forged.
func (c *certificate) now(now time.Time) *tls.Certificate {
	if c.stapled != nil && now.Before(c.until) {
		return c.stapled
	}
	return c.plain
}
