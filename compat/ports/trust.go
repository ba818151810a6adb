package ports

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"
	"math/big"
	"time"

	"exaproxy/compat/directive"
)

// trust is who may vouch for clients of a port, and which certificates have been revoked. It is not changed once
// the port is there, and asked on the goroutines of handshakes.
type trust struct {
	roots *x509.CertPool
	lists []revocations // CRLs
	check bool          // that a client's certificate is on none of them
	all   bool          // and those above it, up to the root
	seen  hash.Hash     // of all files
}

// revocations are a CRL.
type revocations struct {
	*x509.RevocationList
	serials map[string]bool
}

// longestChain is how many certificates a client may show.
const longestChain = 16

// addLists reads the CRLs of a file.
func (t *trust) addLists(c *directive.Context, path string) error {
	if path == "" {
		return errors.New("VERIFY_CRL needs a file of CRLs")
	}
	text, err := c.ReadFile(path)
	if err != nil {
		return err
	}
	t.seen.Write(text)
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type != "X509 CRL" {
			continue
		}
		list, err := x509.ParseRevocationList(block.Bytes)
		if err != nil {
			return err
		}
		r := revocations{list, make(map[string]bool)}
		for _, entry := range list.RevokedCertificateEntries {
			r.serials[key(entry.SerialNumber)] = true
		}
		t.lists = append(t.lists, r)
	}
	if len(t.lists) == 0 {
		return errors.New("there is no CRL in it")
	}
	return nil
}

func key(serial *big.Int) string { return string(serial.Bytes()) }

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
	if err != nil || !t.check {
		return err
	}
	for _, chain := range chains {
		if err = t.unrevoked(chain, now); err == nil {
			return nil
		}
	}
	return err
}

// unrevoked says why a chain cannot be trusted for what lists say, or do not say.
func (t *trust) unrevoked(chain []*x509.Certificate, now time.Time) error {
	for i, cert := range chain {
		issuer := chain[min(i+1, len(chain)-1)]
		if err := t.standing(cert, issuer, now); err != nil {
			return err
		}
		if !t.all {
			break
		}
	}
	return nil
}

// standing says what lists of its issuer's say against a certificate. One of which there is no list that is good now is
// not trusted, as in OpenSSL.
func (t *trust) standing(cert, issuer *x509.Certificate, now time.Time) error {
	doubt := fmt.Errorf("there is no CRL of %q", issuer.Subject)
	listed := false
	for _, list := range t.lists {
		if !bytes.Equal(list.RawIssuer, issuer.RawSubject) || list.CheckSignatureFrom(issuer) != nil {
			continue
		}
		switch {
		case list.serials[key(cert.SerialNumber)]:
			return fmt.Errorf("the certificate of %q has been revoked", cert.Subject)
		case now.Before(list.ThisUpdate) || !list.NextUpdate.IsZero() && now.After(list.NextUpdate):
			doubt = fmt.Errorf("the CRL of %q should have been renewed", issuer.Subject)
		default:
			listed = true
		}
	}
	if !listed {
		return doubt
	}
	return nil
}
