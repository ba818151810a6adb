package authority

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"strings"
	"sync"
	"time"

	"exaproxy/compat/lru"
)

const (
	validity = 365 * 24 * time.Hour
	// backdated is how long before it is made a certificate is valid.
	backdated = 48 * time.Hour
	// renewed is how long before its end a certificate is made anew.
	renewed = 24 * time.Hour
)

// An Authority signs certificates.
type Authority struct {
	cert  *x509.Certificate
	chain [][]byte // the authority's own certificate, and those above it
	signs crypto.Signer
	key   *ecdsa.PrivateKey // of all certificates that it signs
	clock func() time.Time

	distrusted func() (*distrusted, error) // made when it is needed first

	mu     sync.Mutex
	issued lru.Cache[key, *tls.Certificate] // those that were asked for last
}

// New makes the authority of a certificate chain, its own certificate first, and the key to that. It
// keeps so many certificates; 0 is none. The error says what is wrong with them.
func New(chain tls.Certificate, keep int, clock func() time.Time) (*Authority, error) {
	if len(chain.Certificate) == 0 {
		return nil, errors.New("there is no certificate")
	}
	cert, err := x509.ParseCertificate(chain.Certificate[0])
	if err != nil {
		return nil, err
	}
	signs, ok := chain.PrivateKey.(crypto.Signer)
	if !ok {
		return nil, errors.New("the key cannot sign")
	}
	if err := usable(cert, clock()); err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	a := &Authority{cert: cert, chain: chain.Certificate, signs: signs, key: key, clock: clock}
	a.issued.Most = keep
	a.distrusted = sync.OnceValues(a.makeDistrusted)
	if _, err := a.issue("try.invalid", clock()); err != nil {
		return nil, fmt.Errorf("the key cannot sign: %w", err) // one that is too short
	}
	return a, nil
}

// usable says why a certificate cannot sign others now.
func usable(cert *x509.Certificate, now time.Time) error {
	switch {
	case !cert.BasicConstraintsValid || !cert.IsCA:
		return fmt.Errorf("the certificate of %q is not that of an authority (CA:TRUE): clients would refuse what it signs", cert.Subject)
	case cert.KeyUsage != 0 && cert.KeyUsage&x509.KeyUsageCertSign == 0:
		return fmt.Errorf("the certificate of %q may not sign certificates (keyCertSign)", cert.Subject)
	}
	return InTime(cert, now)
}

// InTime says why a certificate is not valid now: no client would take it, or what it signs.
func InTime(cert *x509.Certificate, now time.Time) error {
	switch {
	case now.Before(cert.NotBefore):
		return fmt.Errorf("the certificate of %q is valid from %s on only, and it is %s now", cert.Subject, cert.NotBefore.Format(time.DateTime), now.UTC().Format(time.DateTime))
	case now.After(cert.NotAfter):
		return fmt.Errorf("the certificate of %q has expired at %s", cert.Subject, cert.NotAfter.Format(time.DateTime))
	}
	return nil
}

// Certificate is the certificate for a host: a name, or an address with or without brackets.
func (a *Authority) Certificate(host string) (*tls.Certificate, error) {
	host = plain(host)
	now := a.clock()
	if c := a.find(key{host: host}); c != nil && now.Before(c.Leaf.NotAfter.Add(-renewed)) {
		return c, nil
	}
	c, err := a.issue(host, now) // two who ask at once have one each
	if err != nil {
		return nil, fmt.Errorf("certificate for %q: %w", host, err)
	}
	a.keep(key{host: host}, c)
	return c, nil
}

// plain is a host without brackets, capitals and the dot of the root.
func plain(host string) string {
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

// find is the certificate that is kept of what it is made of, or nil.
func (a *Authority) find(k key) *tls.Certificate {
	a.mu.Lock()
	defer a.mu.Unlock()
	c, _ := a.issued.Get(k)
	return c
}

func (a *Authority) keep(k key, c *tls.Certificate) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.issued.Put(k, c)
}

// issue signs a certificate.
func (a *Authority) issue(host string, now time.Time) (*tls.Certificate, error) {
	if err := usable(a.cert, now); err != nil {
		return nil, err
	}
	template, err := a.template(host, now)
	if err != nil {
		return nil, err
	}
	return a.sign(template, a.cert, a.signs, a.chain)
}

// sign makes a certificate with our key of a template. above are what clients are shown with it.
func (a *Authority) sign(template, by *x509.Certificate, signs crypto.Signer, above [][]byte) (*tls.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, by, a.key.Public(), signs)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: append([][]byte{der}, above...), PrivateKey: a.key, Leaf: leaf}, nil
}

// longestCommonName is what RFC 5280 (ub-common-name) allows. Longer names stand among the alternative
// ones alone, which are all that clients look at.
const longestCommonName = 64

// template is what a certificate says.
func (a *Authority) template(host string, now time.Time) (*x509.Certificate, error) {
	t, err := server()
	if err != nil {
		return nil, err
	}
	t.NotBefore, t.NotAfter = latest(now.Add(-backdated), a.cert.NotBefore), earliest(now.Add(validity-backdated), a.cert.NotAfter)
	if len(host) <= longestCommonName {
		t.Subject = pkix.Name{CommonName: host}
	}
	return t, setHost(t, host)
}

// IsHost says whether there can be a certificate for a host.
func IsHost(host string) bool { return setHost(&x509.Certificate{}, plain(host)) == nil }

// setHost has a certificate be for a host alone.
func setHost(t *x509.Certificate, host string) error {
	if addr, err := netip.ParseAddr(host); err == nil {
		t.IPAddresses = append(t.IPAddresses, addr.WithZone("").AsSlice())
	} else if validName(host) {
		t.DNSNames = []string{host}
	} else {
		return errors.New("that is no name of a host")
	}
	return nil
}

// server is what all certificates say that we make for servers.
func server() (*x509.Certificate, error) {
	serial, err := newSerial()
	return &x509.Certificate{
		SerialNumber: serial, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}, err
}

// newSerial is a serial number, at random (RFC 5280, section 4.1.2.2).
func newSerial() (*big.Int, error) {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	return n.Add(n, big.NewInt(1)), nil
}

// validName says whether a certificate can be for a name: letters, digits, hyphens and underscores
// between dots (RFC 5890 has the rest written in these).
func validName(name string) bool {
	if len(name) == 0 || len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if len(label) == 0 || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
