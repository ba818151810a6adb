package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
)

// authorityValidity is how long an authority that we make is valid: its certificate is installed on
// every computer by hand.
const authorityValidity = 10 * 365 * 24 * time.Hour

// Make makes a new authority: its certificate and its key, as PEM (RFC 7468). name is what browsers list
// it under.
func Make(name string, now time.Time) (cert, key []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := newSerial()
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-backdated), NotAfter: now.Add(authorityValidity),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return nil, nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), nil
}

// Read reads a chain and its key from files. One may hold both, as in Squid: then key is "".
func Read(readFile func(path string) ([]byte, error), cert, key string) (tls.Certificate, error) {
	chain, err := readFile(cert)
	if err != nil {
		return tls.Certificate{}, err
	}
	secret := chain
	if key != "" && key != cert {
		if secret, err = readFile(key); err != nil {
			return tls.Certificate{}, err
		}
	}
	return Parse(chain, secret)
}

// Parse makes a chain and its key of PEM texts, which may be one and the same, as in Squid.
func Parse(cert, key []byte) (tls.Certificate, error) {
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil && len(key) > 0 && encrypted(key) {
		return pair, errors.New("the key is encrypted with a pass phrase, which nobody could enter at a start: store it without (openssl pkey -in KEY -out KEY.plain)")
	}
	if err != nil {
		return pair, fmt.Errorf("not a certificate with its key in PEM: %w", err)
	}
	return pair, nil
}

// encrypted says whether a PEM text has a key under a pass phrase.
func encrypted(text []byte) bool {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return false
		}
		if block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "" {
			return true
		}
	}
}
