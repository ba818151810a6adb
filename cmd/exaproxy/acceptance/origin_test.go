package acceptance

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"hash"
	"io"
	"log"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// An origin is a web server of the test. It counts what reaches it.
type origin struct {
	*httptest.Server
	mu       sync.Mutex
	requests []string // method and path
	conns    int
}

// newOrigin starts a server at an address of this machine, at a port of the kernel's choice.
func newOrigin(t testing.TB, host string, handler http.Handler) *origin {
	t.Helper()
	return startOrigin(t, net.JoinHostPort(host, "0"), handler, nil)
}

func startOrigin(t testing.TB, addr string, handler http.Handler, conf *tls.Config) *origin {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	o := &origin{}
	counted := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.mu.Lock()
		o.requests = append(o.requests, r.Method+" "+r.URL.Path)
		o.mu.Unlock()
		handler.ServeHTTP(w, r)
	})
	o.Server = &httptest.Server{Listener: watchedListener{l, t}, Config: &http.Server{Handler: counted, ErrorLog: log.New(io.Discard, "", 0)}}
	o.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			o.mu.Lock()
			o.conns++
			o.mu.Unlock()
		}
	}
	if conf != nil {
		o.TLS = conf
		o.StartTLS()
	} else {
		o.Start()
	}
	t.Cleanup(func() {
		o.CloseClientConnections()
		o.Close()
	})
	return o
}

func (o *origin) addr() string { return o.Listener.Addr().String() }

func (o *origin) port() string {
	_, port, _ := net.SplitHostPort(o.addr())
	return port
}

// counts are the requests and the connections so far.
func (o *origin) counts() (requests, conns int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.requests), o.conns
}

// reached says whether a request for a path has come.
func (o *origin) reached(path string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range o.requests {
		if strings.HasSuffix(r, " "+path) {
			return true
		}
	}
	return false
}

// pages is what most origins serve: /bytes/N is N bytes of a pattern, /sum answers with the hash of what was sent
// to it, all else says which request it answers.
func pages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/bytes/", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.ParseInt(strings.TrimPrefix(r.URL.Path, "/bytes/"), 10, 64)
		w.Header().Set("Content-Length", strconv.FormatInt(n, 10))
		io.Copy(w, pattern(n))
	})
	mux.HandleFunc("/sum", func(w http.ResponseWriter, r *http.Request) {
		sum := sha256.New()
		n, err := io.Copy(sum, r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Fprintf(w, "%s %d %s\n", hex.EncodeToString(sum.Sum(nil)), n, r.Method)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprintf(w, "origin answers %s %s\n", r.Method, r.URL.Path)
	})
	return mux
}

// pattern is n bytes, the same ones each time, in which a lost or doubled piece is seen.
func pattern(n int64) io.Reader {
	return io.LimitReader(mathrand.NewChaCha8([32]byte{}), n)
}

// patternSum is the hash of pattern(n).
func patternSum(n int64) string {
	sum := sha256.New()
	io.Copy(sum, pattern(n))
	return hex.EncodeToString(sum.Sum(nil))
}

// authority issues certificates for origins.
type authority struct {
	file string // for curl --cacert
	cert tls.Certificate
}

// newAuthority makes one certificate, for the names and for all addresses that tests use, that vouches for itself.
func newAuthority(t testing.TB, dir string, names ...string) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "acceptance"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    names, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return &authority{
		file: writeFile(t, dir, "ca.pem", string(text)),
		cert: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
	}
}

// newTLSOrigin starts an origin that speaks TLS.
func (a *authority) newTLSOrigin(t testing.TB, host string, handler http.Handler) *origin {
	t.Helper()
	return startOrigin(t, net.JoinHostPort(host, "0"), handler, &tls.Config{Certificates: []tls.Certificate{a.cert}})
}

// A checksum is a SHA-256 that prints as the origins' answers do.
type checksum struct{ hash.Hash }

func newSum() checksum { return checksum{sha256.New()} }

func (c checksum) text() string { return hex.EncodeToString(c.Sum(nil)) }

// newStranger makes an origin of pages that must not see the credentials which clients have for the proxy.
func newStranger(t *testing.T) *origin {
	t.Helper()
	var seen atomic.Int64
	inner := pages()
	t.Cleanup(func() {
		if n := seen.Load(); n > 0 {
			t.Errorf("the server is sent credentials %d times", n)
		}
	})
	return newOrigin(t, "127.0.0.1", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Proxy-Authorization") != "" || r.Header.Get("Authorization") != "" {
			seen.Add(1)
		}
		inner.ServeHTTP(w, r)
	}))
}
