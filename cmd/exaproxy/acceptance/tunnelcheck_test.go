package acceptance

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// TestWhatIsInATunnelIsLookedAt has curl and Chromium reach a site, and everything else not.
func TestWhatIsInATunnelIsLookedAt(t *testing.T) {
	dir := world(t)
	writeFile(t, dir, "hosts", "127.0.0.5 site.test\n127.0.0.5 other.test\n")
	ca := newAuthority(t, dir, "site.test", "other.test")
	o := ca.newTLSOrigin(t, "127.0.0.5", pages())
	x := start(t, exaproxy(), dir, base+openPort+"acl SSL_ports port "+o.port()+"\n#exaproxy tunnel_check on\n")
	trusting := []string{"--cacert", ca.file}
	x.curl(append(trusting, "https://site.test:"+o.port()+"/plain")...).ok(t, "a site by its name", "origin answers GET /plain")
	x.curl("-k", "https://127.0.0.5:"+o.port()+"/plain").ok(t, "a site by its address", "origin answers GET /plain")
	if dom := chromium(t, x, "https://site.test:"+o.port()+"/plain"); !strings.Contains(dom, "origin answers GET /plain") {
		t.Errorf("Chromium shows %.2000s", dom)
	}
	before, _ := o.counts()
	if c := x.curl(append(trusting, "--connect-to", "other.test:"+o.port()+":site.test:"+o.port(), "https://other.test:"+o.port()+"/plain")...); c.status == 0 {
		t.Errorf("a tunnel to one site is used for another: %q", c.out)
	}
	if c := x.curl("-p", "http://site.test:"+o.port()+"/plain"); c.status == 0 {
		t.Errorf("plain HTTP passes in a tunnel: %q", c.out)
	}
	if now, _ := o.counts(); now != before {
		t.Errorf("the site has had %d requests more", now-before)
	}
	for _, said := range []string{"SSH-2.0-OpenSSH_9.2\r\n", "\x00\x0e8\x01\x02\x03\x04\x05\x06\x07\x08\x00\x00\x00\x00\x00"} {
		conn, err := net.Dial("tcp", x.addrs[0].String())
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(time.Minute))
		io.WriteString(conn, "CONNECT site.test:"+o.port()+" HTTP/1.1\r\n\r\n"+said)
		if got, err := io.ReadAll(conn); err != nil || string(got) != "HTTP/1.1 200 Connection established\r\n\r\n" {
			t.Errorf("%q is answered with %q: %v", said, got, err)
		}
		conn.Close()
	}
	x.eventually("says what it has ended", 20*time.Second, func() bool {
		return strings.Contains(x.cacheLog(), "tunnel_check: a tunnel is ended")
	})
}
