package outgoing

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/authority"
	"exaproxy/compat/compattest"
	"exaproxy/compat/verify"
	"exaproxy/engine"
)

// An origin is an authority with its files, and a certificate of a server that it has signed.
type origin struct {
	ca, both, hashed string // paths: of its certificate, of it with the key, of a folder
	leaf             *x509.Certificate
	authority        *x509.Certificate
	chain            tls.Certificate
}

func newOrigin(t *testing.T) *origin {
	t.Helper()
	cert, key, err := authority.Make("one of two", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	o := &origin{hashed: t.TempDir()}
	o.ca, o.both = o.file(t, "ca.pem", cert), o.file(t, "both.pem", append(slices.Clip(cert), key...))
	o.file(t, "0123abcd.0", cert)
	if o.chain, err = authority.Parse(cert, key); err != nil {
		t.Fatal(err)
	}
	a, err := authority.New(o.chain, 1, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := a.Certificate("other.test")
	if err != nil {
		t.Fatal(err)
	}
	o.leaf = leaf.Leaf
	if o.authority, err = x509.ParseCertificate(o.chain.Certificate[0]); err != nil {
		t.Fatal(err)
	}
	return o
}

// file writes a file into the folder.
func (o *origin) file(t *testing.T, name string, text []byte) string {
	t.Helper()
	path := filepath.Join(o.hashed, name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// revoking writes a list of revoked certificates.
func (o *origin) revoking(t *testing.T, name string, serials ...*big.Int) string {
	t.Helper()
	list := x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour)}
	for _, n := range serials {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: n, RevocationTime: time.Now()})
	}
	der, err := x509.CreateRevocationList(rand.Reader, &list, o.authority, o.chain.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	return o.file(t, name, pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}))
}

func read(t *testing.T, lines ...string) *Settings {
	t.Helper()
	var s Settings
	compattest.MustRead(t, acl.NewSet(), s.Directives(), strings.Join(lines, "\n"))
	return &s
}

func TestOptions(t *testing.T) {
	o := newOrigin(t)
	for line, right := range map[string]func(*tls.Config) bool{
		"min-version=1.1": func(c *tls.Config) bool {
			return c.MinVersion == tls.VersionTLS11 && c.MaxVersion == tls.VersionTLS13 && !c.InsecureSkipVerify
		},
		"options=NO_SSLv3,NO_TLSv1:NO_TLSv1_1,ALL,NO_TICKET": func(c *tls.Config) bool { return c.MinVersion == tls.VersionTLS12 && c.MaxVersion == tls.VersionTLS13 },
		"options=NO_TLSv1_3 min-version=1.0":                 func(c *tls.Config) bool { return c.MinVersion == tls.VersionTLS10 && c.MaxVersion == tls.VersionTLS12 },
		"options=NO_TLSv1_2":                                 func(c *tls.Config) bool { return c.MinVersion == tls.VersionTLS13 },
		"options=FOO,0x4":                                    func(c *tls.Config) bool { return c.MinVersion == tls.VersionTLS12 },
		"version=5":                                          func(c *tls.Config) bool { return c.MinVersion == tls.VersionTLS11 && c.MaxVersion == tls.VersionTLS11 },
		"min-version=1.3 version=1":                          func(c *tls.Config) bool { return c.MinVersion == tls.VersionTLS13 },
		"version=1":                                          func(c *tls.Config) bool { return c.MinVersion == tls.VersionTLS12 && c.MaxVersion == tls.VersionTLS13 },
		"flags=DONT_VERIFY_PEER":                             func(c *tls.Config) bool { return c.InsecureSkipVerify },
		"cert=" + o.both:                                     func(c *tls.Config) bool { return len(c.Certificates) == 1 },
		"key=" + o.both + " cert=" + o.both:                  func(c *tls.Config) bool { return len(c.Certificates) == 1 },
		"cipher=HIGH:!aNULL:!MD5": func(c *tls.Config) bool {
			return slices.Contains(c.CipherSuites, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256) && len(c.CipherSuites) == 10
		},
		"cipher=ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES128-SHA:AES128-SHA:!RC4:!aNULL": func(c *tls.Config) bool {
			return slices.Equal(c.CipherSuites, []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256})
		},
		"domain=x no-npn flags=NO_SESSION_REUSE,CONDITIONAL_AUTH,DELAYED_AUTH": func(c *tls.Config) bool { return !c.InsecureSkipVerify },
	} {
		var c engine.Config
		s := read(t, "tls_outgoing_options "+line)
		if s.Configure(&c); !right(c.OutgoingTLS) || (c.VerifyServer == nil) != s.anyPeer {
			t.Errorf("%s gives %+v", line, c.OutgoingTLS)
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	o := newOrigin(t)
	empty := o.file(t, "empty", nil)
	for line, want := range map[string]string{
		"min-version=1.4":                    "the versions of TLS are",
		"cafile=/nonexistent.pem":            "no such file",
		"cafile=" + empty:                    "there is no certificate in it",
		"capath=/nonexistent":                "there is no file in it",
		"capath=" + t.TempDir():              "there is no file in it",
		"crlfile=/nonexistent":               "no such file",
		"crlfile=" + o.ca:                    "there is no CRL in it",
		"cert=/nonexistent.pem":              "no such file",
		"key=" + o.both:                      "cert= option must be set before key= is used",
		"flags=FOO":                          "Unknown TLS flag 'FOO'",
		"disable":                            "cannot be followed",
		"sslflags=DONT_VERIFY_PEER":          "Unknown TLS option",
		"version=3":                          "SSL 2 and 3 are broken",
		"options=NO_TLSv1_2 min-version=1.1": "between others cannot be left out",
		"options=NO_TLSv1_2,NO_TLSv1_3":      "no version of TLS is left",
		"cipher=RC4-SHA:DHE-DSS-AES128-SHA":  "RFC 7465",
		"cipher=!aNULL":                      "none can be used",
	} {
		var s Settings
		if _, err := compattest.Read(acl.NewSet(), s.Directives(), "tls_outgoing_options "+line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s gives %v, want %q", line, err, want)
		}
	}
}

// TestWhoIsTrusted has certificates be judged by what lines say. Of two authorities the first is in the files.
func TestWhoIsTrusted(t *testing.T) {
	o, stranger := newOrigin(t), newOrigin(t)
	const unknown, wrongHost = "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ", "SQUID_X509_V_ERR_DOMAIN_MISMATCH "
	for _, row := range []struct {
		lines                  []string
		right, wrong, byOthers string // what is said of other.test, of another host, of another authority
	}{
		{[]string{"tls_outgoing_options default-ca=off cafile=" + o.ca}, "", wrongHost, unknown},
		{[]string{"tls_outgoing_options default-ca=off", "tls_outgoing_options cafile=" + o.ca}, "", wrongHost, unknown},
		{[]string{"tls_outgoing_options capath=" + o.hashed}, "", wrongHost, unknown},
		{[]string{"sslproxy_capath " + o.hashed, "sslproxy_flags DONT_VERIFY_DOMAIN"}, "", "", unknown},
		{[]string{"tls_outgoing_options flags=NO_DEFAULT_CA", "sslproxy_cafile " + o.ca, "sslproxy_cipher HIGH", "sslproxy_options NO_SSLv2", "sslproxy_version 1"}, "", wrongHost, unknown},
		{[]string{"tls_outgoing_options flags=DONT_VERIFY_DOMAIN cafile=" + o.ca}, "", "", unknown},
		{[]string{"tls_outgoing_options flags=DONT_VERIFY_PEER", "tls_outgoing_options min-version=1.2"}, "", "", ""},
		{[]string{"tls_outgoing_options flags=NO_SESSION_REUSE"}, unknown, unknown + wrongHost, unknown},
		{[]string{"tls_outgoing_options flags=VERIFY_CRL cafile=" + o.ca}, "X509_V_ERR_UNABLE_TO_GET_CRL ", "X509_V_ERR_UNABLE_TO_GET_CRL " + wrongHost, unknown + "X509_V_ERR_UNABLE_TO_GET_CRL "},
		{[]string{"tls_outgoing_options cafile=" + o.ca + " crlfile=" + o.revoking(t, "list.pem", o.leaf.SerialNumber)}, "X509_V_ERR_CERT_REVOKED ", "X509_V_ERR_CERT_REVOKED " + wrongHost, unknown + "X509_V_ERR_UNABLE_TO_GET_CRL "},
		{[]string{"tls_outgoing_options flags=VERIFY_CRL_ALL cafile=" + o.ca + " crlfile=" + o.revoking(t, "empty.pem")}, "", wrongHost, unknown + "X509_V_ERR_UNABLE_TO_GET_CRL "},
		{[]string{"tls_outgoing_options flags=VERIFY_CRL cafile=" + o.ca + " crlfile=" + o.revoking(t, "root.pem", o.authority.SerialNumber)}, "", wrongHost, unknown + "X509_V_ERR_UNABLE_TO_GET_CRL "},
		{[]string{"tls_outgoing_options flags=VERIFY_CRL_ALL,VERIFY_CRL cafile=" + o.ca + " crlfile=" + o.revoking(t, "root.pem", o.authority.SerialNumber)}, "X509_V_ERR_CERT_REVOKED ", "X509_V_ERR_CERT_REVOKED " + wrongHost, unknown + "X509_V_ERR_UNABLE_TO_GET_CRL "},
		{nil, unknown, unknown + wrongHost, unknown},
	} {
		s := read(t, row.lines...)
		said := func(c *x509.Certificate, host string) (all string) {
			for _, fault := range s.Faults([]*x509.Certificate{c}, host, time.Now()) {
				all += fault.Kind.String() + " "
			}
			return all
		}
		if got := said(o.leaf, "other.test"); got != row.right {
			t.Errorf("%q: %s, want %s", row.lines, got, row.right)
		}
		if got := said(o.leaf, "site.test"); got != row.wrong {
			t.Errorf("%q, another host: %s, want %s", row.lines, got, row.wrong)
		}
		if got := said(stranger.leaf, "other.test"); got != row.byOthers {
			t.Errorf("%q, another authority: %s, want %s", row.lines, got, row.byOthers)
		}
	}
}

// TestTheEngineIsToldOfFaults has it call what Configure gives it.
func TestTheEngineIsToldOfFaults(t *testing.T) {
	o := newOrigin(t)
	var c engine.Config
	read(t, "tls_outgoing_options default-ca=off cafile="+o.ca).Configure(&c)
	if errs := c.VerifyServer("other.test", []*x509.Certificate{o.leaf}); len(errs) > 0 {
		t.Errorf("it says %v", errs)
	}
	errs := c.VerifyServer("192.0.2.1", []*x509.Certificate{o.leaf})
	var fault *verify.Fault
	if len(errs) != 1 || !errors.As(errs[0], &fault) || fault.Kind != verify.WrongHost {
		t.Errorf("it says %v", errs)
	}
}

func TestForeignIntermediates(t *testing.T) {
	o := newOrigin(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	template.Subject.CommonName = "between"
	der, err := x509.CreateCertificate(rand.Reader, template, o.authority, key.Public(), o.chain.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.ReadFile(o.ca)
	if err != nil {
		t.Fatal(err)
	}
	file := o.file(t, "between.pem", append(root, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...))
	s := read(t, "sslproxy_foreign_intermediate_certs "+file)
	if all := s.verify.Intermediates; len(all) != 1 || all[0].Subject.CommonName != "between" {
		t.Errorf("they are %v", all)
	}
	if _, err := compattest.Read(acl.NewSet(), s.Directives(), "sslproxy_foreign_intermediate_certs /nonexistent"); err == nil {
		t.Error("a file that is not there is no error")
	}
}
