package logformat

import (
	"crypto/tls"
	"crypto/x509"

	"exaproxy/compat/openssl"
	"exaproxy/engine"
)

// withSession makes a value of what was agreed on with a client that speaks TLS to the proxy.
func withSession(v func(dst []byte, s *engine.Session) []byte) value {
	return func(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
		if c := rec.Request.Connection; c != nil && c.Session != nil {
			return v(dst, c.Session)
		}
		return dst
	}
}

// withCertificate makes a value of the certificate that the client has shown.
func withCertificate(name func(*x509.Certificate) []byte) value {
	return withSession(func(dst []byte, s *engine.Session) []byte {
		if s.Client == nil {
			return dst
		}
		return openssl.AppendName(dst, name(s.Client))
	})
}

func subject(c *x509.Certificate) []byte { return c.RawSubject }
func issuer(c *x509.Certificate) []byte  { return c.RawIssuer }

// negotiatedVersion is the version of TLS: TLS/1.3.
func negotiatedVersion(dst []byte, s *engine.Session) []byte {
	dst = append(dst, "TLS/1."...)
	return append(dst, '0'+byte(s.Version-tls.VersionTLS10))
}

func negotiatedCipher(dst []byte, s *engine.Session) []byte {
	return append(dst, openssl.CipherName(s.Cipher)...)
}
