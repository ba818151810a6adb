package verify

import (
	"crypto/x509"

	"exaproxy/compat/openssl"
)

// Subject is whom a certificate is of, as OpenSSL writes it in one line: /C=DE/O=School/CN=www.school.test.
func Subject(c *x509.Certificate) string { return string(openssl.AppendName(nil, c.RawSubject)) }

// Issuer is who has signed a certificate, as Subject.
func Issuer(c *x509.Certificate) string { return string(openssl.AppendName(nil, c.RawIssuer)) }
