package acceptance

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// A siteKind is what is odd about a site.
type siteKind struct {
	version    uint16 // the most it speaks; 0: all
	names      []string
	expired    bool
	selfSigned bool
	asksClient bool // for a certificate, which nobody has
	plain      bool // HTTP without TLS
	dead       bool // nobody listens
	nameless   bool // its name cannot be resolved
	closes     bool // it answers nothing, and closes
	greeting   *string
}

// siteKinds are the sites by their names in the table of cases.
var siteKinds = map[string]siteKind{
	"1.3": {}, "1.2": {version: tls.VersionTLS12},
	"expired": {expired: true}, "expired 1.2": {expired: true, version: tls.VersionTLS12},
	"self-signed": {selfSigned: true}, "self-signed 1.2": {selfSigned: true, version: tls.VersionTLS12},
	"misnamed": {names: []string{"another.test"}}, "misnamed 1.2": {names: []string{"another.test"}, version: tls.VersionTLS12},
	"asks": {asksClient: true}, "http": {plain: true}, "dead": {dead: true}, "unresolved": {nameless: true},
	"closes": {closes: true}, "silent": {greeting: new("")}, "ssh": {greeting: new("SSH-2.0-server\r\n")},
}

// A site is where a CONNECT leads: a server of its own for each case, so that whatever reaches it is of that case.
type site struct {
	name string // in the CONNECT and in the certificate
	addr string // with port
	mu   sync.Mutex
	saw  []string
}

func (s *site) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.saw = append(s.saw, fmt.Sprintf(format, args...))
}

// seen is what has reached the site.
func (s *site) seen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.saw, ", ")
}

func (s *site) host() string { host, _, _ := net.SplitHostPort(s.addr); return host }
func (s *site) port() string { _, port, _ := net.SplitHostPort(s.addr); return port }

// siteCA vouches for sites.
type siteCA struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newSiteCA(t testing.TB) *siteCA {
	t.Helper()
	ca := &siteCA{key: newKey(t)}
	ca.cert = ca.issue(t, &x509.Certificate{Subject: pkix.Name{CommonName: "CA of sites"}, IsCA: true,
		NotBefore: time.Now().Add(-30 * siteTerm), NotAfter: time.Now().Add(30 * siteTerm),
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil, ca.key)
	return ca
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issue makes a certificate; one that vouches for itself if there is no issuer.
func (ca *siteCA) issue(t testing.TB, c, issuer *x509.Certificate, key *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	c.SerialNumber, _ = rand.Int(rand.Reader, big.NewInt(1<<62))
	if c.NotBefore.IsZero() {
		c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(siteTerm)
	}
	signer := ca.key
	if issuer == nil {
		issuer, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, issuer, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// siteTerm is how long certificates of sites are good for, much shorter than those that proxies make.
const siteTerm = 24 * time.Hour

func (ca *siteCA) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.cert.Raw}))
}

// config is how a site speaks TLS.
func (ca *siteCA) config(t testing.TB, s *site, kind siteKind) *tls.Config {
	t.Helper()
	names, issuer := []string{s.name}, ca.cert
	if kind.names != nil {
		names = kind.names
	}
	c := &x509.Certificate{Subject: pkix.Name{Organization: []string{"site"}, CommonName: names[0]}, DNSNames: names}
	if kind.expired {
		c.NotBefore, c.NotAfter = time.Now().Add(-2*siteTerm), time.Now().Add(-siteTerm)
	}
	if kind.selfSigned {
		issuer = nil
	}
	key := newKey(t)
	made := ca.issue(t, c, issuer, key)
	conf := &tls.Config{MaxVersion: kind.version, Certificates: []tls.Certificate{{Certificate: [][]byte{made.Raw}, PrivateKey: key}}}
	if kind.asksClient {
		conf.ClientAuth = tls.RequireAnyClientCert
	}
	conf.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		s.note("ClientHello for %q", hello.ServerName)
		return nil, nil
	}
	return conf
}

// newSite starts a site at an address of its own.
func (ca *siteCA) newSite(t testing.TB, name, host, kindName string) *site {
	t.Helper()
	kind, ok := siteKinds[kindName]
	if !ok {
		t.Fatalf("there is no site %q", kindName)
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	s := &site{name: name, addr: l.Addr().String()}
	l = notingListener{watchedListener{l, t}, s}
	t.Cleanup(func() { l.Close() })
	switch {
	case kind.dead:
		l.Close()
	case kind.closes || kind.greeting != nil:
		go s.serveOther(l, kind)
	default:
		server := &http.Server{ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(s.answer)}
		t.Cleanup(func() { server.Close() })
		if !kind.plain {
			l = tls.NewListener(l, ca.config(t, s, kind))
		}
		go server.Serve(l)
	}
	return s
}

// answer says who answers what.
func (s *site) answer(w http.ResponseWriter, r *http.Request) {
	s.note("%s %s for %s", r.Method, r.RequestURI, r.Host)
	fmt.Fprintf(w, "%s answers %s\n", s.name, r.URL.Path)
}

// serveOther serves those that speak neither HTTP nor TLS.
func (s *site) serveOther(l net.Listener, kind siteKind) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			if kind.greeting != nil {
				io.WriteString(conn, *kind.greeting)
			}
			r := bufio.NewReader(conn)
			if first, _ := r.Peek(3); len(first) > 0 {
				s.note("%q", first)
			}
			if kind.closes {
				conn.(halfCloser).CloseWrite()
			}
			io.Copy(io.Discard, r)
		}()
	}
}

type notingListener struct {
	net.Listener
	site *site
}

func (l notingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.site.note("connection")
	}
	return conn, err
}
