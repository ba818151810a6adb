package logformat

import (
	"crypto/x509"
	"strconv"

	"exaproxy/compat/openssl"
	"exaproxy/engine"
	"exaproxy/engine/tlshello"
)

// withSession makes a value of what was agreed on with a client that speaks TLS to the proxy, or in its tunnel.
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

func negotiatedVersion(dst []byte, s *engine.Session) []byte { return appendVersion(dst, s.Version) }
func negotiatedCipher(dst []byte, s *engine.Session) []byte  { return appendCipher(dst, s.Cipher) }

// withHello makes a value of what a client has said first in its tunnel.
func withHello(v func(dst []byte, h *tlshello.Hello) []byte) value {
	return func(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
		if c := rec.Request.Connection; c != nil && c.Hello != nil {
			return v(dst, c.Hello)
		}
		return dst
	}
}

// requestedName is the name that the client asks for (SNI).
func requestedName(dst []byte, h *tlshello.Hello) []byte { return append(dst, h.ServerName...) }

// encryptedHello says that the name which is seen is not the one that the client wants (ECH).
func encryptedHello(dst []byte, h *tlshello.Hello) []byte {
	if h.Encrypted {
		return append(dst, "ech"...)
	}
	return dst
}

func helloVersion(dst []byte, h *tlshello.Hello) []byte { return appendVersion(dst, h.Record) }

func supportedVersion(dst []byte, h *tlshello.Hello) []byte { return appendVersion(dst, h.Supported) }

// withServer makes a value of what is known of the next hop's TLS.
func withServer(v func(dst []byte, s *engine.ServerTLS) []byte) value {
	return func(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
		if rec.Server != nil {
			return v(dst, rec.Server)
		}
		return dst
	}
}

func serverVersion(dst []byte, s *engine.ServerTLS) []byte { return appendVersion(dst, s.Version) }
func serverCipher(dst []byte, s *engine.ServerTLS) []byte  { return appendCipher(dst, s.Cipher) }

func serverHelloVersion(dst []byte, s *engine.ServerTLS) []byte { return appendVersion(dst, s.Record) }

func serverSupportedVersion(dst []byte, s *engine.ServerTLS) []byte {
	return appendVersion(dst, s.Chosen)
}

// appendVersion appends a version of TLS: TLS/1.3. One that is not known, or of which there is none, has no value.
func appendVersion(dst []byte, version uint16) []byte {
	const ssl3 = 0x0300
	switch {
	case version == ssl3:
		return append(dst, "SSL/3.0"...)
	case version>>8 != ssl3>>8:
		return dst
	}
	return strconv.AppendUint(append(dst, "TLS/1."...), uint64(version&0xff-1), 10)
}

// appendCipher appends OpenSSL's name of a cipher; 0 has none.
func appendCipher(dst []byte, id uint16) []byte {
	if id == 0 {
		return dst
	}
	return append(dst, openssl.CipherName(id)...)
}
