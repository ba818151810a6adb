package acceptance

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestHTTPSURLsAreFetched has clients ask for https URLs without CONNECT, and a helper rewrite http to https.
func TestHTTPSURLsAreFetched(t *testing.T) {
	dir := world(t)
	writeFile(t, dir, "hosts", "127.0.0.5 site.test\n127.0.0.5 other.test\n")
	ca := newAuthority(t, dir, "site.test")
	o := ca.newTLSOrigin(t, "127.0.0.5", pages())
	site := "https://site.test:" + o.port()
	writeFile(t, dir, "rewriter", "#!/bin/sh\nwhile read url rest; do\ncase $url in\nhttp://plain.test/*) echo \"OK rewrite-url="+site+"/plain\";;\n*) echo ERR;;\nesac\ndone\n")
	if err := os.Chmod(filepath.Join(dir, "rewriter"), 0o755); err != nil {
		t.Fatal(err)
	}
	conf := base + openPort + "url_rewrite_program {dir}/rewriter\nurl_rewrite_children 2\n"
	x := start(t, exaproxy(), dir, conf+"tls_outgoing_options cafile="+ca.file+"\n")
	get := func(url string) (status int, body string) {
		got := x.exchange(asked{raw: "GET " + url + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"})
		reply := string(got.reply)
		switch {
		case strings.HasPrefix(reply, "HTTP/1.1 200"):
			status = http.StatusOK
		case strings.HasPrefix(reply, "HTTP/1.1 503"):
			status = http.StatusServiceUnavailable
		}
		return status, reply
	}
	for _, url := range []string{site + "/plain", site + "/plain", "http://plain.test/", "HTTPS://SITE.test:" + o.port() + "/plain"} {
		if status, body := get(url); status != http.StatusOK || !strings.Contains(body, "origin answers GET /plain") {
			t.Errorf("GET %s is answered with %.300q", url, body)
		}
	}
	if requests, conns := o.counts(); requests < 4 || conns > 2 {
		t.Errorf("%d requests came on %d connections: they are kept", requests, conns)
	}
	if status, body := get("https://other.test:" + o.port() + "/plain"); status != http.StatusServiceUnavailable || !strings.Contains(body, "ERR_SECURE_CONNECT_FAIL") || !strings.Contains(body, "other.test") {
		t.Errorf("a site under another name is answered with %.3000q", body)
	}
	plain := newOrigin(t, "127.0.0.5", pages())
	if status, body := get("https://site.test:" + plain.port() + "/plain"); status != http.StatusServiceUnavailable || !strings.Contains(body, "ERR_SECURE_CONNECT_FAIL") {
		t.Errorf("a server without TLS is answered with %.3000q", body)
	}

	strict := start(t, exaproxy(), world(t), base+openPort+"hosts_file "+filepath.Join(dir, "hosts")+"\n")
	if got := strict.exchange(asked{raw: "GET " + site + "/plain HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"}); !strings.Contains(string(got.reply), "ERR_SECURE_CONNECT_FAIL") {
		t.Errorf("a site that nobody vouches for is answered with %.300q", got.reply)
	}
}
