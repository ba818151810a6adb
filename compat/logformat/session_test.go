package logformat

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"

	"exaproxy/engine"
	"exaproxy/engine/tlshello"
)

// TestCodesOfHellos has what a client says first in its tunnel, as Squid 5.7 writes it.
func TestCodesOfHellos(t *testing.T) {
	const format = "%ssl::>sni|%ssl::>received_hello_version|%tls::>received_supported_version|%ssl::>ech"
	for want, hello := range map[string]*tlshello.Hello{
		"a.test|TLS/1.0|TLS/1.3|-":   {ServerName: "a.test", Record: 0x0301, Supported: tls.VersionTLS13},
		"-|SSL/3.0|TLS/1.1|-":        {Record: 0x0300, Supported: tls.VersionTLS11},
		"-|-|TLS/1.2|-":              {Supported: tls.VersionTLS12}, // it came cut, and has not been kept
		"a.test|TLS/1.0|TLS/1.3|ech": {ServerName: "a.test", Record: 0x0301, Supported: tls.VersionTLS13, Encrypted: true},
		"-|-|-|-":                    nil,
	} {
		rec := fetched(t)
		rec.Request.Connection = &engine.Connection{Hello: hello}
		if got := line(t, format, rec); got != want {
			t.Errorf("the line is %s, want %s", got, want)
		}
	}
}

// TestCodesOfServers has what is known of a server's TLS: Squid 5.7 writes the same of servers that it has spoken to
// itself, and of one that it has peeked at.
func TestCodesOfServers(t *testing.T) {
	const format = "%ssl::<negotiated_version|%tls::<negotiated_cipher|%ssl::<received_hello_version|%tls::<received_supported_version"
	for want, server := range map[string]*engine.ServerTLS{
		"TLS/1.3|TLS_AES_256_GCM_SHA384|TLS/1.2|TLS/1.3":        {Record: tls.VersionTLS12, Chosen: tls.VersionTLS13, Version: tls.VersionTLS13, Cipher: tls.TLS_AES_256_GCM_SHA384},
		"TLS/1.2|ECDHE-ECDSA-AES256-GCM-SHA384|TLS/1.2|TLS/1.2": {Record: tls.VersionTLS12, Chosen: tls.VersionTLS12, Version: tls.VersionTLS12, Cipher: tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384},
		"-|-|TLS/1.2|TLS/1.3":                                   {Record: tls.VersionTLS12, Chosen: tls.VersionTLS13},
		"-|-|TLS/1.2|-":                                         {Record: tls.VersionTLS12, Chosen: 0x7f1c}, // a draft of TLS 1.3
		"-|-|-|-":                                               nil,
	} {
		rec := fetched(t)
		rec.Server = server
		if got := line(t, format, rec); got != want {
			t.Errorf("the line is %s, want %s", got, want)
		}
	}
}

// TestCodesOfTLS has what was agreed on with a client that speaks TLS to the proxy, as Squid 5.7 writes it.
func TestCodesOfTLS(t *testing.T) {
	subject, err := asn1.Marshal(pkix.Name{Country: []string{"GB"}, CommonName: "Ann\nB"}.ToRDNSequence())
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := asn1.Marshal(pkix.Name{CommonName: "Client CA"}.ToRDNSequence())
	if err != nil {
		t.Fatal(err)
	}
	const format = "%ssl::>cert_subject|%tls::>cert_issuer|%ssl::>negotiated_version|%ssl::>negotiated_cipher|%ssl::>sni"
	ann := &x509.Certificate{RawSubject: subject, RawIssuer: issuer}
	for want, session := range map[string]*engine.Session{
		`/C=GB/CN=Ann\x0AB|/CN=Client CA|TLS/1.3|TLS_AES_256_GCM_SHA384|-`: {Version: tls.VersionTLS13, Cipher: tls.TLS_AES_256_GCM_SHA384, Client: ann},
		`-|-|TLS/1.2|ECDHE-RSA-AES128-GCM-SHA256|-`:                        {Version: tls.VersionTLS12, Cipher: tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256},
		`-|-|TLS/1.0|AES128-SHA|-`:                                         {Version: tls.VersionTLS10, Cipher: tls.TLS_RSA_WITH_AES_128_CBC_SHA},
		`-|-|-|-|-`:                                                        nil,
	} {
		rec := fetched(t)
		rec.Request.Connection = &engine.Connection{Session: session}
		if got := line(t, format, rec); got != want {
			t.Errorf("the line is %s, want %s", got, want)
		}
	}
	if got := line(t, format, fetched(t)); got != "-|-|-|-|-" {
		t.Errorf("without a connection the line is %s", got)
	}
}
