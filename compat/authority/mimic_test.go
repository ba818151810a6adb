package authority

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"exaproxy/compat/verify"
)

const day = 24 * time.Hour

// originKey is the key of all origins; to make one takes longer than anything else here.
var originKey = func() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}()

// origin makes the certificate of an origin, which signs itself: who signed it matters to nobody here.
func origin(t testing.TB, edit func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "site.test", Organization: []string{"Origin, Inc."}, Country: []string{"DE"}},
		NotBefore: now.Add(-30 * day), NotAfter: now.Add(60 * day), DNSNames: []string{"site.test", "*.site.test"}, IPAddresses: []net.IP{{192, 0, 2, 1}},
		EmailAddresses: []string{"a@site.test"}, OCSPServer: []string{"http://ocsp.test"}, PolicyIdentifiers: []asn1.ObjectIdentifier{{1, 2, 3}},
	}
	if edit != nil {
		edit(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, originKey.Public(), originKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func imitation(t testing.TB, a *Authority, of *x509.Certificate, host string, how Imitation) *tls.Certificate {
	t.Helper()
	c, err := a.Mimic(of, host, how)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestImitationsAreAsSquids has what Squid 5.7 made of such a certificate.
func TestImitationsAreAsSquids(t *testing.T) {
	a, pool := newAuthority(t, 10, func() time.Time { return now })
	of := origin(t, nil)
	c := imitation(t, a, of, "www.site.test", Imitation{})
	leaf := c.Leaf
	if got := leaf.Subject.String(); got != "CN=site.test,O=Origin\\, Inc.,C=DE" || !bytes.Equal(leaf.RawSubject, of.RawSubject) {
		t.Errorf("the subject is %s", got)
	}
	if !slices.Equal(leaf.DNSNames, of.DNSNames) || len(leaf.IPAddresses) != 1 || !leaf.IPAddresses[0].Equal(of.IPAddresses[0]) {
		t.Errorf("it is for %q and %v", leaf.DNSNames, leaf.IPAddresses)
	}
	if !leaf.NotBefore.Equal(of.NotBefore) || !leaf.NotAfter.Equal(of.NotAfter) {
		t.Errorf("it is valid from %v to %v", leaf.NotBefore, leaf.NotAfter)
	}
	if leaf.Issuer.CommonName != "School filter" || len(c.Certificate) != 2 || leaf.SerialNumber.Cmp(of.SerialNumber) == 0 || len(leaf.OCSPServer) != 0 {
		t.Errorf("signed by %s, %d in the chain, serial %v, OCSP %q", leaf.Issuer, len(c.Certificate), leaf.SerialNumber, leaf.OCSPServer)
	}
	for _, host := range []string{"site.test", "www.site.test", "192.0.2.1"} {
		if _, err := leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: pool, CurrentTime: now}); err != nil {
			t.Errorf("a client of %s says: %v", host, err)
		}
	}
	if err := leaf.VerifyHostname("other.test"); err == nil {
		t.Error("it is for another host too")
	}
}

func TestWhoSignsImitations(t *testing.T) {
	a, pool := newAuthority(t, 10, func() time.Time { return now })
	of := origin(t, nil)
	for sign, issuer := range map[Signing]string{Trusted: "School filter", Untrusted: `Not trusted by "School filter"`, Self: "site.test"} {
		c := imitation(t, a, of, "site.test", Imitation{Sign: sign})
		_, err := c.Leaf.Verify(x509.VerifyOptions{DNSName: "site.test", Roots: pool, CurrentTime: now})
		if c.Leaf.Issuer.CommonName != issuer || (err == nil) != (sign == Trusted) || (len(c.Certificate) == 2) != (sign == Trusted) {
			t.Errorf("%d: signed by %s, %d in the chain, a client says %v", sign, c.Leaf.Issuer, len(c.Certificate), err)
		}
		if self := bytes.Equal(c.Leaf.RawIssuer, c.Leaf.RawSubject); self != (sign == Self) {
			t.Errorf("%d: signed by itself: %v", sign, self)
		}
	}
	one, two := imitation(t, a, of, "site.test", Imitation{Sign: Untrusted}), imitation(t, a, of, "www.site.test", Imitation{Sign: Untrusted})
	if !bytes.Equal(one.Leaf.AuthorityKeyId, two.Leaf.AuthorityKeyId) || len(one.Leaf.AuthorityKeyId) == 0 {
		t.Error("the authority that is not trusted is made anew each time")
	}
}

func TestDatesOfImitations(t *testing.T) {
	a, _ := newAuthority(t, 10, func() time.Time { return now })
	from, to := a.cert.NotBefore, a.cert.NotAfter
	for name, row := range map[string]struct {
		from, to         time.Time // of the original
		how              Imitation
		wantFrom, wantTo time.Time
	}{
		"expired":               {now.Add(-90 * day), now.Add(-day), Imitation{}, now.Add(-90 * day), now.Add(-day)},
		"not yet valid":         {now.Add(day), now.Add(9 * day), Imitation{}, now.Add(day), now.Add(9 * day)},
		"long":                  {now.Add(-900 * day), now.Add(900 * day), Imitation{}, now.Add(-2 * day), now.Add(396 * day)},
		"long and new":          {now.Add(-day), now.Add(900 * day), Imitation{}, now.Add(-day), now.Add(397 * day)},
		"long and near its end": {now.Add(-900 * day), now.Add(9 * day), Imitation{}, now.Add(-2 * day), now.Add(9 * day)},
		"long and over":         {now.Add(-900 * day), now.Add(-day), Imitation{}, now.Add(-399 * day), now.Add(-day)},
		"long and to come":      {now.Add(day), now.Add(900 * day), Imitation{}, now.Add(day), now.Add(399 * day)},
		"setValidAfter":         {now.Add(-90 * day), now.Add(-day), Imitation{ValidAfter: true}, now.Add(-2 * day), now.Add(396 * day)},
		"setValidBefore":        {now.Add(day), now.Add(9 * day), Imitation{ValidBefore: true}, from, now.Add(9 * day)},
		"both":                  {now.Add(day), now.Add(2 * day), Imitation{ValidBefore: true, ValidAfter: true}, from, earliest(to, from.Add(398*day))},
	} {
		of := origin(t, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = row.from, row.to })
		leaf := imitation(t, a, of, "site.test", row.how).Leaf
		if !leaf.NotBefore.Equal(row.wantFrom) || !leaf.NotAfter.Equal(row.wantTo) {
			t.Errorf("%s: from %v to %v, want %v to %v", name, leaf.NotBefore, leaf.NotAfter, row.wantFrom, row.wantTo)
		}
	}
}

func TestSetCommonName(t *testing.T) {
	a, _ := newAuthority(t, 10, func() time.Time { return now })
	of := origin(t, nil)
	long := strings.Repeat("a23456789.", 8) + "test"
	for name, subject := range map[string]string{"Other.test.": "CN=other.test,O=Origin\\, Inc.,C=DE", long: "O=Origin\\, Inc.,C=DE", "[2001:db8::1]": "CN=2001:db8::1,O=Origin\\, Inc.,C=DE"} {
		leaf := imitation(t, a, of, "site.test", Imitation{CommonName: name}).Leaf
		if leaf.Subject.String() != subject || leaf.VerifyHostname(strings.Trim(name, "[].")) != nil || leaf.VerifyHostname("site.test") == nil {
			t.Errorf("%s: it is %s, for %q and %v", name, leaf.Subject, leaf.DNSNames, leaf.IPAddresses)
		}
	}
	if c, err := a.Mimic(of, "site.test", Imitation{CommonName: "no name"}); err == nil {
		t.Errorf("it is %s", c.Leaf.Subject)
	}
}

func TestMonstersAreCutDown(t *testing.T) {
	a, _ := newAuthority(t, 100, func() time.Time { return now })
	for name, row := range map[string]struct {
		edit    func(*x509.Certificate)
		host    string
		dns     string // of the imitation
		subject string
	}{
		"10,000 names, for the host":     {func(c *x509.Certificate) { c.DNSNames = append(many(10_000), "*.site.test") }, "www.site.test", "www.site.test", "CN=site.test,O=Origin\\, Inc.,C=DE"},
		"10,000 names, not for the host": {func(c *x509.Certificate) { c.DNSNames = many(10_000) }, "www.site.test", strings.Join(many(10), " "), "CN=site.test,O=Origin\\, Inc.,C=DE"},
		"long names": {func(c *x509.Certificate) {
			c.DNSNames = append(slices.Repeat([]string{strings.Repeat("a23456789.", 24) + "test"}, 50), "site.test")
		}, "site.test", "site.test", "CN=site.test,O=Origin\\, Inc.,C=DE"},
		"no names": {func(c *x509.Certificate) { c.DNSNames = nil }, "site.test", "", "CN=site.test,O=Origin\\, Inc.,C=DE"},
		"nobody":   {func(c *x509.Certificate) { c.DNSNames, c.Subject = nil, pkix.Name{} }, "site.test", "", ""},
		"names of nobody": {func(c *x509.Certificate) {
			c.DNSNames = []string{"*", "a\x00.test", "a b.test", "*.*.test", "x.*.test", "", "ok.test"}
		}, "site.test", "ok.test", "CN=site.test,O=Origin\\, Inc.,C=DE"},
		"a NUL":             {func(c *x509.Certificate) { c.Subject.CommonName = "bank.test\x00.site.test" }, "site.test", "site.test *.site.test", "CN=site.test"},
		"a NUL and no name": {func(c *x509.Certificate) { c.DNSNames, c.Subject.CommonName = nil, "bank.test\x00.site.test" }, "site.test", "", ""},
		"a long subject":    {func(c *x509.Certificate) { c.Subject.OrganizationalUnit = []string{strings.Repeat("x", 1<<20)} }, "site.test", "site.test *.site.test", "CN=site.test"},
		"a long extension": {func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: []int{1, 2, 3, 4}, Value: make([]byte, 1<<20)}}
		}, "site.test", "site.test *.site.test", "CN=site.test,O=Origin\\, Inc.,C=DE"},
		"an authority": {func(c *x509.Certificate) {
			c.IsCA, c.BasicConstraintsValid, c.KeyUsage, c.ExtKeyUsage = true, true, x509.KeyUsageCertSign, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		}, "site.test", "site.test *.site.test", "CN=site.test,O=Origin\\, Inc.,C=DE"},
	} {
		of := origin(t, row.edit)
		for _, sign := range []Signing{Trusted, Untrusted, Self} {
			leaf := imitation(t, a, of, row.host, Imitation{Sign: sign}).Leaf
			if got := strings.Join(leaf.DNSNames, " "); got != row.dns || leaf.Subject.String() != row.subject {
				t.Errorf("%s: it is %s, for %q", name, leaf.Subject, got)
			}
			sane(t, of, leaf, row.host)
		}
	}
}

func many(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("h%d.test", i))
	}
	return names
}

// sane is what holds for every imitation.
func sane(t *testing.T, of, leaf *x509.Certificate, host string) {
	t.Helper()
	switch {
	case leaf.IsCA || !leaf.BasicConstraintsValid || leaf.KeyUsage != x509.KeyUsageDigitalSignature:
		t.Error("it signs others")
	case !slices.Equal(leaf.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}):
		t.Errorf("it is good for %v", leaf.ExtKeyUsage)
	case len(leaf.Raw) > 10<<10:
		t.Errorf("it has %d bytes", len(leaf.Raw))
	case leaf.NotAfter.Sub(leaf.NotBefore) > longestValidity:
		t.Errorf("it is valid from %v to %v", leaf.NotBefore, leaf.NotAfter)
	case leaf.VerifyHostname(host) == nil && !verify.IsFor(of, host):
		t.Errorf("it is for %s, and the original is not", host)
	}
}

func TestImitationsAreKept(t *testing.T) {
	clock := now
	a, _ := newAuthority(t, 10, func() time.Time { return clock })
	of := origin(t, func(c *x509.Certificate) { c.NotAfter = now.Add(900 * day) })
	first := imitation(t, a, of, "site.test", Imitation{})
	if imitation(t, a, of, "SITE.test.", Imitation{}) != first {
		t.Error("it is made twice")
	}
	for name, other := range map[string]*tls.Certificate{
		"another origin": imitation(t, a, origin(t, nil), "site.test", Imitation{}), "another host": imitation(t, a, of, "www.site.test", Imitation{}),
		"another signer": imitation(t, a, of, "site.test", Imitation{Sign: Self}), "another end": imitation(t, a, of, "site.test", Imitation{ValidAfter: true}),
		"another name": imitation(t, a, of, "site.test", Imitation{CommonName: "x.test"}),
	} {
		if other == first {
			t.Errorf("%s has the same certificate", name)
		}
	}
	if c, err := a.Certificate("site.test"); err != nil || c == first {
		t.Errorf("a page has the certificate of the site: %v", err)
	}
	if clock = first.Leaf.NotAfter.Add(-time.Hour); imitation(t, a, of, "site.test", Imitation{}) == first {
		t.Error("it is not made anew before its end, which is not the original's")
	}
	clock = now
	expired := origin(t, func(c *x509.Certificate) { c.NotAfter = now.Add(-day) })
	if first = imitation(t, a, expired, "site.test", Imitation{}); imitation(t, a, expired, "site.test", Imitation{}) != first {
		t.Error("that of an expired certificate is made twice")
	}
}

// TestImitationsOfAnExpiredAuthority has an authority that can no longer sign.
func TestImitationsOfAnExpiredAuthority(t *testing.T) {
	clock := now
	a, _ := newAuthority(t, 10, func() time.Time { return clock })
	clock = a.cert.NotAfter.Add(time.Hour)
	if _, err := a.Mimic(origin(t, nil), "site.test", Imitation{}); err == nil || !strings.Contains(err.Error(), "has expired at") {
		t.Errorf("it says %v", err)
	}
}

func FuzzMimic(f *testing.F) {
	for _, edit := range []func(*x509.Certificate){nil, func(c *x509.Certificate) { c.Subject.CommonName = "a\x00b" }, func(c *x509.Certificate) { c.DNSNames = many(200) }} {
		f.Add(origin(f, edit).Raw, "site.test", byte(0), "")
	}
	f.Fuzz(func(t *testing.T, der []byte, host string, how byte, commonName string) {
		of, err := x509.ParseCertificate(der)
		if err != nil {
			return
		}
		a, _ := newAuthority(t, 1, func() time.Time { return now })
		c, err := a.Mimic(of, host, Imitation{Sign: Signing(how % 3), ValidAfter: how&4 != 0, ValidBefore: how&8 != 0, CommonName: commonName})
		if err == nil && commonName == "" {
			sane(t, of, c.Leaf, host)
		}
	})
}
