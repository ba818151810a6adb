package authority

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"sync"
	"testing"
	"time"
)

var now = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// newAuthority makes an authority that lives at the time of clock.
func newAuthority(t *testing.T, keep int, clock func() time.Time) (*Authority, *x509.CertPool) {
	t.Helper()
	cert, key, err := Make("School filter", clock())
	if err != nil {
		t.Fatal(err)
	}
	chain, err := Parse(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(chain, keep, clock)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(cert) {
		t.Fatal("the certificate is not PEM")
	}
	return a, pool
}

func TestCertificatesThatClientsTrust(t *testing.T) {
	a, pool := newAuthority(t, 10, func() time.Time { return now })
	long := strings.Repeat("a23456789.", 24) + "test"
	for host, name := range map[string]string{
		"www.blocked.test": "www.blocked.test", "WWW.Blocked.Test.": "www.blocked.test", "a_b.test": "a_b.test", long: long,
		"192.0.2.1": "192.0.2.1", "[2001:db8::1]": "2001:db8::1", "2001:db8::1": "2001:db8::1", "xn--bcher-kva.test": "xn--bcher-kva.test", "localhost": "localhost",
	} {
		c, err := a.Certificate(host)
		if err != nil {
			t.Errorf("%s: %v", host, err)
			continue
		}
		if _, err := c.Leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: pool, CurrentTime: now}); err != nil {
			t.Errorf("a client of %s says: %v", host, err)
		}
		if days := c.Leaf.NotAfter.Sub(c.Leaf.NotBefore).Hours() / 24; days > 398 {
			t.Errorf("the certificate of %s is valid for %v days", host, days)
		}
		if c.Leaf.Verify(x509.VerifyOptions{DNSName: "other.test", Roots: pool, CurrentTime: now}); c.Leaf.IsCA || len(c.Certificate) != 2 {
			t.Errorf("the certificate of %s signs others: %v, and comes with %d", host, c.Leaf.IsCA, len(c.Certificate))
		}
		if _, err := c.Leaf.Verify(x509.VerifyOptions{DNSName: "other.test", Roots: pool, CurrentTime: now}); err == nil {
			t.Errorf("the certificate of %s is good for another host", host)
		}
	}
	for _, host := range []string{"", ".", "a..test", "a b.test", "*.test", "a/b", strings.Repeat("a", 64) + ".test", long + long, "bücher.test", "a\x00.test"} {
		if c, err := a.Certificate(host); err == nil {
			t.Errorf("%q has a certificate: %v", host, c.Leaf.Subject)
		}
	}
}

func TestCertificatesAreKept(t *testing.T) {
	clock := now
	a, _ := newAuthority(t, 2, func() time.Time { return clock })
	certificate := func(host string) *tls.Certificate {
		t.Helper()
		c, err := a.Certificate(host)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	one, two := certificate("one.test"), certificate("two.test")
	if certificate("one.test") != one || certificate("ONE.test.") != one {
		t.Error("a certificate is made twice")
	}
	certificate("three.test")
	if certificate("one.test") != one || certificate("two.test") == two {
		t.Error("not the one that was asked for longest ago has gone")
	}
	clock = one.Leaf.NotAfter.Add(-time.Hour)
	if again := certificate("one.test"); !again.Leaf.NotAfter.After(clock.Add(time.Hour)) {
		t.Errorf("at %v it still is the one that ends at %v", clock, again.Leaf.NotAfter)
	}
}

func TestCertificatesEndWithTheirAuthority(t *testing.T) {
	clock := now
	a, _ := newAuthority(t, 2, func() time.Time { return clock })
	clock = a.cert.NotAfter.Add(-time.Hour)
	c, err := a.Certificate("late.test")
	if err != nil || c.Leaf.NotAfter.After(a.cert.NotAfter) {
		t.Errorf("it ends at %v, the authority at %v: %v", c.Leaf.NotAfter, a.cert.NotAfter, err)
	}
	clock = a.cert.NotAfter.Add(time.Hour)
	if _, err := a.Certificate("later.test"); err == nil || !strings.Contains(err.Error(), "has expired at") {
		t.Errorf("an expired authority says %v", err)
	}
}

func TestWhatIsNoAuthority(t *testing.T) {
	a, _ := newAuthority(t, 2, func() time.Time { return now })
	leaf, err := a.Certificate("leaf.test")
	if err != nil {
		t.Fatal(err)
	}
	cert, key, err := Make("early", now)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := Parse(append(cert, key...), append(cert, key...))
	if err != nil {
		t.Errorf("one file with both: %v", err)
	}
	for want, row := range map[string]struct {
		chain tls.Certificate
		now   time.Time
	}{
		"is not that of an authority (CA:TRUE)": {*leaf, now},
		"is valid from 2026-11-25":              {chain, now.Add(-72 * time.Hour)},
		"has expired at 2036":                   {chain, now.Add(11 * 365 * 24 * time.Hour)},
		"there is no certificate":               {tls.Certificate{}, now},
		"the key cannot sign":                   {tls.Certificate{Certificate: chain.Certificate}, now},
	} {
		if _, err := New(row.chain, 2, func() time.Time { return row.now }); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("it says %v, want %q", err, want)
		}
	}
}

// TestWhatIsWrongWithFiles has an error name the file at fault, and say what to do.
func TestWhatIsWrongWithFiles(t *testing.T) {
	cert, key, err := Make("one", now)
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := Make("other", now)
	if err != nil {
		t.Fatal(err)
	}
	der := func(text []byte) string { block, _ := pem.Decode(text); return string(block.Bytes) }
	files := map[string]string{
		"cert": string(cert), "key": string(key), "other": string(other), "empty": "\n", "nonsense": "nonsense",
		"cert.der": der(cert), "key.der": der(key), "short": string(cert[:len(cert)/2]), "short.key": string(key[:len(key)/2]),
		"damaged": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "both": string(key) + string(cert),
		"locked":  "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
		"strange": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "cut": string(cert) + string(key[:len(key)/2]),
	}
	read := func(path string) ([]byte, error) { return []byte(files[path]), nil }
	for pair, want := range map[[2]string]string{
		{"both", ""}: "", {"both", "both"}: "", {"cert", "key"}: "",
		{"other", "key"}:      "key=key: the private key is not that of the certificate",
		{"cert", "locked"}:    "key=locked: the key is encrypted with a pass phrase",
		{"cert", "empty"}:     "key=empty: the file is empty",
		{"cert", "key.der"}:   "key=key.der: it is binary (DER), and PEM is wanted: convert it (openssl pkey",
		{"cert", "short.key"}: "key=short.key: the private key in it is damaged or cut off",
		{"cert", "nonsense"}:  "key=nonsense: there is no private key in PEM",
		{"cert", "other"}:     "key=other: there is no private key in it, only CERTIFICATE",
		{"cert", "strange"}:   "key=strange: the private key cannot be used",
		{"cut", ""}:           "cert=cut: there is no private key in it, only CERTIFICATE",
		{"cert", ""}:          "cert=cert: there is no private key in it, only CERTIFICATE; tls-key= names the file",
		{"empty", "key"}:      "cert=empty: the file is empty",
		{"cert.der", "key"}:   "cert=cert.der: it is binary (DER), and PEM is wanted: convert it (openssl x509",
		{"short", "key"}:      "cert=short: the certificate in it is damaged or cut off",
		{"nonsense", "key"}:   "cert=nonsense: there is no certificate in PEM",
		{"key", "key"}:        "cert=key: there is no certificate in it, only PRIVATE KEY",
		{"damaged", "key"}:    "cert=damaged: the certificate in it is damaged: ",
	} {
		if _, err := Read(read, pair[0], pair[1]); (err == nil) != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: it says %v, want %q", pair, err, want)
		}
	}
}

func TestManyAskAtOnce(t *testing.T) {
	a, _ := newAuthority(t, 4, time.Now)
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			for i := range 20 {
				if _, err := a.Certificate(strings.Repeat("a", 1+(n+i)%6) + ".test"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}
