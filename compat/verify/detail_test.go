package verify

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestDetails(t *testing.T) {
	c := &x509.Certificate{NotBefore: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), NotAfter: time.Date(2026, 11, 26, 22, 32, 22, 0, time.UTC)}
	c.RawSubject, c.RawIssuer = inDER(t, "site.test"), inDER(t, "Some CA")
	for _, row := range []struct {
		err          error
		code, detail string
	}{
		{&Fault{Kind: Expired, Certificate: c}, "X509_V_ERR_CERT_HAS_EXPIRED+broken_cert", "A certificate has expired on Nov 26 22:32:22 2026 GMT: /CN=site.test"},
		{&Fault{Kind: NotYetValid, Certificate: c}, "X509_V_ERR_CERT_NOT_YET_VALID+broken_cert", "A certificate is not valid before Jan  2 03:04:05 2026 GMT: /CN=site.test"},
		{fmt.Errorf("wrapped: %w", Faults{{Kind: UnknownIssuer, Certificate: c}, {Kind: Expired, Certificate: c}}), "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY+broken_cert", "The issuer of a certificate is not known: /CN=Some CA"},
		{&Fault{Kind: WrongHost, Certificate: c}, "SQUID_X509_V_ERR_DOMAIN_MISMATCH+broken_cert", "The certificate is for other hosts: /CN=site.test"},
		{&Fault{Kind: 66, Certificate: c}, "X509_V_ERR_EE_KEY_TOO_SMALL+broken_cert", "X509_V_ERR_EE_KEY_TOO_SMALL: /CN=site.test"},
		{&Fault{Kind: NoConnection}, "SQUID_TLS_ERR_CONNECT", "The handshake failed: SQUID_TLS_ERR_CONNECT"},
		{errors.New("remote error"), "SQUID_TLS_ERR_CONNECT", "The handshake failed: remote error"},
		{fmt.Errorf("remote error: %w", tls.AlertError(40)), "SQUID_TLS_ERR_CONNECT+TLS_LIB_ERR=A000410+TLS_IO_ERR=1", "The handshake failed: remote error: tls: handshake failure"},
		{fmt.Errorf("remote error: %w", tls.AlertError(70)), "SQUID_TLS_ERR_CONNECT+TLS_LIB_ERR=A00042E+TLS_IO_ERR=1", "The handshake failed: remote error: tls: protocol version not supported"},
		{nil, "SQUID_TLS_ERR_CONNECT", "The handshake failed"},
	} {
		if code, detail := Code(row.err), Detail(row.err); code != row.code || detail != row.detail {
			t.Errorf("%v is %s and %q, want %s and %q", row.err, code, detail, row.code, row.detail)
		}
	}
	for kind, told := range details {
		if strings.HasPrefix(Detail(&Fault{Kind: kind, Certificate: c}), told+": /CN=") == false {
			t.Errorf("%v is told as %q", kind, Detail(&Fault{Kind: kind, Certificate: c}))
		}
	}
}

// inDER is a distinguished name with a common name alone.
func inDER(t *testing.T, name string) []byte {
	t.Helper()
	der, err := asn1.Marshal(pkix.Name{CommonName: name}.ToRDNSequence())
	if err != nil {
		t.Fatal(err)
	}
	return der
}
