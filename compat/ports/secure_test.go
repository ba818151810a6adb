package ports

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/compattest"
	"exaproxy/compat/directive"
	"exaproxy/engine"
)

// An entity has a certificate and the key to it.
type entity struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// folder is where a test has its certificates.
type folder struct {
	*testing.T
	dir string
}

func newFolder(t *testing.T) *folder { return &folder{t, t.TempDir()} }

// make makes an entity that issuer vouches for; nil is itself. Files of its name get both, for tls-cert=.
func (f *folder) make(name string, issuer *entity, change func(*x509.Certificate)) *entity {
	f.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	return f.makeWith(name, key, issuer, change)
}

func (f *folder) makeWith(name string, key crypto.Signer, issuer *entity, change func(*x509.Certificate)) *entity {
	f.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<60))
	if err != nil {
		f.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(365 * 24 * time.Hour), BasicConstraintsValid: true, IsCA: issuer == nil,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign | x509.KeyUsageCRLSign}
	if change != nil {
		change(template)
	}
	e := &entity{key: key}
	if issuer == nil {
		issuer = &entity{template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer.cert, key.Public(), issuer.key)
	if err != nil {
		f.Fatal(err)
	}
	if e.cert, err = x509.ParseCertificate(der); err != nil {
		f.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		f.Fatal(err)
	}
	f.write(name+".key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
	f.write(name+".crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return e
}

func (f *folder) write(name string, text []byte) {
	f.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, name), text, 0o600); err != nil {
		f.Fatal(err)
	}
}

// context is what setters read files with.
func (f *folder) context() *directive.Context { return directive.NewContext(acl.NewSet(), nil, nil) }

// line is an https_port of options in which {} is the folder.
func (f *folder) line(options string) string {
	return strings.ReplaceAll("https_port 127.0.0.1:0 "+options, "{}", f.dir)
}

// port is the port of such a line, which is in order.
func (f *folder) port(options string) (*engine.Port, []string) {
	f.Helper()
	var s Settings
	r := compattest.MustRead(f.T, acl.NewSet(), s.Directives(), f.line(options))
	return &s[0], r.Messages
}

// greet has a client speak to a port, and returns what was agreed on, and how each of both saw it end.
func greet(t *testing.T, port *engine.Port, client *tls.Config) (state tls.ConnectionState, clientErr, serverErr error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	a.SetDeadline(time.Now().Add(time.Minute))
	ended := make(chan error, 1)
	go func() {
		b, err := l.Accept()
		if err != nil {
			ended <- err
			return
		}
		defer b.Close()
		server := tls.Server(b, port.TLS)
		if err = server.Handshake(); err == nil {
			server.Write([]byte("x"))
		}
		ended <- err
	}()
	client = client.Clone()
	client.InsecureSkipVerify = true
	conn := tls.Client(a, client)
	if clientErr = conn.Handshake(); clientErr == nil {
		_, clientErr = conn.Read(make([]byte, 1)) // by TLS 1.3 the server's verdict comes behind the handshake
	}
	a.Close()
	return conn.ConnectionState(), clientErr, <-ended
}

// TestRefusedOptions has what cannot be followed be said.
func TestRefusedOptions(t *testing.T) {
	f := newFolder(t)
	f.make("site.test", nil, nil)
	f.make("other.test", nil, nil)
	f.make("old.test", nil, func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
	})
	f.make("young.test", nil, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour / 2) })
	f.write("empty", nil)
	own := "tls-cert={}/site.test.crt tls-key={}/site.test.key "
	for options, want := range map[string]string{
		"":                          "it needs tls-cert=",
		"tls-cert=/nonexistent.pem": "no such file",
		"tls-key={}/site.test.key tls-cert={}/site.test.crt":   "FATAL: cert= option must be set before key= is used.",
		"tls-cert={}/site.test.crt":                            "there is no private key in it",
		"tls-cert={}/site.test.crt tls-key={}/missing.key":     "FATAL: https_port 127.0.0.1:0: tls-key=",
		"tls-cert={}/site.test.crt tls-key={}/other.test.key":  "other.test.key: the private key is not that of the certificate",
		"tls-cert={}/old.test.crt tls-key={}/old.test.key":     "has expired at",
		"tls-cert={}/young.test.crt tls-key={}/young.test.key": "is valid from",
		own + "tls-cert={}/missing.crt":                        "missing.crt: no such file",
		own + "intercept":                                      "FATAL: tproxy/intercept on https_port requires ssl-bump which is missing.",
		own + "ssl-bump":                                       "FATAL: ssl-bump on https_port requires tproxy/intercept which is missing.",
		own + "tls-min-version=1.4":                            "the versions of TLS are",
		own + "options=NO_TLSv1_2,NO_TLSv1_3":                  "no version of TLS is left",
		own + "tls-min-version=1.1 options=NO_TLSv1_2":         "between others cannot be left out",
		own + "version=3":                                      "SSL 2 and 3 are broken",
		own + "cipher=RC4-SHA":                                 "RFC 7465",
		own + "tls-cipher=NONSENSE":                            "none can be used",
		own + "min-version=1.2":                                "FATAL: Unknown https_port option 'min-version=1.2'.",
		own + "tls-nonsense":                                   "FATAL: Unknown https_port option 'tls-nonsense'.",
		own + "ssl":                                            "FATAL: Unknown https_port option 'ssl'.",
		own + "clientca={}/missing.crt":                        "missing.crt: no such file",
		own + "clientca={}/empty":                              "there is no certificate in it",
		own + "clientca={}/site.test.crt tls-cafile={}/empty":  "there is no certificate in it",
		own + "clientca={}/site.test.crt tls-capath={}/none":   "named as by 'openssl rehash'",
		own + "clientca={}/site.test.crt tls-capath=/*":        "a pattern is no folder",
		own + "clientca={}/site.test.crt sslflags=VERIFY_CRL":  "needs a file of CRLs",
		own + "clientca={}/site.test.crt crlfile={}/empty":     "there is no CRL in it",
		own + "tls-flags=NONSENSE":                             "FATAL: Unknown TLS flag 'NONSENSE'",
		own + "tls-ocsp-staple={}/empty":                       "not an OCSP response",
		own + "generate-host-certificates=off":                 "cannot be followed yet",
	} {
		var s Settings
		if _, err := compattest.Read(acl.NewSet(), s.Directives(), f.line(options)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s gives %v, want %q", options, err, want)
		}
	}
	var s Settings
	line := strings.ReplaceAll(f.line(own), "https_port", "http_port")
	for options, want := range map[string]string{"tls-cert={}/other.test.crt": "there is one authority", "clientca={}/a": "on an https_port", "tls-ocsp-staple={}/a": "of an https_port"} {
		if _, err := compattest.Read(acl.NewSet(), s.Directives(), line+options); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("http_port %s gives %v, want %q", options, err, want)
		}
	}
}

// TestWhatOptionsSay has options that are followed be said something of, in Squid's words where it does.
func TestWhatOptionsSay(t *testing.T) {
	f := newFolder(t)
	f.make("site.test", nil, nil)
	for options, want := range map[string]string{
		"tls-dh=/nonexistent":                    "NOTICE: https_port option 'tls-dh=/nonexistent' has no effect",
		"dhparams=/a":                            "WARNING: 'dhparams=/a' is deprecated in https_port. Use 'tls-dh=' instead.",
		"version=6":                              "UPGRADE WARNING: 'version=6' is deprecated in https_port. Use 'options=' instead.",
		"cafile=/a":                              "UPGRADE WARNING: 'cafile=/a' is deprecated in https_port. Use 'tls-cafile=' instead.",
		"options=NO_SSLv2,ALL":                   "ERROR: Unknown TLS option NO_SSLv2",
		"sslflags=NO_DEFAULT_CA":                 "WARNING: flags=NO_DEFAULT_CA is deprecated. Use tls-default-ca=off instead.",
		"sslflags=DONT_VERIFY_PEER":              "SECURITY WARNING: Peer certificates are not verified for validity!",
		"sslflags=DELAYED_AUTH":                  "NOTICE: with DELAYED_AUTH no client is asked",
		"sslcontext=a tls-no-npn tls-default-ca": "",
		"tls-options=NO_SSLv3,SINGLE_DH_USE,SINGLE_ECDH_USE cipher=HIGH:!aNULL tls-flags=DONT_VERIFY_DOMAIN": "",
	} {
		port, messages := f.port("cert={}/site.test.crt key={}/site.test.key " + options)
		if got := strings.Join(messages, "\n"); port.TLS == nil || !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%s: it says %q", options, got)
		}
	}
}

// TestCertificatesThatExpireSoon are warned of, those of authorities too.
func TestCertificatesThatExpireSoon(t *testing.T) {
	f := newFolder(t)
	ends := time.Now().Add(5*24*time.Hour + time.Hour)
	f.make("soon.test", nil, func(c *x509.Certificate) { c.NotAfter = ends })
	f.make("later.test", nil, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(expiresSoon + time.Hour) })
	for _, directive := range []string{"https_port", "http_port"} {
		for name, want := range map[string]string{
			"later.test": "",
			"soon.test": fmt.Sprintf(`WARNING: squid.conf(1): %s 127.0.0.1:0: the certificate in %s/soon.test.crt of "CN=soon.test" expires at %s UTC, in 5 days`,
				directive, f.dir, ends.UTC().Format(time.DateTime)),
		} {
			var s Settings
			line := strings.Replace(f.line("tls-cert={}/"+name+".crt tls-key={}/"+name+".key"), "https_port", directive, 1)
			r := compattest.MustRead(t, acl.NewSet(), s.Directives(), line)
			if got := strings.Join(r.Messages, "\n"); got != want {
				t.Errorf("%s with %s says %q, want %q", directive, name, got, want)
			}
		}
	}
}

// TestWhichTLSIsSpoken has versions, ciphers and tickets be as options say.
func TestWhichTLSIsSpoken(t *testing.T) {
	f := newFolder(t)
	f.make("site.test", nil, nil)
	for _, row := range []struct {
		options string
		client  *tls.Config
		version uint16 // 0: none
	}{
		{"", &tls.Config{}, tls.VersionTLS13},
		{"", &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, 0},
		{"tls-min-version=1.0", &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, tls.VersionTLS11},
		{"tls-min-version=1.3", &tls.Config{MaxVersion: tls.VersionTLS12}, 0},
		{"options=NO_TLSv1_3", &tls.Config{}, tls.VersionTLS12},
		{"tls-min-version=1.3 version=1", &tls.Config{MaxVersion: tls.VersionTLS12}, 0},
		{"version=4", &tls.Config{MinVersion: tls.VersionTLS10}, tls.VersionTLS10},
		{"options=NO_TLSv1_3 cipher=ECDHE-ECDSA-AES256-GCM-SHA384", &tls.Config{}, tls.VersionTLS12},
		{"options=NO_TLSv1_3 cipher=ECDHE-ECDSA-AES256-GCM-SHA384", &tls.Config{CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}}, 0},
	} {
		port, _ := f.port("tls-cert={}/site.test.crt tls-key={}/site.test.key " + row.options)
		state, err, _ := greet(t, port, row.client)
		if (err == nil) != (row.version != 0) || err == nil && state.Version != row.version {
			t.Errorf("%s: by TLS %x, %v", row.options, state.Version, err)
		}
		if err == nil && row.options != "" && strings.Contains(row.options, "cipher") && state.CipherSuite != tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 {
			t.Errorf("%s: under %x", row.options, state.CipherSuite)
		}
	}
	for options, disabled := range map[string]bool{"": false, "options=NO_TICKET": true, "sslflags=NO_SESSION_REUSE": true} {
		if port, _ := f.port("tls-cert={}/site.test.crt tls-key={}/site.test.key " + options); port.TLS.SessionTicketsDisabled != disabled {
			t.Errorf("with %q there are tickets: %v", options, !port.TLS.SessionTicketsDisabled)
		}
	}
}

// TestCertificateForTheName has several certificates on a port, of two names and of two kinds.
func TestCertificateForTheName(t *testing.T) {
	f := newFolder(t)
	old, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	f.make("first.test", nil, nil)
	f.make("second.test", nil, nil)
	f.makeWith("third.test", old, nil, func(c *x509.Certificate) { c.DNSNames = append(c.DNSNames, "first.test") })
	port, _ := f.port("tls-cert={}/first.test.crt tls-key={}/first.test.key tls-cert={}/second.test.crt tls-key={}/second.test.key tls-cert={}/third.test.crt tls-key={}/third.test.key")
	onlyRSA := []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
	for _, row := range []struct {
		client *tls.Config
		want   string
	}{
		{&tls.Config{ServerName: "first.test"}, "first.test"},
		{&tls.Config{ServerName: "second.test"}, "second.test"},
		{&tls.Config{ServerName: "third.test"}, "third.test"},
		{&tls.Config{ServerName: "unknown.test"}, "first.test"},
		{&tls.Config{}, "first.test"},
		{&tls.Config{ServerName: "first.test", MaxVersion: tls.VersionTLS12, CipherSuites: onlyRSA}, "third.test"},
		{&tls.Config{ServerName: "second.test", MaxVersion: tls.VersionTLS12, CipherSuites: onlyRSA}, "third.test"},
	} {
		state, err, _ := greet(t, port, row.client)
		if err != nil {
			t.Errorf("%q: %v", row.client.ServerName, err)
		} else if got := state.PeerCertificates[0].Subject.CommonName; got != row.want {
			t.Errorf("who asks for %q gets %s", row.client.ServerName, got)
		}
	}
}

// TestClientsProveWhoTheyAre has clients with and without certificates, and lists of those that were revoked.
func TestClientsProveWhoTheyAre(t *testing.T) {
	f := newFolder(t)
	f.make("site.test", nil, nil)
	school, other := f.make("school", nil, nil), f.make("other", nil, nil)
	branch := f.make("branch", school, func(c *x509.Certificate) { c.IsCA = true })
	ann, bob, eve := f.make("ann", school, nil), f.make("bob", school, nil), f.make("eve", other, nil)
	cat := f.make("cat", branch, nil)
	late := f.make("late", school, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })
	server := f.make("server", school, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })
	f.revoke("school.crl", school, time.Hour, bob)
	f.revoke("stale.crl", school, -time.Minute)
	f.revoke("other.crl", other, time.Hour)
	forged := &entity{school.cert, other.key}
	f.revoke("forged.crl", forged, time.Hour)
	f.revoke("all.crl", school, time.Hour, branch)
	f.append("all.crl", f.revoke("branch.crl", branch, time.Hour))
	if err := os.Mkdir(filepath.Join(f.dir, "path"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(f.dir, "school.crt"), filepath.Join(f.dir, "path/0123abcd.0")); err != nil {
		t.Fatal(err)
	}
	f.write("school.crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: school.cert.Raw}))
	for _, row := range []struct {
		options string
		client  []*entity // with what is above it
		ok      bool
	}{
		{"clientca={}/school.crt", []*entity{ann}, true},
		{"clientca={}/school.crt", nil, false},
		{"clientca={}/school.crt", []*entity{eve}, false},
		{"clientca={}/school.crt", []*entity{late}, false},
		{"clientca={}/school.crt", []*entity{server}, false},
		{"clientca={}/school.crt", []*entity{cat}, false},
		{"clientca={}/school.crt", []*entity{cat, branch}, true},
		{"clientca={}/school.crt", slices.Repeat([]*entity{ann}, longestChain+1), false},
		{"clientca={}/school.crt tls-flags=CONDITIONAL_AUTH", nil, true},
		{"clientca={}/school.crt tls-flags=CONDITIONAL_AUTH", []*entity{eve}, false},
		{"clientca={}/school.crt tls-cafile={}/other.crt", []*entity{ann}, false},
		{"clientca={}/school.crt tls-cafile={}/other.crt", []*entity{eve}, true},
		{"clientca={}/other.crt tls-capath={}/path", []*entity{ann}, true},
		{"clientca={}/other.crt tls-capath={}/path", []*entity{eve}, true},
		{"clientca={}/other.crt tls-cafile={}/site.test.crt tls-capath={}/path", []*entity{eve}, false},
		{"clientca={}/school.crt tls-default-ca", []*entity{ann}, true},
		{"clientca={}/school.crt tls-default-ca", []*entity{eve}, false},
		{"clientca={}/school.crt crlfile={}/school.crl", []*entity{ann}, true},
		{"clientca={}/school.crt crlfile={}/school.crl", []*entity{bob}, false},
		{"clientca={}/school.crt crlfile={}/stale.crl", []*entity{ann}, false},
		{"clientca={}/school.crt crlfile={}/other.crl", []*entity{ann}, false},
		{"clientca={}/school.crt crlfile={}/forged.crl", []*entity{ann}, false},
		{"clientca={}/school.crt crlfile={}/all.crl sslflags=VERIFY_CRL", []*entity{cat, branch}, true},
		{"clientca={}/school.crt crlfile={}/all.crl sslflags=VERIFY_CRL_ALL", []*entity{cat, branch}, false},
		{"clientca={}/school.crt crlfile={}/all.crl sslflags=VERIFY_CRL_ALL", []*entity{ann}, true},
		{"clientca={}/school.crt sslflags=DELAYED_AUTH", nil, true},
		{"clientca={}/school.crt sslflags=DONT_VERIFY_PEER", []*entity{eve}, true},
	} {
		port, _ := f.port("tls-cert={}/site.test.crt tls-key={}/site.test.key " + row.options)
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			client := &tls.Config{MinVersion: version, MaxVersion: version}
			if row.client != nil {
				chain := tls.Certificate{PrivateKey: row.client[0].key}
				for _, e := range row.client {
					chain.Certificate = append(chain.Certificate, e.cert.Raw)
				}
				client.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &chain, nil }
			}
			if _, err, why := greet(t, port, client); (err == nil) != row.ok {
				t.Errorf("%s, TLS %x, %d certificates: %v, %v", row.options, version, len(row.client), err, why)
			}
		}
	}
}

// revoke writes the list of what an issuer has revoked.
func (f *folder) revoke(name string, issuer *entity, valid time.Duration, revoked ...*entity) []byte {
	f.Helper()
	list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now().Add(-2 * time.Hour), NextUpdate: time.Now().Add(valid)}
	for _, e := range revoked {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: e.cert.SerialNumber, RevocationTime: time.Now()})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, issuer.cert, issuer.key)
	if err != nil && strings.Contains(err.Error(), "does not match") { // a forged one
		var public *x509.Certificate
		public, err = x509.ParseCertificate(issuer.cert.Raw)
		if err == nil {
			public.PublicKey = issuer.key.Public()
			der, err = x509.CreateRevocationList(rand.Reader, list, public, issuer.key)
		}
	}
	if err != nil {
		f.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})
	f.write(name, text)
	return text
}

// append puts a text behind that of a file.
func (f *folder) append(to string, text []byte) {
	f.Helper()
	before, err := os.ReadFile(filepath.Join(f.dir, to))
	if err != nil {
		f.Fatal(err)
	}
	f.write(to, append(before, text...))
}
