package main

import (
	"bytes"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// secureServer answers everything with 1 KB, by TLS under the certificate of proxies.
func secureServer(t *testing.T, c certificates, config *tls.Config) (address string) {
	pair, err := tls.LoadX509KeyPair(c.front, c.front)
	if err != nil {
		t.Fatal(err)
	}
	config.Certificates = []tls.Certificate{pair}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write(make([]byte, 1024))
	}))
	server.Listener.Close()
	if server.Listener, err = net.Listen("tcp", proxyHost(0)+":0"); err != nil {
		t.Fatal(err)
	}
	server.TLS = config
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // those that are to fail
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func TestLoadsThatSpeakTLS(t *testing.T) {
	c, err := makeCertificates(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	good := secureServer(t, c, &tls.Config{})
	for _, row := range []struct {
		name, server, trusted string
		arguments             []string
		wrong                 string // what the first error says
	}{
		{"GET", good, c.authority, []string{"get", "-secure"}, ""},
		{"full handshakes", good, c.authority, []string{"handshake"}, ""},
		{"resumed handshakes", good, c.authority, []string{"handshake", "-resume"}, ""},
		{"no tickets", secureServer(t, c, &tls.Config{SessionTicketsDisabled: true}), c.authority, []string{"handshake", "-resume"}, "resumed: false"},
		{"another authority", good, c.signer, []string{"get", "-secure"}, "unknown authority"},
		{"an older version", secureServer(t, c, &tls.Config{MaxVersion: tls.VersionTLS12}), c.authority, []string{"handshake"}, "protocol version"},
	} {
		var out bytes.Buffer
		arguments := append(row.arguments, "-proxy", row.server, "-url", "http://origin.test/1k", "-trusted", row.trusted,
			"-connections", "2", "-duration", "50ms")
		if err := load(arguments, nil, &out); err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		switch l := readResult(t, &out); {
		case row.wrong == "" && (l.Requests == 0 || l.Errors > 0):
			t.Errorf("%s: it tells %+v", row.name, l)
		case row.wrong != "" && (l.Requests > 0 || !strings.Contains(l.Error, row.wrong)):
			t.Errorf("%s: it tells %+v", row.name, l)
		}
	}
}

// TestLoadInsideTunnels has URLs of https fetched through tunnels, by name.
func TestLoadInsideTunnels(t *testing.T) {
	c, err := makeCertificates(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	server := secureServer(t, c, &tls.Config{})
	for _, arguments := range [][]string{{"get", "-duration", "50ms"}, {"connect", "-duration", "50ms"}, {"bulk"}} {
		var out bytes.Buffer
		if err := load(append(arguments, "-proxy", tunnels(t, false), "-url", "https://"+server+"/1k", "-trusted", c.authority, "-connections", "2"), nil, &out); err != nil {
			t.Fatal(err)
		}
		if l := readResult(t, &out); l.Requests < 2 || l.Errors > 0 {
			t.Errorf("%s: it tells %+v", arguments[0], l)
		}
	}
}
