package external

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"

	"exaproxy/compat/directive"
	"exaproxy/compat/openssl"
	"exaproxy/engine"
)

// A certificate is what is told of the certificate that a client has shown on an https_port.
type certificate func(*x509.Certificate) string

// certificateCode is %USER_CERT, an attribute of it (%USER_CERT_CN, %USER_CERT_DN) or of who has signed it
// (%USER_CA_CERT_CN; %CA_CERT_CN of old); nil if the word is none of these.
func certificateCode(c *directive.Context, word string) (certificate, error) {
	if word == "%USER_CERT" || word == "%USER_CERTCHAIN" { // in Squid 5.7 both are the client's own
		return func(cert *x509.Certificate) string {
			return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))
		}, nil
	}
	if name, ok := strings.CutPrefix(word, "%USER_CERT_"); ok {
		return attribute(name, func(cert *x509.Certificate) []byte { return cert.RawSubject })
	}
	name, ok := strings.CutPrefix(word, "%USER_CA_CERT_")
	if !ok {
		if name, ok = strings.CutPrefix(word, "%CA_CERT_"); !ok {
			return nil, nil
		}
		c.Say(1, "WARNING: external_acl_type %%CA_CERT_* code is obsolete. Use %%USER_CA_CERT_* instead")
	}
	return attribute(name, func(cert *x509.Certificate) []byte { return cert.RawIssuer })
}

// attribute is one of a name, or with DN all of it in one line.
func attribute(name string, of func(*x509.Certificate) []byte) (certificate, error) {
	if name == "DN" {
		return func(cert *x509.Certificate) string { return string(openssl.AppendName(nil, of(cert))) }, nil
	}
	kind, known := openssl.AttributeType(name)
	if !known {
		return nil, fmt.Errorf("not a valid attribute of a certificate: %s", name)
	}
	return func(cert *x509.Certificate) string {
		value, _ := openssl.Attribute(of(cert), kind)
		return string(value)
	}, nil
}

// appendCertificate writes what is told of the client's certificate, or "-".
func (t *Type) appendCertificate(dst []byte, told certificate, r *engine.Request) []byte {
	value := ""
	if c := r.Connection; c != nil && c.Session != nil && c.Session.Client != nil {
		value = told(c.Session.Client)
	}
	if value == "" {
		return append(dst, '-')
	}
	return t.quote(dst, value)
}
