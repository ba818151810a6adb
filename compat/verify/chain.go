package verify

import (
	"bytes"
	"crypto/x509"
	"errors"
	"slices"
	"time"
)

// Options are what a chain is held against.
type Options struct {
	Host          string              // whom it is to be for; "": anybody
	Now           time.Time           // when
	Roots         *x509.CertPool      // who is trusted; nil: whom the system trusts
	Intermediates []*x509.Certificate // that servers may have forgotten to show
	Revoked       *Revoked            // nil: nobody is
}

// longestChain is how many certificates of a chain are looked at. Servers show two to five.
const longestChain = 16

// Chain says what is wrong with the chain that a server shows, its own certificate first: nil if nothing is. It
// finds all there is, in Squid's order: who has signed it, what it is good for, when, and whose it is. So a
// fault that is excused hides no other.
//
// Unlike Squid it does not look for missing certificates elsewhere (authorityInfoAccess). Where it finds
// no way to somebody trusted it says so, whatever else it says.
func Chain(chain []*x509.Certificate, o *Options) Faults {
	if len(chain) == 0 {
		return Faults{{Kind: NoConnection}}
	}
	var faults Faults
	if len(chain) > longestChain {
		faults.add(TooLong, chain, longestChain)
		chain = chain[:longestChain]
	}
	path, why := o.path(chain)
	if path == nil {
		path = shown(chain)
		faults.noPath(path, why)
	}
	faults.purposes(path)
	if o.Revoked != nil {
		faults = append(faults, o.Revoked.Faults(path, o.Now)...)
	}
	faults.times(path, o.Now)
	if o.Host != "" && !IsFor(chain[0], o.Host) {
		faults.add(WrongHost, chain, 0)
	}
	return faults
}

// shown is the way through the chain that the server shows, by the names of issuers, as far as it leads.
func shown(chain []*x509.Certificate) []*x509.Certificate {
	path := chain[:1:1]
	for top := chain[0]; !ownIssuer(top) && len(path) < len(chain); {
		next := slices.IndexFunc(chain, func(c *x509.Certificate) bool {
			return bytes.Equal(c.RawSubject, top.RawIssuer) && !slices.ContainsFunc(path, c.Equal)
		})
		if next < 0 {
			break
		}
		top = chain[next]
		path = append(path, top)
	}
	return path
}

func ownIssuer(c *x509.Certificate) bool { return bytes.Equal(c.RawSubject, c.RawIssuer) }

// noPath adds why nobody trusted has signed the chain.
func (f *Faults) noPath(path []*x509.Certificate, why error) {
	top := len(path) - 1
	if kind := special(why); kind != 0 {
		f.add(kind, path, top)
	}
	switch {
	case !ownIssuer(path[top]):
		f.add(UnknownIssuer, path, top)
	case top == 0:
		f.add(SelfSigned, path, top)
	default:
		f.add(UntrustedRoot, path, top)
	}
}

// special is the kind of an error that tells more than that an issuer is not known; 0: it does not.
func special(err error) Kind {
	var invalid x509.CertificateInvalidError
	if !errors.As(err, &invalid) {
		return 0
	}
	switch invalid.Reason {
	case x509.NotAuthorizedToSign:
		return NotAuthority
	case x509.TooManyIntermediates:
		return PathTooLong
	case x509.CANotAuthorizedForThisName, x509.UnconstrainedName, x509.TooManyConstraints:
		return NameNotPermitted
	}
	return 0
}

// purposes adds what certificates may not be used for.
func (f *Faults) purposes(path []*x509.Certificate) {
	for depth, c := range path {
		if len(c.UnhandledCriticalExtensions) > 0 {
			f.add(UnknownCritical, path, depth)
		}
		if !forServers(c) {
			f.add(WrongPurpose, path, depth)
		}
		if depth > 0 && !ownIssuer(c) && !mayAuthorize(c) {
			f.add(NotAuthority, path, depth)
		}
	}
}

func mayAuthorize(c *x509.Certificate) bool {
	return c.BasicConstraintsValid && c.IsCA && (c.KeyUsage == 0 || c.KeyUsage&x509.KeyUsageCertSign != 0)
}

// forServers says whether a certificate, or what it signs, is good for servers of TLS (RFC 5280, section
// 4.2.1.12).
func forServers(c *x509.Certificate) bool {
	return len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) == 0 ||
		slices.ContainsFunc(c.ExtKeyUsage, func(u x509.ExtKeyUsage) bool {
			return u == x509.ExtKeyUsageServerAuth || u == x509.ExtKeyUsageAny
		})
}

// times adds what is not valid now, the issuers' first.
func (f *Faults) times(path []*x509.Certificate, now time.Time) {
	for depth, c := range slices.Backward(path) {
		if now.Before(c.NotBefore) {
			f.add(NotYetValid, path, depth)
		} else if now.After(c.NotAfter) {
			f.add(Expired, path, depth)
		}
	}
}

func outdated(c *x509.Certificate, now time.Time) bool {
	return now.Before(c.NotBefore) || now.After(c.NotAfter)
}
