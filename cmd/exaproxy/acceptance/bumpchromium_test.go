package acceptance

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// looking is a port whose tunnels are decrypted, but for those to one site.
const looking = `http_port 127.0.0.1:0 ssl-bump tls-cert={dir}/ca/ca.crt tls-key={dir}/ca/ca.key
tls_outgoing_options cafile={site}
acl step1 at_step SslBump1
acl spliced ssl::server_name spliced.test
acl games urlpath_regex ^/games
acl chat urlpath_regex ^/chat
deny_info http://school.test:{school}/why?chat chat
http_access deny games
http_access deny chat
http_access allow all
ssl_bump peek step1
ssl_bump splice spliced
ssl_bump bump all
url_rewrite_program {helper}
url_rewrite_children 2
`

// insideHelper answers in the two ways of squidGuard about URLs inside: a redirect, and a page in the place of another.
const insideHelper = `#!/bin/sh
while read url rest; do
	case $url in
	*/away*) echo "OK status=302 url=http://school.test:{school}/why?helper" ;;
	*/instead*) echo "OK rewrite-url=http://school.test:{school}/why?instead" ;;
	*) echo ERR ;;
	esac
done
`

// TestChromiumAtSitesThatAreLookedInto has two of them: one trusts the proxy's authority and not that of the sites,
// the other trusts the sites' alone. So each page that is shown was shown under a certificate of whom it should be.
func TestChromiumAtSitesThatAreLookedInto(t *testing.T) {
	dir := world(t)
	if out, err := exec.Command(built.proxy, "make-ca", filepath.Join(dir, "ca")).CombinedOutput(); err != nil {
		t.Fatalf("make-ca: %v\n%s", err, out)
	}
	writeFile(t, dir, "hosts", "127.0.0.5 site.test spliced.test\n127.0.0.6 school.test\n")
	site := newAuthority(t, dir, "site.test", "spliced.test")
	school := newOrigin(t, "127.0.0.6", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "<title>the school's page: %s</title>", r.URL.RawQuery)
	}))
	o := site.newTLSOrigin(t, "127.0.0.5", page())
	places := strings.NewReplacer("{school}", school.port(), "{site}", site.file, "{helper}", filepath.Join(dir, "helper"))
	writeFile(t, dir, "helper", places.Replace(insideHelper))
	if err := os.Chmod(filepath.Join(dir, "helper"), 0o755); err != nil {
		t.Fatal(err)
	}
	x := start(t, exaproxy(), dir, strings.Replace(base, "http_access allow all\n", "", 1)+places.Replace(looking))
	ours, theirs := homeThatTrusts(t, filepath.Join(dir, "ca", "ca.crt")), homeThatTrusts(t, site.file)
	for _, row := range []struct{ name, home, url, want string }{
		{"a site that is bumped", ours, "https://site.test:" + o.port() + "/page", "<title>complete</title>"},
		{"a site that is spliced", theirs, "https://spliced.test:" + o.port() + "/page", "<title>complete</title>"},
		{"http_access inside", ours, "https://site.test:" + o.port() + "/games", "Access denied"},
		{"deny_info inside", ours, "https://site.test:" + o.port() + "/chat", "the school's page: chat"},
		{"a redirect inside", ours, "https://site.test:" + o.port() + "/away", "the school's page: helper"},
		{"another page in its place", ours, "https://site.test:" + o.port() + "/instead", "the school's page: instead"},
	} {
		if dom := chromiumAt(t, x, row.home, row.url); !strings.Contains(dom, row.want) {
			t.Errorf("%s: Chromium shows at %s:\n%.3000s\nwant %q", row.name, row.url, dom, row.want)
		}
	}
	for name, row := range map[string]struct{ home, url string }{
		"bumped, for who does not trust us": {theirs, "https://site.test:" + o.port() + "/page"},
		"spliced, for who trusts us alone":  {ours, "https://spliced.test:" + o.port() + "/page"},
	} {
		if dom := chromiumAt(t, x, row.home, row.url); strings.Contains(dom, "complete") {
			t.Errorf("a site that is %s is shown:\n%.3000s", name, dom)
		}
	}
	if o.reached("/games") || o.reached("/chat") || o.reached("/away") || o.reached("/instead") {
		t.Error("what was refused has reached the site")
	}
	for _, want := range []string{
		"TCP_MISS/200 %d GET https://site.test:" + o.port() + "/page ", "TCP_TUNNEL/200 %d CONNECT spliced.test:" + o.port() + " ",
		"TCP_DENIED/403 %d GET https://site.test:" + o.port() + "/games ", "TCP_DENIED/302 %d GET https://site.test:" + o.port() + "/chat ",
	} {
		tag, rest, _ := strings.Cut(want, "%d")
		x.eventually("logs "+want, 10*time.Second, func() bool {
			for _, line := range x.accessLog() {
				if strings.Contains(line, tag) && strings.Contains(line, rest) {
					return true
				}
			}
			return false
		})
	}
	for _, line := range x.accessLog() {
		if strings.Contains(line, "https://spliced.test") {
			t.Errorf("somebody has read what was spliced: %s", line)
		}
	}
}
