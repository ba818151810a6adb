package engine

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"testing"
	"time"
)

// TestSessionsAreResumed has a client come back to a port after a reload, to one that trusts others, and to another
// engine.
func TestSessionsAreResumed(t *testing.T) {
	var here, elsewhere tickets
	port := func(audience string) *Port {
		return &Port{TLS: &tls.Config{Certificates: []tls.Certificate{selfSigned(t)}}, Audience: audience}
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		client := &tls.Config{InsecureSkipVerify: true, MaxVersion: version, ServerName: "proxy.test", ClientSessionCache: tls.NewLRUClientSessionCache(1)}
		for _, row := range []struct {
			what    string
			server  *tls.Config
			resumed bool
		}{
			{"the first connection", here.serve(port("a"), nil), false},
			{"after a reload, under another certificate", here.serve(port("a"), nil), true},
			{"once more, by what it got then", here.serve(port("a"), nil), true},
			{"at a port that trusts others", here.serve(port("b"), nil), false},
			{"there again", here.serve(port("b"), nil), true},
			{"at another proxy", elsewhere.serve(port("b"), nil), false},
		} {
			if got := resumes(t, row.server, client); got != row.resumed {
				t.Errorf("TLS %x, %s: the session is resumed: %v", version, row.what, got)
			}
		}
	}
	if here.serve(&Port{}, nil) != nil {
		t.Error("TLS is spoken at an http_port")
	}
	var log bytes.Buffer
	if config := here.serve(port("a"), &log); resumes(t, config, &tls.Config{InsecureSkipVerify: true}) || !bytes.HasPrefix(log.Bytes(), []byte("CLIENT_HANDSHAKE_TRAFFIC_SECRET ")) {
		t.Errorf("the secrets that are logged are %q", log.Bytes())
	}
}

// selfSigned is a certificate that nobody else vouches for.
func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// resumes has a client and a server meet, and says whether they go on with an old session.
func resumes(t *testing.T, server, client *tls.Config) bool {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", server)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	served := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err == nil {
			_, err = conn.Write([]byte("x")) // behind the tickets
			conn.Close()
		}
		served <- err
	}()
	conn, err := tls.DialWithDialer(&net.Dialer{Deadline: time.Now().Add(time.Minute)}, "tcp", l.Addr().String(), client)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if n, err := conn.Read(make([]byte, 1)); n == 0 {
		t.Fatal(err, <-served)
	}
	return conn.ConnectionState().DidResume
}
