package certs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"

	"exaproxy/compat/acl"
	"exaproxy/compat/authority"
	"exaproxy/compat/verify"
	"exaproxy/engine"
)

// A Policy answers one worker's engine.
type Policy struct {
	Settings *Settings
	// Match asks an access list about a request.
	Match acl.Match
}

// Trusts says why a server may not be used with whose chain errs are wrong: the first of them that
// sslproxy_cert_error does not excuse. nil if it may. An acl that would have to wait excuses nothing.
func (p *Policy) Trusts(r *engine.Request, chain []*x509.Certificate, errs []error) *engine.Failure {
	for _, err := range errs {
		if !p.excuses(r, chain, err) {
			return &engine.Failure{Kind: engine.CannotSecure, Side: engine.UpstreamSide, Err: err}
		}
	}
	return nil
}

// excuses says whether one error is excused. As in Squid acls see that error alone.
func (p *Policy) excuses(r *engine.Request, chain []*x509.Certificate, err error) bool {
	var fault *verify.Fault
	if p.Settings.excused == nil || !errors.As(err, &fault) || fault.Kind == verify.NoConnection {
		return false
	}
	seen := engine.SeenTLS{}
	if r.TLS != nil {
		seen = *r.TLS
	}
	seen.Server, seen.Errors = chain, []error{err}
	before := r.TLS
	r.TLS = &seen
	defer func() { r.TLS = before }()
	return p.Match(p.Settings.excused, r) == acl.Allow
}

// Certify gives the certificates under which the client of a decrypted tunnel is spoken to: imitations of what
// the server has shown. Where nothing is known of it, or what is wrong with it is not excused, so that the client
// is to be shown a page of ours, they are those of the port.
func (p *Policy) Certify(r *engine.Request) func(host string) (*tls.Certificate, error) {
	signer, able := r.Port.State.(*authority.Authority)
	seen := r.TLS
	if !able || seen == nil || len(seen.Server) == 0 || p.Trusts(r, seen.Server, seen.Errors) != nil {
		return r.Port.Certificate
	}
	origin, how := seen.Server[0], p.imitation(r)
	return func(host string) (*tls.Certificate, error) { return signer.Mimic(origin, host, how) }
}

// imitation is how the server's certificate is imitated.
func (p *Policy) imitation(r *engine.Request) authority.Imitation {
	how := authority.Imitation{Sign: p.signing(r)}
	var done [adaptations]bool
	for i := range p.Settings.adapts {
		rule := &p.Settings.adapts[i]
		if done[rule.what] || p.Match(rule.when, r) != acl.Allow {
			continue
		}
		done[rule.what] = true
		switch rule.what {
		case setValidAfter:
			how.ValidAfter = true
		case setValidBefore:
			how.ValidBefore = true
		case setCommonName:
			how.CommonName = rule.name
			if rule.name == "" {
				how.CommonName = r.TLS.PeerName()
			}
		}
	}
	return how
}

// signing is who signs: by the first line that matches, or else so that the client is warned of what was
// wrong with the server's.
func (p *Policy) signing(r *engine.Request) authority.Signing {
	for i := range p.Settings.signs {
		rule := &p.Settings.signs[i]
		if p.Match(rule.when, r) == acl.Allow {
			return rule.by
		}
	}
	switch {
	case verify.Has(r.TLS.Errors, "certUntrusted"):
		return authority.Untrusted
	case verify.Has(r.TLS.Errors, "certSelfSigned"):
		return authority.Self
	}
	return authority.Trusted
}
