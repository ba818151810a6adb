package acceptance

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

// TestTLSToPeers has a server that is configured as a peer be spoken to in TLS, and be verified. One that cannot be is
// followed by the next.
func TestTLSToPeers(t *testing.T) {
	dir := world(t)
	site := newAuthority(t, dir, "127.0.0.1")
	secure, plain := site.newTLSOrigin(t, "127.0.0.1", pages()), newOrigin(t, "127.0.0.1", pages())
	for _, row := range []struct {
		options string
		secure  bool // it is good enough
	}{
		{"tls tls-cafile=" + site.file, true},
		{"sslcafile=" + site.file + " tls-min-version=1.3", true},
		{"tls sslflags=DONT_VERIFY_PEER", true},
		{"tls tls-cafile=" + site.file + " ssldomain=other.test", false},
		{"tls tls-cafile=" + site.file + " ssldomain=other.test sslflags=DONT_VERIFY_DOMAIN", true},
		{"tls", false},
	} {
		for _, spare := range []bool{false, true} {
			conf := fmt.Sprintf("cache_peer 127.0.0.1 parent %s 0 no-query originserver name=one %s\nnever_direct allow all\n", secure.port(), row.options)
			if spare {
				conf += fmt.Sprintf("cache_peer 127.0.0.1 parent %s 0 no-query originserver name=two\n", plain.port())
			}
			x := start(t, exaproxy(), world(t), openPort+conf+base)
			for _, path := range []string{"/one", "/two"} {
				reply, err := through(x).Get("http://nobody.test" + path)
				if err != nil {
					t.Fatal(err)
				}
				body, _ := io.ReadAll(reply.Body)
				reply.Body.Close()
				served := strings.Contains(string(body), "origin answers GET "+path)
				failed := reply.StatusCode == 503 && strings.HasPrefix(reply.Header.Get("X-Squid-Error"), "ERR_SECURE_CONNECT_FAIL")
				if wants := row.secure || spare; served != wants || failed == wants || secure.reached(path) != row.secure {
					t.Errorf("%s, with another %v: %s %s %.100q, it reached the peer %v", row.options, spare, reply.Status,
						reply.Header.Get("X-Squid-Error"), body, secure.reached(path))
				}
			}
			if !row.secure && !strings.Contains(x.said(), "TCP connection to 127.0.0.1/"+secure.port()+" failed") {
				t.Errorf("%s: cache.log has no word of it", row.options)
			}
			if !row.secure && strings.Count(x.said(), "ERROR: cache_peer one: TLS with 127.0.0.1/"+secure.port()) != 1 {
				t.Errorf("%s: cache.log does not say once why:\n%s", row.options, x.said())
			}
			secure.mu.Lock()
			secure.requests = nil
			secure.mu.Unlock()
		}
	}
}
