package openssl

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestGroupsAreOpenSSLs compares lists with what openssl makes of them, less what crypto/tls has not, or only by
// name.
func TestGroupsAreOpenSSLs(t *testing.T) {
	path, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	for _, list := range []string{
		"HIGH", "DEFAULT", "ALL", "EECDH", "ECDHE", "ECDH", "kECDHE+aRSA", "EECDH+AESGCM:EDH+AESGCM", "AES", "AES128", "AESGCM+AES256", "CHACHA20", "aRSA", "aECDSA:aRSA+AESGCM",
		"SHA1", "SHA", "TLSv1", "TLSv1.2", "CBC", "FIPS", "HIGH:!aNULL:!MD5:!RC4:!AES128", "HIGH:-AESGCM:ECDHE-RSA-AES128-GCM-SHA256", "!CHACHA20:ALL",
		"ECDHE-ECDSA-AES128-GCM-SHA256,ECDHE-RSA-CHACHA20-POLY1305", "HIGH:NONSENSE:+AES", "HIGH !SHA1 @STRENGTH", "ALL:!ECDSA:@SECLEVEL=1",
	} {
		out, err := exec.Command(path, "ciphers", "-s", "-tls1_2", list).Output()
		if err != nil {
			t.Fatalf("openssl ciphers %s: %v", list, err)
		}
		var want, got []string
		for name := range strings.SplitSeq(strings.TrimSpace(string(out)), ":") {
			if slices.ContainsFunc(ciphers, func(c cipher) bool { return c.name == name && !c.weak }) {
				want = append(want, name)
			}
		}
		ids, err := Ciphers(list)
		if err != nil {
			t.Errorf("%s: %v", list, err)
		}
		for _, id := range ids {
			got = append(got, CipherName(id))
		}
		if slices.Sort(want); !slices.Equal(slices.Sorted(slices.Values(got)), want) {
			t.Errorf("%s is %s, and to openssl %s", list, got, want)
		}
	}
}

// TestCiphers has those that are left out, and that are had by name alone.
func TestCiphers(t *testing.T) {
	ids, err := Ciphers("AES128-SHA:ECDHE-RSA-AES128-SHA256:!AES256")
	if err != nil || !slices.Equal(ids, []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256}) {
		t.Errorf("ciphers by their names are %x, %v", ids, err)
	}
	for list, want := range map[string]string{
		"RC4-SHA": "RFC 7465", "RC4:!MD5": "RFC 7465", "NONSENSE": "none can be used", "": "none can be used", "CAMELLIA+RSA": "none can be used",
		"HIGH:!ALL": "none can be used", "kRSA": "AES128-SHA", "!RC4": "none can be used",
	} {
		if ids, err := Ciphers(list); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %x, %v", list, ids, err)
		}
	}
	for _, c := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		known := slices.ContainsFunc(ciphers, func(k cipher) bool { return k.id == c.ID && k.weak == c.Insecure })
		if broken := strings.Contains(c.Name, "RC4") || strings.Contains(c.Name, "3DES"); !known && !broken && !slices.Contains(c.SupportedVersions, tls.VersionTLS13) {
			t.Errorf("%s of crypto/tls has no row, or is weak in one place only", c.Name)
		}
	}
	if name := CipherName(tls.TLS_AES_128_GCM_SHA256); name != "TLS_AES_128_GCM_SHA256" {
		t.Errorf("a cipher of TLS 1.3 is called %s", name)
	}
}

func TestOptions(t *testing.T) {
	for _, row := range []struct {
		list     string
		least    uint16
		from, to uint16 // 0: refused
		ticket   bool
	}{
		{"ALL,NO_SSLv3,SINGLE_DH_USE", 0, tls.VersionTLS12, tls.VersionTLS13, true},
		{"NO_TLSv1:NO_TLSv1_1,NO_TICKET", tls.VersionTLS10, tls.VersionTLS12, tls.VersionTLS13, false},
		{"NO_TLSv1", tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS13, true},
		{"NO_TLSv1_3,NO_TICKET,-NO_TICKET", 0, tls.VersionTLS12, tls.VersionTLS12, true},
		{"NO_TLSv1_2", 0, tls.VersionTLS13, tls.VersionTLS13, true},
		{"NO_TLSv1_2", tls.VersionTLS11, 0, 0, true},
		{"NO_TLSv1_2,NO_TLSv1_3", 0, 0, 0, true},
		{"0x28004000", tls.VersionTLS10, tls.VersionTLS10, tls.VersionTLS11, false},
		{"", tls.VersionTLS13, tls.VersionTLS13, tls.VersionTLS13, true},
	} {
		o, unknown := parseOptions(row.list)
		from, to, err := o.versions(row.least)
		if from != row.from || to != row.to || (err == nil) != (row.from != 0) || o&noTicket == 0 != row.ticket || unknown != nil {
			t.Errorf("%s from %x on is %x to %x, %v, %x, unknown %q", row.list, row.least, from, to, err, o, unknown)
		}
	}
	if _, unknown := parseOptions("NO_SSLv2:ALL,!NONSENSE"); !slices.Equal(unknown, []string{"NO_SSLv2", "NONSENSE"}) {
		t.Errorf("unknown are %q", unknown)
	}
	for version, want := range map[string]uint16{"1": tls.VersionTLS13, "4": tls.VersionTLS10, "5": tls.VersionTLS11, "6": tls.VersionTLS12, "9": tls.VersionTLS13} {
		o, least, err := obsolete(version)
		if from, to, wrong := o.versions(least); err != nil || wrong != nil || to != want || least != 0 && from != want {
			t.Errorf("version=%s is %x to %x, %v, %v", version, from, to, err, wrong)
		}
	}
	if _, _, err := obsolete("3"); err == nil {
		t.Error("SSL 3 is spoken")
	}
}

// TestProtocol has options add to each other, in any order.
func TestProtocol(t *testing.T) {
	for _, row := range []struct {
		options  string
		from, to uint16 // 0: refused
		ciphers  int
		tickets  bool
	}{
		{"", tls.VersionTLS12, tls.VersionTLS13, 0, true},
		{"min-version=1.0 options=NO_TICKET options=NO_TLSv1_3", tls.VersionTLS10, tls.VersionTLS12, 0, false},
		{"version=5 cipher=ECDHE-RSA-AES128-GCM-SHA256", tls.VersionTLS11, tls.VersionTLS11, 1, true},
		{"min-version=1.3 version=1", tls.VersionTLS13, tls.VersionTLS13, 0, true},
		{"min-version=1.4", 0, 0, 0, true},
		{"min-version=1.3 options=NO_TLSv1_3", 0, 0, 0, true},
		{"version=2", 0, 0, 0, true},
		{"cipher=RC4-SHA", 0, 0, 0, true},
	} {
		config, err := protocol(row.options)
		if (err == nil) != (row.from != 0) {
			t.Errorf("%s: %v", row.options, err)
		} else if err == nil && (config.MinVersion != row.from || config.MaxVersion != row.to || len(config.CipherSuites) != row.ciphers || config.SessionTicketsDisabled == row.tickets) {
			t.Errorf("%s gives %+v", row.options, config)
		}
	}
}

// protocol is what comes of options.
func protocol(options string) (*tls.Config, error) {
	var p Protocol
	for option := range strings.FieldsSeq(options) {
		name, value, _ := strings.Cut(option, "=")
		if err := p.Set(name, value, nil); err != nil {
			return nil, err
		}
	}
	return p.Config()
}

// TestNames compares names of a certificate with openssl's, and with what its attributes are.
func TestNames(t *testing.T) {
	subject := pkix.Name{ExtraNames: []pkix.AttributeTypeAndValue{
		{Type: []int{2, 5, 4, 6}, Value: "GB"}, {Type: []int{2, 5, 4, 10}, Value: "Schöol/+x"}, {Type: []int{2, 5, 4, 11}, Value: "6b"}, {Type: []int{2, 5, 4, 11}, Value: "second"},
		{Type: []int{1, 2, 840, 113549, 1, 9, 1}, Value: "ann@school.test"}, {Type: []int{1, 2, 3, 4}, Value: "unknown"}, {Type: []int{2, 5, 4, 3}, Value: "Ann\n"},
	}}
	for _, a := range attributes {
		subject.ExtraNames = append(subject.ExtraNames, pkix.AttributeTypeAndValue{Type: a.of, Value: "x"})
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: subject, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	got := string(AppendName(nil, cert.RawSubject))
	if !strings.HasPrefix(got, `/C=GB/O=Sch\xC3\xB6ol\/\+x/OU=6b/OU=second/emailAddress=ann@school.test/1.2.3.4=unknown/CN=Ann\x0A/CN=x/`) {
		t.Errorf("the name is %s", got)
	}
	if path, err := exec.LookPath("openssl"); err == nil {
		cmd := exec.Command(path, "x509", "-noout", "-subject", "-nameopt", "compat")
		cmd.Stdin = strings.NewReader(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
		if out, err := cmd.Output(); err != nil || strings.TrimSpace(strings.TrimPrefix(string(out), "subject=")) != got {
			t.Errorf("openssl has %s, %v; we %s", out, err, got)
		}
	}
	for name, want := range map[string]string{"OU": "6b", "organizationalUnitName": "6b", "2.5.4.10": "Schöol/+x", "CN": "Ann\n", "1.2.3.4": "unknown"} {
		of, ok := AttributeType(name)
		if value, there := Attribute(cert.RawSubject, of); !ok || !there || string(value) != want {
			t.Errorf("%s is %q, %v", name, value, ok)
		}
	}
	for _, name := range []string{"cn", "Nonsense", "", "1", "1..2", "99999999999.1"} {
		if of, ok := AttributeType(name); ok {
			t.Errorf("%q is the type %v", name, of)
		}
	}
	if _, ok := Attribute([]byte("no name"), attributes[0].of); ok || len(AppendName(nil, []byte{0x30, 0x80})) > 0 {
		t.Error("what is no name has parts")
	}
}

// TestLongNames has a name that is longer than what is written of it.
func TestLongNames(t *testing.T) {
	raw, err := marshal(pkix.Name{Country: []string{"GB"}, Organization: []string{strings.Repeat("o", 2000)}})
	if err != nil {
		t.Fatal(err)
	}
	if got := string(AppendName([]byte("name "), raw)); got != "name /C=GB" {
		t.Errorf("it is written as %.100s", got)
	}
}

func marshal(n pkix.Name) ([]byte, error) { return asn1.Marshal(n.ToRDNSequence()) }

func FuzzAppendName(f *testing.F) {
	raw, err := marshal(pkix.Name{Country: []string{"GB"}, CommonName: "Ann"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if got := AppendName(nil, raw); len(got) > longestName || bytes.ContainsFunc(got, func(c rune) bool { return c < ' ' || c > '~' }) {
			t.Errorf("%x is written as %q", raw, got)
		}
	})
}
