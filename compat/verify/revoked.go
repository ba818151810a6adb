package verify

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"sync/atomic"
	"time"
)

// Revoked are lists of certificates that their issuers have revoked (crlfile=). It is filled by one goroutine, and
// then read by any number.
type Revoked struct {
	// All has every certificate of a chain be looked up (flags=VERIFY_CRL_ALL), not only the server's own.
	All bool

	byIssuer map[string][]*revocations // by the issuer's name, as DER
}

// revocations are one list.
type revocations struct {
	list    *x509.RevocationList
	serials map[string]struct{}
	signer  atomic.Pointer[x509.Certificate] // who is known to have signed it
}

// Add adds the lists of a file, PEM (RFC 7468) or one as DER, and returns how many there are.
func (r *Revoked) Add(text []byte) (n int, err error) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "X509 CRL" {
			continue
		}
		if err := r.add(block.Bytes); err != nil {
			return n, err
		}
		n++
	}
	if n > 0 {
		return n, nil
	}
	if err := r.add(text); err != nil {
		return 0, errors.New("there is no list of revoked certificates in it")
	}
	return 1, nil
}

func (r *Revoked) add(der []byte) error {
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return err
	}
	if r.byIssuer == nil {
		r.byIssuer = make(map[string][]*revocations)
	}
	serials := make(map[string]struct{}, len(list.RevokedCertificateEntries))
	for i := range list.RevokedCertificateEntries {
		serials[string(list.RevokedCertificateEntries[i].SerialNumber.Bytes())] = struct{}{}
	}
	name := string(list.RawIssuer)
	r.byIssuer[name] = append(r.byIssuer[name], &revocations{list: list, serials: serials})
	return nil
}

// find is the newest list that the issuer of c has signed, nil if there is none.
func (r *Revoked) find(c, issuer *x509.Certificate) (newest *revocations) {
	for _, l := range r.byIssuer[string(c.RawIssuer)] {
		if (newest == nil || l.list.ThisUpdate.After(newest.list.ThisUpdate)) && l.signedBy(issuer) {
			newest = l
		}
	}
	return newest
}

// signedBy verifies a signature once for each signer: lists may have megabytes.
func (l *revocations) signedBy(issuer *x509.Certificate) bool {
	if known := l.signer.Load(); known != nil && known.Equal(issuer) {
		return true
	}
	if l.list.CheckSignatureFrom(issuer) != nil {
		return false
	}
	l.signer.Store(issuer)
	return true
}

// revocations adds what is revoked, or not known not to be.
func (f *Faults) revocations(path []*x509.Certificate, o *Options) {
	if o.Revoked == nil {
		return
	}
	for depth := range path {
		if depth == 0 || o.Revoked.All {
			f.revocation(path, depth, o.Revoked, o.Now)
		}
	}
}

func (f *Faults) revocation(path []*x509.Certificate, depth int, r *Revoked, now time.Time) {
	c, issuer := path[depth], path[min(depth+1, len(path)-1)]
	list := r.find(c, issuer)
	if list == nil {
		f.add(CRLUnavailable, path, depth)
		return
	}
	if end := list.list.NextUpdate; !end.IsZero() && now.After(end) {
		f.add(CRLExpired, path, depth)
	}
	if _, revoked := list.serials[string(c.SerialNumber.Bytes())]; revoked {
		f.add(IsRevoked, path, depth)
	}
}
