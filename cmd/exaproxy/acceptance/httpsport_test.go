package acceptance

import (
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// pemFiles writes an authority's certificate and key, and returns the options of a port that name them.
func (a *authority) pemFiles(t *testing.T, dir string) string {
	t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(a.cert.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"port.crt": {Type: "CERTIFICATE", Bytes: a.cert.Certificate[0]}, "port.key": {Type: "PRIVATE KEY", Bytes: key}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return fmt.Sprintf("tls-cert=%[1]s/port.crt tls-key=%[1]s/port.key", dir)
}

// TestClientsMaySpeakTLSToTheProxy has curl and Chromium use an https_port, and a reload take a new
// certificate without a connection being dropped.
func TestClientsMaySpeakTLSToTheProxy(t *testing.T) {
	dir := world(t)
	writeFile(t, dir, "hosts", "127.0.0.5 site.test\n")
	ca := newAuthority(t, dir, "site.test", "first.test")
	options := ca.pemFiles(t, dir)
	o, secure := newOrigin(t, "127.0.0.5", pages()), ca.newTLSOrigin(t, "127.0.0.5", pages())
	x := start(t, exaproxy(), dir, base+"https_port 127.0.0.1:0 "+options+"\n")
	proxyURL := "https://" + x.addrs[0].String()

	x.curlVia(proxyURL, "--proxy-cacert", ca.file, o.URL+"/plain", o.URL+"/plain").ok(t, "GET", "origin answers GET /plain")
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		conn, err := tls.Dial("tcp", x.addr(), &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "GET %s/plain HTTP/1.1\r\nConnection: close\r\n\r\n", o.URL)
		if got, err := io.ReadAll(conn); err != nil || !strings.Contains(string(got), "origin answers GET /plain") {
			t.Errorf("by TLS %x it answers %q: %v", version, got, err)
		}
		conn.Close()
	}
	x.curlVia(proxyURL, "--proxy-cacert", ca.file, "--cacert", ca.file, strings.Replace(secure.URL, "127.0.0.5", "site.test", 1)+"/plain").ok(t, "a tunnel inside TLS", "origin answers GET /plain")
	x.curlVia(proxyURL, "--proxy-cacert", ca.file, "-T", built.proxy, o.URL+"/sum").ok(t, "a large body", "")
	if c := x.curlVia("http://"+x.addrs[0].String(), o.URL+"/plain"); strings.Contains(c.out, "origin answers") {
		t.Errorf("plaintext is answered on an https_port: %q", c.out)
	}
	if dom := chromiumAt(t, x, t.TempDir(), "http://site.test:"+o.port()+"/plain", "--ignore-certificate-errors", "--proxy-server="+proxyURL); !strings.Contains(dom, "origin answers GET /plain") {
		t.Errorf("Chromium shows %.2000s", dom)
	}

	kept, err := tls.Dial("tcp", x.addrs[0].String(), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	kept.SetDeadline(time.Now().Add(time.Minute))
	newAuthority(t, t.TempDir(), "second.test").pemFiles(t, dir)
	x.signal(syscall.SIGHUP)
	x.eventually("takes the new certificate", 20*time.Second, func() bool {
		conn, err := tls.Dial("tcp", x.addrs[0].String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			return false
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].DNSNames[0] == "second.test"
	})
	fmt.Fprintf(kept, "GET %s/plain HTTP/1.1\r\nConnection: close\r\n\r\n", o.URL)
	if got, err := io.ReadAll(kept); err != nil || !strings.Contains(string(got), "origin answers GET /plain") {
		t.Errorf("a connection from before the reload is answered with %q: %v", got, err)
	}
}
