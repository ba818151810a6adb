package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// originName is the origin where it is called by name.
const originName = "www.origin.bench.test"

// certificates are the files that TLS is spoken with: PEM, of keys on P-256. Those of one run are used by all
// contestants alike.
type certificates struct {
	authority string // signed the two that follow
	front     string // of proxies that clients speak TLS to, with its key
	origin    string // with its key
	// signer is the authority of proxies that bump, with its key. It is another one, so that a client which trusts it
	// alone notices that it was not bumped; and one that does not, that it was.
	signer string
}

// makeCertificates makes them in a directory.
func makeCertificates(dir string) (certificates, error) {
	dir = filepath.Join(dir, "certificates")
	c := certificates{
		authority: filepath.Join(dir, "authority.pem"), front: filepath.Join(dir, "front.pem"),
		origin: filepath.Join(dir, "origin.pem"), signer: filepath.Join(dir, "signer.pem"),
	}
	if err := makeOpen(dir); err != nil {
		return c, err
	}
	root, err := makeAuthority(c.authority, "bench")
	if err != nil {
		return c, err
	}
	if _, err := makeAuthority(c.signer, "bench, bumped"); err != nil {
		return c, err
	}
	var fronts []net.IP
	for number := range originHosts {
		fronts = append(fronts, net.ParseIP(proxyHost(number)))
	}
	if _, err := root.sign(c.front, &x509.Certificate{IPAddresses: fronts}); err != nil {
		return c, err
	}
	_, err = root.sign(c.origin, &x509.Certificate{DNSNames: []string{originName}})
	return c, err
}

// issuer is a certificate with its key.
type issuer struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// makeAuthority makes a certificate that signs itself and others, and writes it with its key.
func makeAuthority(path, name string) (*issuer, error) {
	var nobody *issuer
	return nobody.sign(path, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	})
}

// sign completes a template and writes what comes of it, with its key. A nil issuer has it sign itself.
func (by *issuer) sign(path string, template *x509.Certificate) (*issuer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(30*24*time.Hour)
	if by == nil {
		by = &issuer{certificate: template, key: key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by.certificate, key.Public(), by.key)
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", path, err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", path, err)
	}
	return &issuer{certificate: made, key: key}, writePEM(path, der, key)
}

// writePEM writes a certificate and its key, where Squid and nginx may read them when they have given up root.
func writePEM(path string, certificate []byte, key *ecdsa.PrivateKey) error {
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})
	return os.WriteFile(path, append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})...), 0o644)
}
