package acceptance

import (
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestTunnelsThatAreLookedIntoGoThroughParents has tunnels be decrypted, or peeked at, whose servers are reached through a
// parent. The parent sees a CONNECT, and nothing of what is for the server.
func TestTunnelsThatAreLookedIntoGoThroughParents(t *testing.T) {
	for name, rules := range map[string]string{
		"bump at once":      "ssl_bump bump all",
		"stare and bump":    "ssl_bump stare all\nssl_bump bump all",
		"server-first":      "ssl_bump server-first all",
		"peek and splice":   "acl s1 at_step SslBump1\nacl s2 at_step SslBump2\nssl_bump peek s1 s2\nssl_bump splice all",
		"splice by its SNI": "acl s1 at_step SslBump1\nssl_bump peek s1\nssl_bump splice all",
	} {
		t.Run(name, func(t *testing.T) {
			up := newParent(t, 200)
			up.reaches = true
			dir := world(t)
			if out, err := exec.Command(built.proxy, "make-ca", filepath.Join(dir, "ca")).CombinedOutput(); err != nil {
				t.Fatalf("make-ca: %v\n%s", err, out)
			}
			site := newAuthority(t, dir, "127.0.0.1")
			o := site.newTLSOrigin(t, "127.0.0.1", pages())
			x := start(t, exaproxy(), dir, "http_port 127.0.0.1:0 ssl-bump tls-cert={dir}/ca/ca.crt tls-key={dir}/ca/ca.key\ntls_outgoing_options cafile="+site.file+"\n"+
				rules+"\ncache_peer 127.0.0.1 parent "+up.port()+" 0 no-query login=joe:secret\nnever_direct allow all\n"+base)
			client := through(x)
			for _, path := range []string{"/one", "/two"} {
				request, _ := http.NewRequest("GET", o.URL+path, nil)
				request.Header.Set("Cookie", "secret=1")
				reply, err := client.Do(request)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(reply.Body)
				reply.Body.Close()
				if err != nil || !strings.Contains(string(body), "origin answers GET "+path) {
					t.Errorf("%s: %s, %v, %q", path, reply.Status, err, body)
				}
			}
			heads := up.take()
			if len(heads) == 0 {
				t.Error("the parent was asked for nothing")
			}
			for _, head := range heads {
				if !strings.HasPrefix(head, "CONNECT "+o.addr()+" HTTP/1.1\r\n") || strings.Contains(head, "Cookie") || !strings.Contains(head, "Proxy-Authorization: Basic am9lOnNlY3JldA==") {
					t.Errorf("the parent was asked\n%s", head)
				}
			}
		})
	}
}

// TestATunnelThatIsLookedIntoAndCannotBeHad shows what the client sees then.
func TestATunnelThatIsLookedIntoAndCannotBeHad(t *testing.T) {
	for name, tells := range map[string]int{"the parent refuses": 403, "the parent says nothing": 0} {
		t.Run(name, func(t *testing.T) {
			up := newParent(t, tells)
			dir := world(t)
			if out, err := exec.Command(built.proxy, "make-ca", filepath.Join(dir, "ca")).CombinedOutput(); err != nil {
				t.Fatalf("make-ca: %v\n%s", err, out)
			}
			x := start(t, exaproxy(), dir, "http_port 127.0.0.1:0 ssl-bump tls-cert={dir}/ca/ca.crt tls-key={dir}/ca/ca.key\nssl_bump bump all\ncache_peer 127.0.0.1 parent "+
				up.port()+" 0 no-query\nnever_direct allow all\n"+base)
			reply, err := through(x).Get("https://nobody.test/")
			if err != nil {
				t.Fatal(err)
			}
			defer reply.Body.Close()
			if reply.StatusCode != 503 && reply.StatusCode != 502 {
				t.Errorf("the client gets %s", reply.Status)
			}
		})
	}
}
