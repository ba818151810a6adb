package acceptance

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

// TestConnectionsToPeersAreKeptReady has Squid and us keep connections to a parent ready, without and with TLS: with us those
// of earlier requests are among them, in Squid beside them.
func TestConnectionsToPeersAreKeptReady(t *testing.T) {
	squid := squid(t)
	site := newCertificate(t, "parent.test", nil, nil)
	for _, secured := range []bool{false, true} {
		told := make(map[string]string)
		for _, p := range []program{squid, exaproxy()} {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			options := ""
			if secured {
				l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{site.Raw}, PrivateKey: site.key}}})
				options = " tls tls-flags=DONT_VERIFY_PEER"
			}
			var open atomic.Int64
			parent := &http.Server{
				Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "from the parent") }),
				ConnState: func(_ net.Conn, s http.ConnState) {
					switch s {
					case http.StateNew:
						open.Add(1)
					case http.StateClosed:
						open.Add(-1)
					}
				},
			}
			go parent.Serve(l)
			_, port, _ := net.SplitHostPort(l.Addr().String())
			x := start(t, p, world(t), fmt.Sprintf("cache_peer 127.0.0.1 parent %s 0 no-query no-digest standby=3 max-conn=9%s\nnever_direct allow all\n", port, options)+
				noNetDB+base+"workers 1\nhttp_port 127.0.0.1:"+freePort(t)+"\n")
			for n := range 3 {
				url := fmt.Sprintf("http://site.test/%d", n)
				if status := x.asks(t, "127.0.0.1", "", url); status != http.StatusOK {
					t.Errorf("%s: status %d", url, status)
				}
				poll(20*time.Second, func() bool { return open.Load() >= 3 })
				told[p.path] += fmt.Sprintf("after request %d %v; ", n, open.Load() >= 3)
			}
			x.end()
			parent.Close()
		}
		if told[squid.path] != told[exaproxy().path] {
			t.Errorf("TLS %v: whether three connections are open:\nours    %s\nSquid's %s", secured, told[exaproxy().path], told[squid.path])
		}
	}
}
