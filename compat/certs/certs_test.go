package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/authority"
	"exaproxy/compat/compattest"
	"exaproxy/compat/verify"
	"exaproxy/engine"
)

// newPolicy makes the policy of a configuration.
func newPolicy(t *testing.T, text string) *Policy {
	t.Helper()
	var s Settings
	acls := acl.NewSet()
	compattest.MustRead(t, acls, s.Directives(), text)
	acls.Finish()
	return &Policy{Settings: &s, Match: func(l *acl.List, r *engine.Request) acl.Answer {
		var place acl.Place
		return l.Match(r, &r.Target, &place)
	}}
}

func fault(kind verify.Kind) error { return &verify.Fault{Kind: kind} }

func TestWhatIsExcused(t *testing.T) {
	expired, wrongHost, unknown := fault(verify.Expired), fault(verify.WrongHost), fmt.Errorf("as told: %w", fault(verify.UnknownIssuer))
	const broken = "acl broken dstdomain site.test\n"
	for _, row := range []struct {
		conf string
		errs []error
		want error
	}{
		{"", []error{expired}, expired},
		{"sslproxy_cert_error allow all", []error{expired, wrongHost, unknown}, nil},
		{"sslproxy_cert_error allow all", []error{errors.New("no fault of a certificate")}, errors.New("no fault of a certificate")},
		{"sslproxy_cert_error allow all", []error{fault(verify.NoConnection)}, fault(verify.NoConnection)},
		{"sslproxy_cert_error deny all", []error{expired}, expired},
		{"sslproxy_cert_error allow ssl::certHasExpired", []error{expired}, nil},
		{"sslproxy_cert_error allow ssl::certHasExpired", []error{wrongHost}, wrongHost},
		{"sslproxy_cert_error allow ssl::certHasExpired", []error{expired, wrongHost}, wrongHost},
		{"sslproxy_cert_error allow ssl::certHasExpired ssl::certDomainMismatch", []error{expired, wrongHost}, expired}, // each alone
		{"sslproxy_cert_error allow ssl::certHasExpired\nsslproxy_cert_error allow ssl::certUntrusted", []error{unknown, expired}, nil},
		{broken + "sslproxy_cert_error allow broken", []error{expired}, nil},
		{broken + "sslproxy_cert_error allow !broken", []error{expired}, expired},
		{"acl slow dst 192.0.2.1\nsslproxy_cert_error allow slow", []error{expired}, expired},
		{"acl known server_cert_fingerprint 86:F7:E4:37:FA:A5:A7:FC:E1:5D:1D:DC:B9:EA:EA:EA:37:76:67:B8\nsslproxy_cert_error allow known", []error{expired}, nil},
		{"acl step at_step SslBump2\nsslproxy_cert_error allow step", []error{expired}, nil},
	} {
		p, r := newPolicy(t, row.conf), compattest.NewRequest(t, "CONNECT site.test:443 HTTP/1.1")
		seen := &engine.SeenTLS{Step: 2}
		r.TLS = seen
		f := p.Trusts(r, []*x509.Certificate{{Raw: []byte("a")}}, row.errs)
		switch {
		case row.want == nil && f == nil:
		case f == nil || row.want == nil || f.Err.Error() != row.want.Error() || f.Kind != engine.CannotSecure || f.Side != engine.UpstreamSide:
			t.Errorf("%q, %v: it says %v, want %v", row.conf, row.errs, f, row.want)
		}
		if r.TLS != seen || seen.Errors != nil || seen.Server != nil {
			t.Errorf("%q: what was seen is changed", row.conf)
		}
	}
	r := compattest.NewRequest(t, "GET https://site.test/ HTTP/1.1")
	if f := newPolicy(t, "sslproxy_cert_error allow ssl::certHasExpired").Trusts(r, nil, []error{expired}); f != nil || r.TLS != nil {
		t.Errorf("a request that came without TLS: %v, %v", f, r.TLS)
	}
}

// bumped is a request whose client is about to be shown a certificate in the place of a server's.
func bumped(t *testing.T, errs ...error) *engine.Request {
	t.Helper()
	cert, key, err := authority.Make("School filter", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	chain, err := authority.Parse(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := authority.New(chain, 10, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	r := compattest.NewRequest(t, "CONNECT 192.0.2.1:443 HTTP/1.1")
	r.Port = &engine.Port{Certificate: signer.Certificate, State: signer}
	r.TLS = &engine.SeenTLS{Step: 3, ServerName: "site.test", Server: []*x509.Certificate{serverCertificate(t)}, Errors: errs}
	return r
}

func serverCertificate(t *testing.T) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "real.test"}, DNSNames: []string{"real.test", "site.test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func TestWhatClientsAreShown(t *testing.T) {
	const excused = "sslproxy_cert_error allow all\n"
	const distrusted = `Not trusted by "School filter"`
	for _, row := range []struct {
		conf            string
		errs            []error
		subject, issuer string
	}{
		{"", nil, "real.test", "School filter"},
		{"", []error{fault(verify.Expired)}, "site.test", "School filter"}, // of the page that says so
		{excused, []error{fault(verify.Expired)}, "real.test", "School filter"},
		{excused, []error{fault(verify.UnknownIssuer)}, "real.test", distrusted},
		{excused, []error{fault(verify.Expired), fault(verify.UntrustedRoot)}, "real.test", distrusted},
		{excused, []error{fault(verify.SelfSigned)}, "real.test", "real.test"},
		{excused + "sslproxy_cert_sign signTrusted all", []error{fault(verify.SelfSigned)}, "real.test", "School filter"},
		{excused + "sslproxy_cert_sign signSelf ssl::certHasExpired\nsslproxy_cert_sign signTrusted all", []error{fault(verify.Expired)}, "real.test", "real.test"},
		{"sslproxy_cert_sign signSelf ssl::certHasExpired\nsslproxy_cert_sign signUntrusted all", nil, "real.test", distrusted},
		{"sslproxy_cert_sign signSelf", nil, "real.test", "School filter"}, // without acls it does nothing
		{"sslproxy_cert_adapt setCommonName all", nil, "site.test", "School filter"},
		{"sslproxy_cert_adapt setCommonName{x.test} all\nsslproxy_cert_adapt setCommonName{y.test} all", nil, "x.test", "School filter"},
		{"sslproxy_cert_adapt setCommonName{x.test} ssl::certDomainMismatch\nsslproxy_cert_adapt setCommonName{y.test} all", nil, "y.test", "School filter"},
	} {
		p, r := newPolicy(t, row.conf), bumped(t, row.errs...)
		c, err := p.Certify(r)("site.test")
		if err != nil {
			t.Fatal(err)
		}
		if c.Leaf.Subject.CommonName != row.subject || c.Leaf.Issuer.CommonName != row.issuer {
			t.Errorf("%q, %v: it is that of %s, signed by %s, want %s and %s", row.conf, row.errs, c.Leaf.Subject, c.Leaf.Issuer, row.subject, row.issuer)
		}
	}
}

func TestAdaptedDates(t *testing.T) {
	r := bumped(t)
	shown := func(conf string) *tls.Certificate {
		c, err := newPolicy(t, conf).Certify(r)("site.test")
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	plain := shown("").Leaf
	before, after := shown("sslproxy_cert_adapt setValidBefore all").Leaf, shown("sslproxy_cert_adapt setValidAfter{x} all").Leaf
	if !before.NotBefore.Before(plain.NotBefore) || !before.NotAfter.Equal(plain.NotAfter) {
		t.Errorf("setValidBefore: from %v to %v", before.NotBefore, before.NotAfter)
	}
	if !after.NotAfter.After(plain.NotAfter) || !after.NotBefore.Equal(plain.NotBefore) {
		t.Errorf("setValidAfter: from %v to %v", after.NotBefore, after.NotAfter)
	}
}

func TestWithoutAServerThePortSigns(t *testing.T) {
	r := bumped(t)
	r.TLS.Server = nil
	if c, err := newPolicy(t, "").Certify(r)("other.test"); err != nil || c.Leaf.Subject.CommonName != "other.test" {
		t.Errorf("it is %v: %v", c, err)
	}
}

func TestLinesThatAreWrong(t *testing.T) {
	for line, want := range map[string]string{
		"sslproxy_cert_sign signFoo all":                  "unknown cert signing algorithm: signFoo",
		"sslproxy_cert_sign signtrusted all":              "unknown cert signing algorithm: signtrusted",
		"sslproxy_cert_sign":                              "Bungled",
		"sslproxy_cert_sign signTrusted nosuch":           "ACL not found: nosuch",
		"sslproxy_cert_adapt setFoo all":                  "unknown cert adaptation algorithm: setFoo",
		"sslproxy_cert_adapt setCommonName{a all":         "Bungled",
		"sslproxy_cert_adapt setCommonName{} all":         "no certificate can be for ''",
		"sslproxy_cert_adapt setCommonName{*.x.test} all": "no certificate can be for '*.x.test'",
		"sslproxy_cert_adapt":                             "Bungled",
		"sslproxy_cert_adapt setValidAfter nosuch":        "ACL not found: nosuch",
		"sslproxy_cert_error allow nosuch":                "ACL not found: nosuch",
	} {
		var s Settings
		_, err := compattest.Read(acl.NewSet(), s.Directives(), line)
		if err == nil || !strings.Contains(fmt.Sprintf("%v %T", err, err), want) && want != "Bungled" {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
	}
	for line, want := range map[string]string{
		"sslproxy_cert_sign signSelf":       "a line without acls has no effect",
		"sslproxy_cert_adapt setValidAfter": "a line without acls has no effect",
		"sslproxy_cert_error foo all":       "expecting 'allow' or 'deny', got 'foo'.",
	} {
		var s Settings
		r := compattest.MustRead(t, acl.NewSet(), s.Directives(), line)
		if !strings.Contains(strings.Join(r.Messages, "\n"), want) {
			t.Errorf("%s: it says %q, want %q", line, r.Messages, want)
		}
	}
}
