package tlspeer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/netip"
	"time"
)

// An Authority signs certificates, which are valid at every time of a test's.
type Authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

var from, until = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC)

// NewAuthority makes one.
func NewAuthority(name string) *Authority {
	key := newKey()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: from, NotAfter: until, IsCA: true, BasicConstraintsValid: true}
	return &Authority{sign(template, template, key, key), key}
}

func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

func sign(template, parent *x509.Certificate, of, by *ecdsa.PrivateKey) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, of.Public(), by)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return cert
}

// Name is what it is called.
func (a *Authority) Name() string { return a.cert.Subject.CommonName }

// Issue makes a certificate for names and addresses.
func (a *Authority) Issue(names ...string) tls.Certificate {
	key := newKey()
	template := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: names[0]}, NotBefore: from, NotAfter: until}
	for _, name := range names {
		if addr, err := netip.ParseAddr(name); err == nil {
			template.IPAddresses = append(template.IPAddresses, addr.AsSlice())
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	cert := sign(template, a.cert, key, a.key)
	return tls.Certificate{Certificate: [][]byte{cert.Raw, a.cert.Raw}, PrivateKey: key, Leaf: cert}
}

// AddTo has its certificates be trusted.
func (a *Authority) AddTo(pool *x509.CertPool) { pool.AddCert(a.cert) }

// PEM is its certificate, and behind that its key.
func (a *Authority) PEM() string {
	return encode(tls.Certificate{Certificate: [][]byte{a.cert.Raw}, PrivateKey: a.key})
}

// IssuePEM is a certificate for names, that of the authority, and the key of the first.
func (a *Authority) IssuePEM(names ...string) string { return encode(a.Issue(names...)) }

// encode writes a chain and its key.
func encode(c tls.Certificate) (text string) {
	key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		panic(err)
	}
	for _, der := range c.Certificate {
		text += string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	return text + string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
}
