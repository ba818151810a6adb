package acceptance

import (
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// blockPage is where redirectors send who asks for what is blocked.
const blockPage = "http://127.0.0.1:9/blocked.html"

func TestSquidGuardFiltersAsUnderSquid(t *testing.T) {
	guard := peer(t, "squidGuard", "squidguard")
	dir := world(t)
	for _, d := range []string{"db", "db/bad", "guardlog"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o777); err != nil {
			t.Fatal(err)
		}
		os.Chmod(filepath.Join(dir, d), 0o777)
	}
	writeFile(t, dir, "db/bad/domains", "blocked.test\nrewritten.test\n")
	writeFile(t, dir, "db/bad/urls", "origin.test/forbidden\n")
	conf := writeFile(t, dir, "squidGuard.conf", fill(dir, `dbhome {dir}/db
logdir {dir}/guardlog
dest bad {
	domainlist bad/domains
	urllist bad/urls
	redirect 302:`+blockPage+`?u=%u&n=%n
}
acl {
	default {
		pass !bad all
		redirect 302:`+blockPage+`
	}
}
`))
	// Debian's default is what is not said: url_rewrite_children 20 startup=0 idle=1 concurrency=0
	filters(t, exaproxy(), dir, "url_rewrite_program "+guard+" -c "+conf+"\n")
	if said := readAll(filepath.Join(dir, "guardlog", "squidGuard.log")); strings.Contains(said, "error") {
		t.Errorf("squidGuard complains:\n%s", said)
	}
}

func TestJesredFiltersAsUnderSquid(t *testing.T) {
	jesred := jesred(t)
	dir := world(t)
	etc := filepath.Join(dir, "etc")
	if out, err := exec.Command("cp", "-a", "/etc", etc).CombinedOutput(); err != nil {
		t.Skipf("jesred looks for its rules in /etc only, and no copy of that can be made: %v\n%s", err, out)
	}
	writeFile(t, etc, "jesred.acl", "0.0.0.0/0\n::/0\n")
	writeFile(t, etc, "jesred.rules", `regexi ^http://blocked\.test/.* 302:`+blockPage+`
regexi ^http://origin\.test(:[0-9]+)?/forbidden 302:`+blockPage+`
regexi ^blocked\.test:443 302:`+blockPage+`
`)
	writeFile(t, etc, "jesred.conf", fill(dir, "allow = /etc/jesred.acl\nrules = /etc/jesred.rules\nredirect_log = {dir}/jesred.log\n"))
	program := filepath.Join(dir, "jesred")
	if err := copyFile(program, jesred); err != nil {
		t.Fatal(err)
	}
	filters(t, withEtc(t, etc, exaproxy()), dir, "url_rewrite_program "+program+"\n")
}

// withEtc is a proxy in a world whose /etc is another folder. Programs that look for their
// configuration nowhere else can be tested so without touching the machine's.
func withEtc(t *testing.T, etc string, p program) program {
	t.Helper()
	return withFolder(t, etc, "/etc", p)
}

// withFolder is a proxy in a world that has a folder, which need not be there yet, in the place of one of the machine's.
func withFolder(t *testing.T, folder, place string, p program) program {
	t.Helper()
	unshare := peer(t, "unshare", "util-linux")
	mount := []string{"-m", "sh", "-c", `mount --bind "$0" "$1" && shift && exec "$@"`, folder, place}
	if out, err := exec.Command(unshare, "-m", "mount", "--bind", filepath.Dir(folder), place).CombinedOutput(); err != nil {
		t.Skipf("this test must be allowed to mount a folder of its own over %s: %v\n%s", place, err, out)
	}
	return program{path: unshare, args: slices.Concat(mount, []string{p.path}, p.args)}
}

// jesred finds the program: installed, else in Debian's package, which cannot be installed beside
// squid-openssl.
func jesred(t *testing.T) string {
	t.Helper()
	const installed = "/usr/lib/squid/jesred"
	if _, err := os.Stat(installed); err == nil {
		return installed
	}
	apt, unpack := peer(t, "apt-get", "apt"), peer(t, "dpkg-deb", "dpkg")
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	get := exec.CommandContext(ctx, apt, "-q", "download", "jesred")
	get.Dir = dir
	if out, err := get.CombinedOutput(); err != nil {
		t.Skipf("Debian's package of jesred cannot be had: %v\n%s", err, out)
	}
	packages, _ := filepath.Glob(filepath.Join(dir, "jesred_*.deb"))
	if len(packages) != 1 {
		t.Fatalf("apt-get download left %q", packages)
	}
	if out, err := exec.CommandContext(ctx, unpack, "-x", packages[0], dir).CombinedOutput(); err != nil {
		t.Fatalf("unpack %s: %v\n%s", packages[0], err, out)
	}
	return filepath.Join(dir, installed)
}

// filters asks for what is blocked and for what is not, with a redirector that blocks
// blocked.test and origin.test/forbidden.
func filters(t *testing.T, p program, dir, conf string) {
	t.Helper()
	o := newOrigin(t, "127.0.0.5", pages())
	ca := newAuthority(t, dir, "origin.test")
	secure := ca.newTLSOrigin(t, "127.0.0.5", pages())
	writeFile(t, dir, "hosts", "127.0.0.5 origin.test\n127.0.0.5 blocked.test\n")
	x := start(t, p, dir, base+openPort+conf)
	url := "http://origin.test:" + o.port()

	x.curl(url+"/allowed").ok(t, "what is not blocked passes", "origin answers GET /allowed")
	x.curl("-d", "a=b", url+"/sum").ok(t, "a POST that is not blocked passes", " 3 POST")
	for _, blocked := range []string{"http://blocked.test/page", "http://BLOCKED.test:80/page", url + "/forbidden"} {
		x.curl("-w", "%{http_code} %{redirect_url}", blocked).ok(t, blocked+" is redirected", "302 "+blockPage)
	}
	x.curl("--cacert", ca.file, "https://origin.test:"+secure.port()+"/tls").ok(t, "a tunnel that is not blocked passes", "origin answers GET /tls")
	tunnelTellsPage(t, x)
	if o.reached("/page") || o.reached("/forbidden") {
		t.Error("a blocked request reached the origin")
	}
	const requests = 7
	all := strings.Join(x.logged(requests), "\n")
	for _, want := range []string{"TCP_REDIRECT/302", "CONNECT blocked.test:443 - HIER_NONE/-", "GET http://blocked.test/page - HIER_NONE/-"} {
		if !strings.Contains(all, want) {
			t.Errorf("the log has no %q", want)
		}
	}
	many(t, x, url)
}

// tunnelTellsPage checks that a client which opens a tunnel to what is blocked is told so in it.
func tunnelTellsPage(t *testing.T, x *proxy) {
	t.Helper()
	conn, err := x.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(conn, "CONNECT blocked.test:443 HTTP/1.1\r\nHost: blocked.test:443\r\n\r\n")
	head := make([]byte, len("HTTP/1.1 200 Connection established\r\n\r\n"))
	if _, err := io.ReadFull(conn, head); err != nil || !strings.HasPrefix(string(head), "HTTP/1.1 200 ") {
		t.Fatalf("a blocked CONNECT is answered %q (%v)", head, err)
	}
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: blocked.test\r\n\r\n")
	page, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(page), "HTTP/1.1 302 ") || !strings.Contains(string(page), "Location: "+blockPage) {
		t.Errorf("in the tunnel comes %.300q (%v), want the redirect", page, err)
	}
}

// many asks 400 things at once by 20 clients, half of them blocked: more than there are helpers at first.
func many(t *testing.T, x *proxy, url string) {
	t.Helper()
	complaints := rush(x, 20, 20, func(client, n int) (string, func(*http.Response) string) {
		if n%2 == 0 {
			return url + "/allowed", expect(http.StatusOK)
		}
		return "http://blocked.test/page", expect(http.StatusFound)
	})
	for _, complaint := range complaints {
		t.Error(complaint)
	}
}

func readAll(path string) string {
	b, _ := os.ReadFile(path)
	return string(b)
}
