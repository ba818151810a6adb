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

// bumping is a port with an authority of our own making, and rules that refuse in each way.
const bumping = `http_port 127.0.0.1:0 tls-cert={dir}/ca/ca.crt tls-key={dir}/ca/ca.key
acl denied dstdomain .denied.test 192.0.2.1
acl elsewhere dstdomain .elsewhere.test
deny_info http://127.0.0.1:{origin}/school?%H elsewhere
http_access deny denied
http_access deny elsewhere
url_rewrite_program {helper}
url_rewrite_children 2
`

// blockingHelper redirects everything about blocked.test, and one page more.
const blockingHelper = `#!/bin/sh
while read url rest; do
	case $url in
	*blocked.test*) echo "OK status=302 url=http://127.0.0.1:{origin}/school?helper" ;;
	*) echo ERR ;;
	esac
done
`

// startBumping starts a proxy with an authority, beside an origin that has the school's page.
func startBumping(t *testing.T, more string) (x *proxy, o *origin, dir string) {
	t.Helper()
	dir = world(t)
	if out, err := exec.Command(built.proxy, "make-ca", filepath.Join(dir, "ca")).CombinedOutput(); err != nil {
		t.Fatalf("make-ca: %v\n%s", err, out)
	}
	o = newOrigin(t, "127.0.0.1", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "<title>the school's page: %s</title>", r.URL.RawQuery)
	}))
	places := strings.NewReplacer("{origin}", o.port(), "{helper}", filepath.Join(dir, "helper"))
	writeFile(t, dir, "helper", places.Replace(blockingHelper))
	if err := os.Chmod(filepath.Join(dir, "helper"), 0o755); err != nil {
		t.Fatal(err)
	}
	conf := strings.Replace(base, "http_access allow all\n", "", 1) + nameServer(t) + places.Replace(bumping) + "http_access allow all\n" + more
	return start(t, exaproxy(), dir, conf), o, dir
}

// TestABlockedHTTPSSiteShowsAPage has curl, which trusts the authority, see what was said of its CONNECT.
func TestABlockedHTTPSSiteShowsAPage(t *testing.T) {
	x, _, dir := startBumping(t, "")
	trusting := []string{"--cacert", filepath.Join(dir, "ca", "ca.crt"), "-i"}
	for _, row := range []struct{ name, url, want string }{
		{"a helper's redirect", "https://www.blocked.test/a", "Location: http://127.0.0.1:"},
		{"http_access deny", "https://www.denied.test/", "HTTP/1.1 403 Forbidden"},
		{"deny_info", "https://www.elsewhere.test/", "school?www.elsewhere.test"},
		{"an address", "https://192.0.2.1/", "HTTP/1.1 403 Forbidden"},
	} {
		for _, version := range []string{"1.2", "1.3"} {
			x.curl(append(trusting, "--tls-max", version, row.url)...).ok(t, row.name+" by TLS "+version, row.want)
		}
	}
	x.curl(append(trusting, "-I", "https://www.denied.test/")...).ok(t, "HEAD", "HTTP/1.1 403 Forbidden")
	x.curl("-p", "-i", "http://www.denied.test:443/").ok(t, "a client that does not speak TLS sees the page as well", "HTTP/1.1 403 Forbidden")

	if c := x.curl("-p", "http://www.denied.test:25/"); !strings.Contains(c.err, "response 403") {
		t.Errorf("where no TLS is expected the CONNECT itself is answered, as by Squid: %s", c.err)
	}
	if c := x.curl("https://www.denied.test/"); c.status == 0 || !strings.Contains(c.err, "SSL certificate problem") {
		t.Errorf("who does not trust the authority sees %q (%s)", c.out, c.err)
	}
	x.eventually("says why nobody sees it", 20*time.Second, func() bool {
		return strings.Contains(x.cacheLog(), "a client breaks off the TLS handshake in its tunnel") &&
			strings.Contains(x.cacheLog(), "remote error: tls: unknown certificate authority")
	})
}

// TestAllowedHTTPSSitesAreNotTouched has a client that trusts nobody but the site itself.
func TestAllowedHTTPSSitesAreNotTouched(t *testing.T) {
	x, _, dir := startBumping(t, "")
	site := newAuthority(t, dir, "127.0.0.1")
	o := site.newTLSOrigin(t, "127.0.0.1", pages())
	x.curl("--cacert", site.file, o.URL+"/plain").ok(t, "an allowed site is as it is", "origin answers GET /plain")
}

// homeThatTrusts makes a home in which Chromium trusts an authority, and besides only whom it comes with.
func homeThatTrusts(t *testing.T, cert string) string {
	t.Helper()
	home := t.TempDir()
	store := filepath.Join(home, ".pki", "nssdb")
	if err := os.MkdirAll(store, 0o755); err != nil {
		t.Fatal(err)
	}
	certutil := peer(t, "certutil", "libnss3-tools")
	for _, args := range [][]string{{"-N", "--empty-password"}, {"-A", "-t", "C,,", "-n", "filter", "-i", cert}} {
		if out, err := exec.Command(certutil, append([]string{"-d", "sql:" + store}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("certutil %v: %v\n%s", args, err, out)
		}
	}
	return home
}

// TestChromiumShowsThePageOfABlockedHTTPSSite has the browser trust the authority as an administrator
// would have it: by its store of certificates.
func TestChromiumShowsThePageOfABlockedHTTPSSite(t *testing.T) {
	x, _, dir := startBumping(t, "")
	home := homeThatTrusts(t, filepath.Join(dir, "ca", "ca.crt"))
	for url, want := range map[string]string{
		"https://www.denied.test/":     "Access denied",
		"https://www.blocked.test/":    "the school's page: helper",
		"https://www.elsewhere.test/x": "the school's page: www.elsewhere.test",
	} {
		if dom := chromiumAt(t, x, home, url); !strings.Contains(dom, want) {
			t.Errorf("Chromium shows at %s:\n%.3000s\nwant %q", url, dom, want)
		}
	}
}

// TestWhatIsNoAuthorityEndsTheStart has errors of certificates and keys be told with file and line.
func TestWhatIsNoAuthorityEndsTheStart(t *testing.T) {
	dir := world(t)
	leaf := newAuthority(t, dir, "leaf.test")
	if out, err := exec.Command(built.proxy, "make-ca", filepath.Join(dir, "ca")).CombinedOutput(); err != nil {
		t.Fatalf("make-ca: %v\n%s", err, out)
	}
	writeFile(t, dir, "nonsense", "nonsense")
	for options, want := range map[string]string{
		"tls-cert={dir}/none.crt":                                 "no such file",
		"tls-cert={dir}/nonsense":                                 "there is no certificate in PEM in it",
		"tls-cert={dir}/ca/ca.crt":                                "there is no private key in it",
		"tls-key={dir}/ca/ca.key":                                 "cert= option must be set before key= is used",
		"tls-cert={dir}/ca/ca.crt tls-key=" + leaf.file:           leaf.file + ": there is no private key in it",
		"tls-cert={dir}/ca/ca.crt generate-host-certificates=off": "cannot be followed",
	} {
		writeFile(t, dir, "squid.conf", fill(dir, base+"http_port 127.0.0.1:0 "+options+"\n"))
		out, err := exec.Command(built.proxy, "-k", "parse", "-f", filepath.Join(dir, "squid.conf")).CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("http_port with %s: %v\n%s\nwant %q", options, err, out, want)
		}
	}
}
