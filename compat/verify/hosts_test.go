package verify

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"slices"
	"strings"
	"testing"
)

func named(cn string, c x509.Certificate) *x509.Certificate {
	c.Subject.Names = []pkix.AttributeTypeAndValue{{Type: []int{2, 5, 4, 10}, Value: "Other, Inc."}, {Type: commonName, Value: cn}}
	return &c
}

func TestHostsOfCertificates(t *testing.T) {
	address := x509.Certificate{IPAddresses: []net.IP{{192, 0, 2, 1}, net.ParseIP("2001:db8::1")}}
	for _, row := range []struct {
		c       *x509.Certificate
		is, not string
	}{
		{named("cn.test", x509.Certificate{}), "cn.test CN.test. ", "test a.cn.test cn.test.test"},
		{named("*.cn.test", x509.Certificate{}), "a.cn.test", "cn.test a.b.cn.test"},
		{named("cn.test", x509.Certificate{DNSNames: []string{"san.test", "*.wild.test", "a*.part.test", "*"}}),
			"san.test A.wild.test", "cn.test wild.test a.b.wild.test ab.part.test host test"},
		{named("cn.test", address), "192.0.2.1 [2001:db8::1] 2001:DB8::1 ::ffff:192.0.2.1", "192.0.2.2 cn.test [2001:db8::2]"},
		{named("192.0.2.9", x509.Certificate{}), "192.0.2.9", "192.0.2.1"},
		{named("*.0.2.9", x509.Certificate{}), "", "192.0.2.9"},
		{named("", x509.Certificate{DNSNames: []string{""}}), "", "a.test [] ."},
		{named("a.test\x00.evil.test", x509.Certificate{}), "", "a.test"},
	} {
		for host := range strings.FieldsSeq(row.is) {
			if !IsFor(row.c, host) {
				t.Errorf("%s, %q is not for %s", Subject(row.c), row.c.DNSNames, host)
			}
		}
		for host := range strings.FieldsSeq(row.not) {
			if IsFor(row.c, host) {
				t.Errorf("%s, %q is for %s", Subject(row.c), row.c.DNSNames, host)
			}
		}
	}
}

func TestNamesAreBounded(t *testing.T) {
	c := named("cn.test", x509.Certificate{DNSNames: slices.Repeat([]string{"a.test"}, 100_000)})
	n := 0
	for range Names(c) {
		n++
	}
	if n > mostNames+1 {
		t.Errorf("%d names are looked at", n)
	}
	if got := slices.Collect(Names(named("cn.test", x509.Certificate{DNSNames: []string{"a.test", "", "b\x00"}}))); !slices.Equal(got, []string{"cn.test", "a.test"}) {
		t.Errorf("the names are %q", got)
	}
}

func TestNamesOfKinds(t *testing.T) {
	for name, want := range map[string][]Kind{
		"X509_V_ERR_CERT_HAS_EXPIRED": {Expired}, "10": {Expired}, "X509_V_ERR_INVALID_CA": {NotAuthority}, "X509_V_ERR_CERT_UNTRUSTED": {27},
		"SQUID_X509_V_ERR_DOMAIN_MISMATCH": {WrongHost}, "SQUID_ERR_SSL_HANDSHAKE": {NoConnection}, "ssl::certSelfSigned": {SelfSigned}, "certNotYetValid": {NotYetValid}, "0": {0}, "2000": {2000},
	} {
		if got, ok := ParseKinds(name); !ok || !slices.Equal(got, want) {
			t.Errorf("%s is %v (%v), want %v", name, got, ok, want)
		}
	}
	for _, name := range []string{"", "X509_V_OK", "X509_V_ERR_UNSPECIFIED", "10,11", "-2", "99999", "ssl::", "X509_V_ERR_"} {
		if got, ok := ParseKinds(name); ok {
			t.Errorf("%q is %v", name, got)
		}
	}
	if got := Kind(-100).String() + Kind(0).String() + Kind(76).String() + Kind(999).String(); got != "-100076999" {
		t.Errorf("kinds without names are %q", got)
	}
}

// TestAdvisoryNamesThatCoverNothing has names on which Squid stumbled (SQUID-2023:4 is "*"), and their like: they stand for no
// host.
func TestAdvisoryNamesThatCoverNothing(t *testing.T) {
	for _, name := range []string{"*", "*.", "*..", ".", "..", "**", "*.*", "**.test", ".test", "*test", "*.\x00", "\x00", "", strings.Repeat("*.", 5000), strings.Repeat("a.", 5000)} {
		for _, c := range []*x509.Certificate{named(name, x509.Certificate{}), {DNSNames: []string{name}}} {
			for _, host := range []string{"a.test", "test", "a", "192.0.2.1", "[2001:db8::1]", ".", "", "*", "a.", "*.test"} {
				if IsFor(c, host) && host != name {
					t.Errorf("%.20q is for %q", name, host)
				}
			}
		}
	}
}
