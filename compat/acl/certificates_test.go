package acl

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"strings"
	"testing"

	"exaproxy/engine"
)

// TestCertificatesOfClients has attributes of a client's certificate, and of its issuer, be looked at as Squid does.
func TestCertificatesOfClients(t *testing.T) {
	email := pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, Value: "ann@school.test"}
	names := []pkix.Name{
		{Country: []string{"GB"}, Organization: []string{"School"}, OrganizationalUnit: []string{"6b"}, CommonName: "Ann", ExtraNames: []pkix.AttributeTypeAndValue{email}},
		{Country: []string{"GB"}, CommonName: "ClientCA"},
	}
	var raw [2][]byte
	for i, name := range names {
		var err error
		if raw[i], err = asn1.Marshal(name.ToRDNSequence()); err != nil {
			t.Fatal(err)
		}
	}
	ann := &engine.Connection{Session: &engine.Session{Client: &x509.Certificate{RawSubject: raw[0], RawIssuer: raw[1]}}}
	for values, want := range map[string]bool{
		"user_cert CN Bob Ann": true, "user_cert CN ann": false, "user_cert CN An": false, "user_cert O School": true, "user_cert OU 6b": true,
		"user_cert commonName Ann": true, "user_cert 2.5.4.3 Ann": true, "user_cert 1.2.3.4 Ann": false, "user_cert L Ann": false,
		"user_cert emailAddress ann@school.test": true, "user_cert DN /C=GB/O=School/OU=6b/CN=Ann/emailAddress=ann@school.test": true,
		"user_cert DN /C=GB": false, "ca_cert CN ClientCA": true, "ca_cert CN Ann": false, "ca_cert DN /C=GB/CN=ClientCA": true,
	} {
		c := load(t, "acl c "+values+"\nhttp_access allow c", nil)
		if c.err != nil {
			t.Fatalf("%s: %v", values, c.err)
		}
		for connection, matches := range map[*engine.Connection]bool{ann: want, nil: false, {}: false, {Session: new(engine.Session)}: false} {
			r := asked(t, get)
			r.Connection = connection
			if got := c.access.Match(r, &r.Target, &Place{}) == Allow; got != matches {
				t.Errorf("acl %s matches: %v", values, got)
			}
		}
	}
	for lines, want := range map[string]string{
		"acl c user_cert":                                  "FATAL: required attribute argument missing",
		"acl c user_cert cn Ann":                           "FATAL: Not valid SSL certificate attribute name or numerical OID: cn",
		"acl c ca_cert Nonsense a":                         "FATAL: Not valid SSL certificate attribute name or numerical OID: Nonsense",
		"acl c user_cert CN Ann\nacl c user_cert O School": "FATAL: An acl must use consistent attributes in all config lines (O!=CN).",
		"acl c user_cert -i CN Ann":                        "unsupported ACL option: -i",
	} {
		if c := load(t, lines, nil); c.err == nil || !strings.Contains(c.err.Error(), want) {
			t.Errorf("%q: %v", lines, c.err)
		}
	}
}
