package ports

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"time"

	"exaproxy/compat/verify"
)

// trust is who may vouch for clients of a port, and which certificates have been revoked. It is not changed once
// the port is there, and asked on the goroutines of handshakes.
type trust struct {
	roots   *x509.CertPool
	revoked *verify.Revoked // nil: clients' certificates are not looked up
}

// longestChain is how many certificates a client may show.
const longestChain = 16

// verify judges the certificate that a client has shown, in a handshake or in that whose session it resumes:
// meanwhile it may have expired, or have been revoked.
func (t *trust) verify(s tls.ConnectionState) error {
	return t.verifyAt(s.PeerCertificates, time.Now())
}

func (t *trust) verifyAt(shown []*x509.Certificate, now time.Time) error {
	switch {
	case len(shown) == 0:
		return nil // crypto/tls has asked for one, if there must be one
	case len(shown) > longestChain:
		return fmt.Errorf("%d certificates are more than a chain has", len(shown))
	}
	between := x509.NewCertPool()
	for _, cert := range shown[1:] {
		between.AddCert(cert)
	}
	chains, err := shown[0].Verify(x509.VerifyOptions{Roots: t.roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	if err != nil || t.revoked == nil {
		return err
	}
	var faults verify.Faults
	for _, chain := range chains {
		if faults = t.revoked.Faults(chain, now); faults == nil {
			return nil
		}
	}
	return faults
}
