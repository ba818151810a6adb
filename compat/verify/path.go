package verify

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"slices"
	"time"
)

// longestRSA is, in bits, the longest key of which signatures are verified, as in crypto/tls. Longer ones cost
// whoever verifies them seconds.
const longestRSA = 8192

// path is a way from the server's certificate to an authority that is trusted (RFC 5280, section 6.1, but for 6.1.3
// (a) (2), the dates): of several the one with the fewest certificates that are out of date. When they are
// valid and what they are for are faults of their own.
func (o *Options) path(chain []*x509.Certificate) (path []*x509.Certificate, why error) {
	known := withIssuers(chain, o.Intermediates)
	between := x509.NewCertPool()
	for _, c := range known[1:] {
		if key, ok := c.PublicKey.(*rsa.PublicKey); !ok || key.N.BitLen() <= longestRSA {
			between.AddCert(o.undated(c))
		}
	}
	paths, err := o.paths(chain[0], o.Roots, between)
	if err != nil {
		if roots := o.outdatedRoots(known); len(roots) > 0 {
			known = append(known, roots...)
			paths, err = o.paths(chain[0], o.poolOf(roots), between)
		}
	}
	if err != nil {
		return nil, err
	}
	for _, p := range paths {
		original(p, known)
	}
	return slices.MinFunc(paths, func(a, b []*x509.Certificate) int { return manyOutdated(a, o.Now) - manyOutdated(b, o.Now) }), nil
}

// withIssuers are the certificates of a chain, and of others those that may have signed one of all these, by their
// names.
func withIssuers(chain, others []*x509.Certificate) []*x509.Certificate {
	all := slices.Clone(chain)
	for i := 0; i < len(all); i++ {
		for _, c := range others {
			if bytes.Equal(c.RawSubject, all[i].RawIssuer) && !slices.ContainsFunc(all, c.Equal) {
				all = append(all, c)
			}
		}
	}
	return all
}

// undated is a certificate that is valid now, whatever its dates are, and without the extensions that nobody
// understands.
func (o *Options) undated(c *x509.Certificate) *x509.Certificate {
	if len(c.UnhandledCriticalExtensions) == 0 && !outdated(c, o.Now) {
		return c
	}
	copied := *c
	copied.UnhandledCriticalExtensions = nil
	copied.NotBefore, copied.NotAfter = o.Now, o.Now
	return &copied
}

// paths are the ways from a certificate to those of roots that are valid now.
func (o *Options) paths(from *x509.Certificate, roots, between *x509.CertPool) ([][]*x509.Certificate, error) {
	return o.undated(from).Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: o.Now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
}

// outdatedRoots are those who are trusted, have signed one of the certificates, and are not valid now. A pool does
// not say whom it has, but Verify names an authority that has signed and is out of date, if it has no other way
// to go on.
func (o *Options) outdatedRoots(certs []*x509.Certificate) (roots []*x509.Certificate) {
	for _, c := range certs {
		_, err := o.paths(c, o.Roots, nil)
		var invalid x509.CertificateInvalidError
		if errors.As(err, &invalid) && invalid.Reason == x509.Expired && !slices.ContainsFunc(roots, invalid.Cert.Equal) {
			roots = append(roots, invalid.Cert)
		}
	}
	return roots
}

func (o *Options) poolOf(certs []*x509.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, c := range certs {
		pool.AddCert(o.undated(c))
	}
	return pool
}

// original puts known certificates in the place of their undated copies.
func original(path, known []*x509.Certificate) {
	for i, c := range path {
		if at := slices.IndexFunc(known, c.Equal); at >= 0 {
			path[i] = known[at]
		}
	}
}

func manyOutdated(path []*x509.Certificate, now time.Time) (n int) {
	for _, c := range path {
		if outdated(c, now) {
			n++
		}
	}
	return n
}
