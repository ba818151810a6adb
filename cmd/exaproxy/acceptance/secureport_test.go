package acceptance

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// newSchool makes an authority for clients.
func newSchool(t *testing.T, dir, name string) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{writeFile(t, dir, "school.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))),
		tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}}
}

// pupil is a client's certificate that an authority has signed.
func (a *authority) pupil(t *testing.T, name string) tls.Certificate {
	t.Helper()
	issuer, err := x509.ParseCertificate(a.cert.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(7), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		Subject: pkix.Name{Country: []string{"GB"}, Organization: []string{"School"}, CommonName: name}}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), a.cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// secureGet asks a proxy over TLS, and returns the first line of the answer, or what went wrong.
func secureGet(addr, url string, client *tls.Config) string {
	client.InsecureSkipVerify = true
	conn, err := tls.Dial("tcp", addr, client)
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", url)
	reply, err := io.ReadAll(conn)
	if line, _, ok := strings.Cut(string(reply), "\r\n"); ok {
		return line
	}
	return fmt.Sprint(err)
}

// TestCertificatesOfClientsAreAsWithSquid has clients with and without certificates ask both proxies, which judge them
// by acls and write them into their logs.
func TestCertificatesOfClientsAreAsWithSquid(t *testing.T) {
	o := newOrigin(t, "127.0.0.1", pages())
	for _, p := range []program{exaproxy(), squid(t)} {
		dir := world(t)
		ca := newSchool(t, dir, "school")
		options := newAuthority(t, dir, "proxy.test").pemFiles(t, dir)
		secure := func(more string) string {
			return "https_port 127.0.0.1:" + freePort(t) + " " + options + " clientca=" + ca.file + " " + more + "\n"
		}
		x := start(t, p, dir, strings.Replace(base, "http_access allow all\n", "", 1)+"logformat tls %ssl::>cert_subject %ssl::>cert_issuer %ssl::>negotiated_version %ssl::>negotiated_cipher %un %>Hs\n"+
			"access_log stdio:{dir}/tls.log tls\n"+secure("tls-flags=CONDITIONAL_AUTH")+secure("")+secure("sslflags=DELAYED_AUTH")+
			"acl ann user_cert CN Ann\nacl bob user_cert DN /C=GB/O=School/CN=Bob\nacl known ca_cert CN school\nacl nobody ca_cert CN nobody\n"+
			"http_access deny nobody\nhttp_access deny bob\nhttp_access allow ann known\nhttp_access allow known\nhttp_access deny all\n")
		ann, bob, cat := ca.pupil(t, "Ann"), ca.pupil(t, "Bob"), ca.pupil(t, "Cat")
		stranger := newSchool(t, t.TempDir(), "other").pupil(t, "Eve")
		var want []string
		for _, row := range []struct {
			port   int
			client *tls.Certificate
			answer string // "" is none
		}{
			{0, &ann, "HTTP/1.1 200"}, {0, &bob, "HTTP/1.1 403"}, {0, &cat, "HTTP/1.1 200"}, {0, nil, "HTTP/1.1 403"}, {0, &stranger, ""},
			{1, &ann, "HTTP/1.1 200"}, {1, nil, ""}, {1, &stranger, ""},
			{2, &ann, "HTTP/1.1 403"}, {2, nil, "HTTP/1.1 403"},
		} {
			for version, names := range map[uint16]string{tls.VersionTLS12: "TLS/1.2 ECDHE-ECDSA-AES128-GCM-SHA256", tls.VersionTLS13: "TLS/1.3 TLS_AES_128_GCM_SHA256"} {
				client := &tls.Config{MinVersion: version, MaxVersion: version, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}}
				if row.client != nil {
					client.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return row.client, nil }
				}
				got := secureGet(x.addrs[row.port].String(), o.URL+"/plain", client)
				if answered := strings.HasPrefix(got, "HTTP/"); answered != (row.answer != "") || !strings.HasPrefix(got, row.answer) {
					t.Errorf("%s: port %d, TLS %x, certificate %v: %q, want %q", p.path, row.port, version, row.client != nil, got, row.answer)
				}
				if row.answer == "" {
					continue
				}
				who := "- -"
				if leaf := subjectOf(row.client); leaf != "" && row.port < 2 {
					who = leaf + " /CN=school"
				}
				if version == tls.VersionTLS13 {
					names = "TLS/1.3 TLS_"
				}
				want = append(want, who+" "+names)
			}
		}
		x.eventually("logs them", 10*time.Second, func() bool {
			return len(requestsOf(x.file("tls.log"))) >= len(want)
		})
		for i, line := range requestsOf(x.file("tls.log")) {
			if i >= len(want) || !strings.HasPrefix(line, want[i]) {
				t.Errorf("%s logs %q as line %d, want them to be\n%s", p.path, line, i, strings.Join(want, "\n"))
				break
			}
		}
	}
}

// subjectOf is the name in a certificate that pupil made; "" if there is none.
func subjectOf(c *tls.Certificate) string {
	if c == nil {
		return ""
	}
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		return ""
	}
	return "/C=GB/O=School/CN=" + leaf.Subject.CommonName
}

// requestsOf are the lines of a log that have a status.
func requestsOf(log string) (lines []string) {
	for line := range strings.Lines(log) {
		if line = strings.TrimSpace(line); !strings.HasSuffix(line, " 0") && !strings.HasSuffix(line, " -") {
			lines = append(lines, line)
		}
	}
	return lines
}

// openssl runs openssl s_client, which asks a proxy for a URL.
func (x *proxy) openssl(addr, url string, args ...string) string {
	x.t.Helper()
	path := peer(x.t, "openssl", "openssl")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, append([]string{"s_client", "-connect", addr, "-ign_eof"}, args...)...)
	cmd.Stdin = strings.NewReader("GET " + url + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	out, _ := cmd.CombinedOutput() // it judges the certificate, too
	return string(out)
}

// TestSessionsOutliveAReload has openssl come back with the ticket of before, to any of several workers.
func TestSessionsOutliveAReload(t *testing.T) {
	dir := world(t)
	options := newAuthority(t, dir, "first.test").pemFiles(t, dir)
	o := newOrigin(t, "127.0.0.1", pages())
	x := start(t, exaproxy(), dir, base+"workers 2\nhttps_port 127.0.0.1:0 worker-queues "+options+"\n")
	session := filepath.Join(t.TempDir(), "session")
	for _, version := range []string{"-tls1_2", "-tls1_3"} {
		if out := x.openssl(x.addr(), o.URL+"/plain", version, "-sess_out", session); !strings.Contains(out, "New, ") || !strings.Contains(out, "origin answers") {
			t.Fatalf("openssl says %s", out)
		}
		for range 3 {
			if out := x.openssl(x.addr(), o.URL+"/plain", version, "-sess_in", session); !strings.Contains(out, "Reused, ") || !strings.Contains(out, "origin answers") {
				t.Errorf("before the reload openssl says %s", out)
			}
		}
		newAuthority(t, t.TempDir(), "second.test").pemFiles(t, dir)
		x.signal(syscall.SIGHUP)
		x.eventually("takes the new certificate", 20*time.Second, func() bool {
			return strings.Count(x.cacheLog(), "Reconfigured: ") == map[string]int{"-tls1_2": 1, "-tls1_3": 2}[version]
		})
		for range 3 {
			if out := x.openssl(x.addr(), o.URL+"/plain", version, "-sess_in", session); !strings.Contains(out, "Reused, ") || !strings.Contains(out, "origin answers") {
				t.Errorf("after the reload openssl says %s", out)
			}
		}
	}
}

// TestSecretsOfTLSAreLogged has tls_key_log write what a client knows too.
func TestSecretsOfTLSAreLogged(t *testing.T) {
	dir := world(t)
	options := newAuthority(t, dir, "proxy.test").pemFiles(t, dir)
	o := newOrigin(t, "127.0.0.1", pages())
	x := start(t, exaproxy(), dir, base+"tls_key_log stdio:{dir}/keys.log\nhttps_port 127.0.0.1:0 "+options+"\n")
	var known bytes.Buffer
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		if got := secureGet(x.addr(), o.URL+"/plain", &tls.Config{MaxVersion: version, KeyLogWriter: &known}); !strings.HasPrefix(got, "HTTP/1.1 200") {
			t.Fatalf("the answer is %q", got)
		}
	}
	x.eventually("logs all secrets", 10*time.Second, func() bool {
		log := x.file("keys.log")
		for line := range strings.Lines(known.String()) {
			if !strings.Contains(log, line) {
				return false
			}
		}
		return true
	})
	if lines := strings.Count(known.String(), "\n"); lines < 5 {
		t.Errorf("the client knows %d secrets", lines)
	}
	x.logs("tls_key_log: whoever can read", time.Second)
}

// TestCertificatesThatCannotBeUsed has a start end, and a reload change nothing, for a key that does not fit, a
// certificate that has expired, and one that is not there.
func TestCertificatesThatCannotBeUsed(t *testing.T) {
	dir := world(t)
	options := newAuthority(t, dir, "first.test").pemFiles(t, dir)
	x := start(t, exaproxy(), dir, base+"https_port 127.0.0.1:0 "+options+"\n")
	good := x.file("port.key")
	other := world(t)
	newAuthority(t, other, "second.test").pemFiles(t, other)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	old := &x509.Certificate{SerialNumber: big.NewInt(3), NotAfter: time.Now().Add(-time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, old, old, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	expired := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})) + string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
	failed := 0
	for change, want := range map[string]string{
		"tls-cert={dir}/port.crt tls-key=" + other + "/port.key":              "private key is not that of the certificate",
		"tls-cert=" + writeFile(t, other, "old.pem", expired):                 "has expired at",
		"tls-cert={dir}/port.crt tls-key={dir}/missing.key":                   "missing.key: no such file",
		"tls-cert={dir}/port.crt tls-key={dir}/port.key tls-key=/nonexistent": "/nonexistent: no such file",
	} {
		conf := fill(dir, base+"https_port 127.0.0.1:0 "+change+"\n")
		again := launch(t, exaproxy(), world(t), "-N", "-d1", "-f", writeFile(t, other, "squid.conf", conf))
		again.quiet = true
		if status := again.wait(20 * time.Second); status == 0 || !strings.Contains(again.said(), want) || !strings.Contains(again.said(), "squid.conf line 9: https_port") {
			t.Errorf("%s: the start ends with %d and says %s", change, status, again.said())
		}
		writeFile(t, dir, "squid.conf", conf)
		x.signal(syscall.SIGHUP)
		failed++
		x.eventually("says that nothing was changed", 20*time.Second, func() bool {
			return strings.Count(x.cacheLog(), "ERROR: the configuration was not changed") == failed
		})
		if log := x.cacheLog(); !strings.Contains(log, want) || !strings.Contains(log, "squid.conf line 9: https_port") {
			t.Errorf("%s: cache.log has %s", change, log)
		}
		conn, err := tls.Dial("tcp", x.addr(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		if name := conn.ConnectionState().PeerCertificates[0].DNSNames[0]; name != "first.test" {
			t.Errorf("after a reload that failed the certificate is that of %s", name)
		}
		conn.Close()
	}
	for _, line := range strings.Split(good, "\n")[1:3] {
		if said := x.cacheLog() + x.said(); strings.Contains(said, line) {
			t.Error("a private key is logged")
		}
	}
}

// TestKeysAreNotInCores has a proxy with private keys be one of which the kernel writes no core, and into whose memory
// nobody of its user sees: what stands in its /proc is root's then (proc(5)).
func TestKeysAreNotInCores(t *testing.T) {
	const nobody = 65534
	for _, row := range []struct {
		what, port string
		env        []string
		hidden     bool
	}{
		{"a proxy with a key", "https_port", nil, true},
		{"a proxy without", "http_port", nil, false},
		{"a proxy of which a core is wanted", "https_port", []string{"GOTRACEBACK=crash"}, false},
	} {
		dir := world(t)
		options := ""
		if row.port == "https_port" {
			options = newAuthority(t, dir, "proxy.test").pemFiles(t, dir)
		}
		cmd := exec.Command(built.proxy, "-N", "-d1", "-f", writeFile(t, dir, "squid.conf", fill(dir, base+row.port+" 127.0.0.1:0 "+options+"\n")))
		cmd.Env = append(os.Environ(), row.env...)
		user := uint32(os.Geteuid())
		if user == 0 {
			user = nobody
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		}
		var said bytes.Buffer
		cmd.Stderr = &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var owner uint32
		listens := poll(20*time.Second, func() bool {
			log, _ := os.ReadFile(filepath.Join(dir, "cache.log"))
			return strings.Contains(string(log), "Accepting HTTP")
		})
		if facts, err := os.Stat(fmt.Sprintf("/proc/%d/mem", cmd.Process.Pid)); err == nil {
			owner = facts.Sys().(*syscall.Stat_t).Uid
		}
		cmd.Process.Signal(syscall.SIGINT)
		cmd.Wait()
		if !listens || (owner != user) != row.hidden {
			t.Errorf("%s: its memory is user %d's, who runs it is %d; it says %s", row.what, owner, user, said.String())
		}
	}
}
