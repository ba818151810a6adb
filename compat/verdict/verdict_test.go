package verdict

import (
	"crypto/tls"
	"strings"
	"testing"

	"exaproxy/compat/acl"
	"exaproxy/compat/compattest"
	"exaproxy/compat/conf"
	"exaproxy/compat/ports"
	"exaproxy/engine"
)

func certificate(string) (*tls.Certificate, error) { return nil, nil }

// TestHowVerdictsAreTold has each value on a port with and without an authority.
func TestHowVerdictsAreTold(t *testing.T) {
	const direct, page, closed, bump = engine.ConnectRedirect, engine.ConnectPage, engine.ConnectClose, engine.ConnectBump
	for _, row := range []struct {
		conf            string
		able            bool
		target          string
		helpers, access engine.ConnectVerdict
	}{
		{"", true, "a.test:443", bump, bump},
		{"", true, "a.test:8443", page, direct},
		{"", true, "a.test:25", page, direct},
		{"", false, "a.test:443", page, direct},
		{"connect_verdict auto", true, "a.test:443", bump, bump},
		{"acl tls port 8443\nconnect_tls allow tls", true, "a.test:8443", bump, bump},
		{"acl tls port 8443\nconnect_tls allow tls", true, "a.test:443", page, direct},
		{"acl mail port 25\nconnect_tls deny mail\nconnect_tls allow all", true, "a.test:25", page, direct},
		{"acl mail port 25\nconnect_tls deny mail\nconnect_tls allow all", true, "a.test:26", bump, bump},
		{"connect_verdict bump", true, "a.test:25", bump, bump},
		{"connect_verdict bump", false, "a.test:443", page, direct},
		{"connect_verdict page", true, "a.test:443", page, page},
		{"connect_verdict redirect", true, "a.test:443", direct, direct},
		{"connect_verdict close", true, "a.test:443", closed, closed},
	} {
		var s Settings
		acls := acl.NewSet()
		compattest.MustRead(t, acls, s.Directives(), row.conf)
		acls.Finish()
		r := compattest.NewRequest(t, "CONNECT "+row.target+" HTTP/1.1")
		r.Port = &engine.Port{}
		if row.able {
			r.Port.Certificate = certificate
		}
		var place acl.Place
		p := Policy{Settings: &s, Match: func(l *acl.List, r *engine.Request) acl.Answer { return l.Match(r, &r.Target, &place) }}
		if helpers, access := p.OfHelpers(r), p.OfAccess(r); helpers != row.helpers || access != row.access {
			t.Errorf("%q, authority %v: %s is told in way %d by helpers and %d by access lists, want %d and %d",
				row.conf, row.able, row.target, helpers, access, row.helpers, row.access)
		}
	}
}

func TestWhatCannotBe(t *testing.T) {
	var s Settings
	compattest.MustRead(t, acl.NewSet(), s.Directives(), "#\nconnect_verdict bump")
	err := s.Finish(ports.Settings{{}})
	if report, ok := err.(conf.Report); !ok || !strings.Contains(report.Lines()[0], "exaproxy make-ca DIR") || !strings.Contains(err.Error(), "squid.conf(2): connect_verdict bump: ") {
		t.Errorf("without an authority it says %v", err)
	}
	compattest.MustRead(t, acl.NewSet(), s.Directives(), "connect_verdict bump")
	if err := s.Finish(ports.Settings{{}, {Certificate: certificate}}); err != nil {
		t.Errorf("with one it says %v", err)
	}
	for _, line := range []string{"connect_verdict maybe", "connect_tls allow nothing-of-that-name"} {
		var s Settings
		if _, err := compattest.Read(acl.NewSet(), s.Directives(), line); err == nil {
			t.Errorf("%s is taken", line)
		}
	}
}
