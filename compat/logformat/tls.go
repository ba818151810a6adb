package logformat

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"exaproxy/compat/verify"
	"exaproxy/engine"
)

// bumpMode is what ssl_bump said last.
func bumpMode(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	if seen := rec.Request.TLS; seen != nil {
		return append(dst, seen.Mode...)
	}
	return dst
}

// certificatePEM is the certificate as text (RFC 7468).
func certificatePEM(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

// ofCertificate makes the value of a code that is a part of the origin's certificate.
func ofCertificate(of func(*x509.Certificate) string) value {
	return func(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
		if seen := rec.Request.TLS; seen != nil && len(seen.Server) > 0 {
			return append(dst, of(seen.Server[0])...)
		}
		return dst
	}
}

// certificateErrors are all that is wrong with the origin's chain. The argument is what to write between
// them, in the place of a colon.
func certificateErrors(dst []byte, _ *Format, p *part, rec *engine.Record) []byte {
	if rec.Request.TLS == nil {
		return dst
	}
	start, between := len(dst), ":"
	if p.arg != "" {
		between = p.arg
	}
	for _, err := range rec.Request.TLS.Errors {
		var f *verify.Fault
		if !errors.As(err, &f) {
			continue
		}
		if len(dst) > start {
			dst = append(dst, between...)
		}
		dst = fmt.Appendf(dst, "%v@depth=%d", f.Kind, f.Depth)
	}
	return dst
}
