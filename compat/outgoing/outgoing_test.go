package outgoing

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/authority"
	"exaproxy/compat/compattest"
	"exaproxy/engine"
)

func TestOptions(t *testing.T) {
	cert, key, err := authority.Make("outgoing", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	both, empty := filepath.Join(t.TempDir(), "both.pem"), filepath.Join(t.TempDir(), "empty")
	for path, text := range map[string][]byte{both: append(cert, key...), empty: nil} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for line, right := range map[string]func(*tls.Config) bool{
		"min-version=1.2": func(c *tls.Config) bool {
			return c.MinVersion == tls.VersionTLS12 && c.RootCAs == nil && !c.InsecureSkipVerify
		},
		"cafile=" + both:                            func(c *tls.Config) bool { return c.RootCAs != nil },
		"default-ca=off cafile=" + both:             func(c *tls.Config) bool { return c.RootCAs != nil && !c.InsecureSkipVerify },
		"flags=DONT_VERIFY_PEER":                    func(c *tls.Config) bool { return c.InsecureSkipVerify && c.VerifyConnection == nil },
		"flags=DONT_VERIFY_DOMAIN,NO_SESSION_REUSE": func(c *tls.Config) bool { return c.InsecureSkipVerify && c.VerifyConnection != nil },
		"cert=" + both:                              func(c *tls.Config) bool { return len(c.Certificates) == 1 },
		"cert=" + both + " key=" + both:             func(c *tls.Config) bool { return len(c.Certificates) == 1 },
		"cipher=HIGH options=NO_SSLv3":              func(c *tls.Config) bool { return c.CipherSuites == nil },
	} {
		var s Settings
		compattest.MustRead(t, acl.NewSet(), s.Directives(), "tls_outgoing_options "+line)
		var c engine.Config
		if s.Configure(&c); !right(c.OutgoingTLS) {
			t.Errorf("%s gives %+v", line, c.OutgoingTLS)
		}
	}
	for line, want := range map[string]string{
		"min-version=1.4":         "the versions of TLS are",
		"cafile=/nonexistent.pem": "no such file",
		"cafile=" + empty:         "there is no certificate in it",
		"cert=/nonexistent.pem":   "no such file",
		"flags=VERIFY_CRL":        "cannot be followed",
		"disable":                 "cannot be followed yet",
	} {
		var s Settings
		if _, err := compattest.Read(acl.NewSet(), s.Directives(), "tls_outgoing_options "+line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s gives %v, want %q", line, err, want)
		}
	}
}

// TestWhoIsTrusted has a server's certificate be judged by who signed it, whatever its name, and by nobody else
// where the system's authorities are left out.
func TestWhoIsTrusted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ca.pem")
	var signed [2]*x509.Certificate
	for i := range signed {
		cert, key, err := authority.Make("one of two", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			if err := os.WriteFile(path, cert, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		chain, err := authority.Parse(cert, key)
		if err != nil {
			t.Fatal(err)
		}
		a, err := authority.New(chain, 1, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := a.Certificate("other.test")
		if err != nil {
			t.Fatal(err)
		}
		signed[i] = leaf.Leaf
	}
	var s Settings
	compattest.MustRead(t, acl.NewSet(), s.Directives(), "tls_outgoing_options flags=DONT_VERIFY_DOMAIN default-ca=off cafile="+path)
	verify := func(c *x509.Certificate) error {
		return s.Config.VerifyConnection(tls.ConnectionState{ServerName: "site.test", PeerCertificates: []*x509.Certificate{c}})
	}
	if err := verify(signed[0]); err != nil {
		t.Errorf("who was signed by the authority is refused: %v", err)
	}
	if err := verify(signed[1]); err == nil {
		t.Error("who was signed by another is trusted")
	}
	ours := x509.NewCertPool()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	ours.AppendCertsFromPEM(text)
	if !s.Config.RootCAs.Equal(ours) {
		t.Error("with default-ca=off others are trusted too")
	}
}
