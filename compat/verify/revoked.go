package verify

import (
	"crypto/x509"
	"errors"
	"sync/atomic"
	"time"
)

// Revoked are lists of certificates that their issuers have revoked (CRLs, RFC 5280, section 5; crlfile=). It is filled
// by one goroutine, and then read by any number.
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
	for der := range blocks(text, "X509 CRL") {
		if err := r.add(der); err != nil {
			return n, err
		}
		n++
	}
	if n > 0 {
		return n, nil
	}
	if err := r.add(text); err != nil {
		return 0, errors.New("there is no CRL in it")
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

// find is the list that the issuer of c has signed, the newest of those that are good now, or else of all; nil if
// there is none.
func (r *Revoked) find(c, issuer *x509.Certificate, now time.Time) (best *revocations) {
	for _, l := range r.byIssuer[string(c.RawIssuer)] {
		if (best == nil || l.better(best, now)) && l.signedBy(issuer) {
			best = l
		}
	}
	return best
}

// better says whether l is to be believed rather than another.
func (l *revocations) better(other *revocations, now time.Time) bool {
	if good := l.fault(now) == 0; good != (other.fault(now) == 0) {
		return good
	}
	return l.list.ThisUpdate.After(other.list.ThisUpdate)
}

// fault is why a list is not good now; 0 if it is.
func (l *revocations) fault(now time.Time) Kind {
	switch end := l.list.NextUpdate; {
	case now.Before(l.list.ThisUpdate):
		return CRLNotYetValid
	case !end.IsZero() && now.After(end):
		return CRLExpired
	}
	return 0
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

// Faults are what lists say against the certificates of a path, the first of which is the one that was shown and
// the last a trusted authority's. One of which there is no list that is good now is not trusted, as in OpenSSL.
func (r *Revoked) Faults(path []*x509.Certificate, now time.Time) (faults Faults) {
	for depth := range path {
		if depth == 0 || r.All {
			faults.revocation(path, depth, r, now)
		}
	}
	return faults
}

func (f *Faults) revocation(path []*x509.Certificate, depth int, r *Revoked, now time.Time) {
	c, issuer := path[depth], path[min(depth+1, len(path)-1)]
	list := r.find(c, issuer, now)
	if list == nil {
		f.add(CRLUnavailable, path, depth)
		return
	}
	if kind := list.fault(now); kind != 0 {
		f.add(kind, path, depth)
	}
	if _, revoked := list.serials[string(c.SerialNumber.Bytes())]; revoked {
		f.add(IsRevoked, path, depth)
	}
}
