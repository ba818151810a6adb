package acl

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"strings"
	"testing"

	"exaproxy/compat/verify"
	"exaproxy/engine"
	"exaproxy/engine/tlshello"
)

// certificateFor is a certificate with a common name and alternative names.
func certificateFor(cn string, names ...string) *x509.Certificate {
	c := &x509.Certificate{Raw: []byte(cn), DNSNames: names}
	c.Subject.Names = []pkix.AttributeTypeAndValue{{Type: []int{2, 5, 4, 3}, Value: cn}}
	return c
}

// matches asks an acl about a request.
func matches(t *testing.T, line string, r *engine.Request) bool {
	t.Helper()
	c := load(t, "acl a "+line+"\nhttp_access allow a", nil)
	if c.err != nil {
		t.Fatal(c.err)
	}
	var p Place
	return c.access.Match(r, &r.Target, &p) == Allow
}

func TestServerNames(t *testing.T) {
	wild := certificateFor("cn.test", "*.foo.test", "san.test")
	for _, row := range []struct {
		sni     string
		server  *x509.Certificate
		matches string // acls, one a line
		not     string
	}{
		{"", nil, "host.test\n.test\n--client-requested host.test\n--consensus host.test\n--server-provided none", "sni.test\n--server-provided host.test\nnone"},
		{"SNI.test", nil, "sni.test\n.Test\n--client-requested sni.test\n--consensus sni.test\n--server-provided none", "host.test\n--server-provided sni.test"},
		{"sni.test", wild, "cn.test\nsan.test\n.foo.test\nbar.foo.test\na.b.foo.test\n.b.foo.test\n.test\n--server-provided san.test\n--client-requested sni.test\n--consensus none",
			"sni.test\nhost.test\nfoo.test\nxfoo.test\nbar.foo\n--server-provided none\n--client-requested san.test\n--consensus sni.test\n--consensus san.test"},
		{"www.foo.test", wild, "--consensus www.foo.test\n--consensus .foo.test", "--consensus none\n--consensus a.foo.test"},
		{"a.www.foo.test", wild, "--consensus none", "--consensus .test"},
		{"", certificateFor("nul\x00.test", strings.Repeat("a", 1024)+".test"), "--consensus none", ".test\nnul\n--server-provided none"},
		{"", certificateFor("*"), "--consensus none", ".test\nhost.test"},
	} {
		r := asked(t, "CONNECT host.test:443")
		if r.TLS = (&engine.SeenTLS{Step: 3, ServerName: row.sni}); row.server != nil {
			r.TLS.Server = []*x509.Certificate{row.server}
		}
		for _, line := range strings.Split(row.matches, "\n") {
			if !matches(t, "ssl::server_name "+line, r) {
				t.Errorf("%s does not match server name %q, certificate %v", line, row.sni, row.server != nil)
			}
		}
		for _, line := range strings.Split(row.not, "\n") {
			if matches(t, "ssl::server_name "+line, r) {
				t.Errorf("%s matches server name %q, certificate %v", line, row.sni, row.server != nil)
			}
		}
	}
}

func TestServerNamePatterns(t *testing.T) {
	r := asked(t, "CONNECT host.test:443")
	r.TLS = &engine.SeenTLS{ServerName: "sni.test", Server: []*x509.Certificate{certificateFor("cn.test", "*.foo.test")}}
	for line, want := range map[string]bool{
		`^cn[.]`: true, `^[*][.]foo`: true, "^sni": false, "--client-requested ^sni": true, "-i --server-provided ^CN": true, "--consensus ^none$": true,
	} {
		if got := matches(t, "ssl::server_name_regex "+line, r); got != want {
			t.Errorf("%s: %v, want %v", line, got, want)
		}
	}
}

// TestManyServerNames has an acl of many names, so that wildcards are looked for among them.
func TestManyServerNames(t *testing.T) {
	var list strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&list, "h%d.d%d.test\n", i, i%37)
	}
	values := files{"/list": list.String()}
	c := load(t, `acl a ssl::server_name "/list"`+"\nhttp_access allow a", values)
	r := asked(t, "CONNECT host.test:443")
	for name, want := range map[string]bool{"*.d36.test": true, "*.D0.test": true, "*.test": true, "*.d37.test": false, "*.h1.d1.test": false, "h1.d1.test": true, "*.est": false} {
		r.TLS = &engine.SeenTLS{Server: []*x509.Certificate{certificateFor(name)}}
		var p Place
		if got := c.access.Match(r, &r.Target, &p) == Allow; got != want {
			t.Errorf("a certificate for %s: %v, want %v", name, got, want)
		}
	}
}

func TestTLSErrors(t *testing.T) {
	r := asked(t, "CONNECT host.test:443")
	if matches(t, "ssl_error 10", r) {
		t.Error("a request without TLS has an error of it")
	}
	r.TLS = &engine.SeenTLS{Errors: []error{&verify.Fault{Kind: verify.WrongHost}, fmt.Errorf("as told: %w", &verify.Fault{Kind: verify.Expired})}}
	for line, want := range map[string]bool{
		"10": true, "X509_V_ERR_CERT_HAS_EXPIRED": true, "9 10": true, "ssl::certHasExpired": true, "certDomainMismatch": true, "SQUID_X509_V_ERR_DOMAIN_MISMATCH": true,
		"9": false, "certUntrusted certSelfSigned certNotYetValid": false,
	} {
		if got := matches(t, "ssl_error "+line, r); got != want {
			t.Errorf("%s: %v, want %v", line, got, want)
		}
	}
	if !matches(t, "all-of ssl::certHasExpired ssl::certDomainMismatch !ssl::certUntrusted !ssl::certSelfSigned !ssl::certNotYetValid", r) {
		t.Error("the acls that need not be defined do not match")
	}
}

func TestStepsAndEncryption(t *testing.T) {
	r := asked(t, "CONNECT host.test:443")
	for step, want := range []string{"SslBump1", "SslBump1", "SslBump2", "SslBump3"} {
		r.TLS = &engine.SeenTLS{Step: step}
		for _, name := range []string{"SslBump1", "SslBump2", "sslbump3"} {
			if matches(t, "at_step "+name, r) != strings.EqualFold(name, want) {
				t.Errorf("step %d is not %s alone", step, want)
			}
		}
	}
	if matches(t, "connections_encrypted", r) {
		t.Error("a CONNECT has come encrypted")
	}
	if r.TLS.Bumped = true; !matches(t, "connections_encrypted", r) {
		t.Error("a bumped request has not come encrypted")
	}
	for _, hello := range []*tlshello.Hello{nil, {ServerName: "outer.test"}, {ServerName: "outer.test", Encrypted: true}} {
		r.Connection = &engine.Connection{Hello: hello}
		if matches(t, "ssl::encrypted_hello", r) != (hello != nil && hello.Encrypted) {
			t.Errorf("of %+v it is not told whether it is encrypted", hello)
		}
	}
	r.TLS, r.Port = nil, &engine.Port{TLS: &tls.Config{}}
	if !matches(t, "connections_encrypted", r) {
		t.Error("a request to an https_port has not come encrypted")
	}
}

func TestFingerprints(t *testing.T) {
	r := asked(t, "CONNECT host.test:443")
	const sum = "86:F7:E4:37:FA:A5:A7:FC:E1:5D:1D:DC:B9:EA:EA:EA:37:76:67:B8" // of "a"
	if matches(t, "server_cert_fingerprint "+sum, r) {
		t.Error("a certificate that is not there has a fingerprint")
	}
	r.TLS = &engine.SeenTLS{Server: []*x509.Certificate{certificateFor("a"), certificateFor("b")}}
	if !matches(t, "server_cert_fingerprint -sha1 "+strings.ToLower(sum), r) {
		t.Error("the certificate is not known by its fingerprint")
	}
	r.TLS.Server[0].Raw = []byte("b")
	if matches(t, "server_cert_fingerprint "+sum, r) {
		t.Error("another certificate is taken for it")
	}
}
