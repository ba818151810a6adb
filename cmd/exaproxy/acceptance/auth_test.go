package acceptance

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// authRules has a path for each place in which an acl of users may stand.
const authRules = `auth_param basic program {program}
auth_param basic children 2 startup=1
auth_param basic realm lab realm
acl users proxy_auth REQUIRED
acl bob proxy_auth bob
acl al proxy_auth_regex -i ^AL
acl shown proxy_auth bob
acl away proxy_auth bob
acl named proxy_auth bob
deny_info ERR_ACCESS_DENIED shown
deny_info http://deny.test/x?u=%a away
deny_info 403:ERR_ACCESS_DENIED named
acl p1 urlpath_regex ^/required
acl p2 urlpath_regex ^/others
acl p3 urlpath_regex ^/bob
acl p4 urlpath_regex ^/tail
acl p5 urlpath_regex ^/shown
acl p6 urlpath_regex ^/away
acl p7 urlpath_regex ^/named
acl p8 urlpath_regex ^/allow
http_access deny p2 !bob
http_access deny p3 bob
http_access deny p4 !bob all
http_access deny p5 !shown
http_access deny p6 !away
http_access deny p7 !named
http_access allow p8 al
http_access deny p8
http_access allow p1 users
http_access deny p1
http_access allow CONNECT users
http_access deny CONNECT
logformat seen %>Hs %un %rm %ru
access_log stdio:{dir}/seen.log seen
`

// credentialsTried are sent as they are, beside well-formed ones.
var credentialsTried = []string{"", "Basic", "Basic !!!", "Digest x", "Bearer abc",
	"basic " + encoded("bob:secret"), "Basic   " + encoded("bob:secret") + " ", "Basic " + encoded("bob:secret")[:13],
	"Basic " + encoded("Bob:secret"), "Basic " + encoded("bob:Secret"), "Basic " + encoded("bob:"), "Basic " + encoded("bob"),
	"Basic " + encoded("j doe:p%ss w\"d"), "Basic " + encoded("j doe:other"), "Basic " + encoded("\xe9ve:secret"),
	"Basic " + encoded("bob:sec\nret")}

func encoded(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// passwords makes a file of users for basic_ncsa_auth.
func passwords(t *testing.T, dir string) string {
	t.Helper()
	text := ""
	for user, password := range map[string]string{"bob": "secret", "al": "secret", "j doe": `p%ss w"d`, "\xe9ve": "secret"} {
		hash, err := exec.Command(peer(t, "openssl", "openssl"), "passwd", "-apr1", password).Output()
		if err != nil {
			t.Fatal(err)
		}
		text += user + ":" + string(hash)
	}
	return writeFile(t, dir, "passwd", text)
}

// TestBasicAuthenticationIsSquids has Debian's helper judge the same requests for Squid and for us.
func TestBasicAuthenticationIsSquids(t *testing.T) {
	const helper = "/usr/lib/squid/basic_ncsa_auth"
	theirs := squid(t)
	if _, err := os.Stat(helper); err != nil {
		t.Fatal(err)
	}
	o := newStranger(t)
	var told [2][]string
	var logs [2][]string
	for i, p := range []program{theirs, exaproxy()} {
		dir := world(t)
		x := start(t, p, dir, strings.ReplaceAll(authRules, "{program}", helper+" "+passwords(t, dir))+base+"http_port 127.0.0.1:"+freePort(t)+"\n")
		for _, path := range []string{"required", "others", "bob", "tail", "shown", "away", "named", "allow"} {
			for _, c := range []string{"", "Basic " + encoded("bob:secret"), "Basic " + encoded("al:secret"), "Basic " + encoded("al:wrong")} {
				told[i] = append(told[i], x.authenticate(t, "GET", o.URL+"/"+path, c))
			}
		}
		for _, c := range credentialsTried {
			told[i] = append(told[i], x.authenticate(t, "GET", o.URL+"/required", c))
		}
		told[i] = append(told[i], x.authenticate(t, "PURGE", o.URL+"/required", "Basic "+encoded("bob:secret")))
		for _, c := range []string{"", "Basic " + encoded("bob:secret"), "Basic " + encoded("bob:wrong")} {
			told[i] = append(told[i], x.authenticate(t, "CONNECT", strings.TrimPrefix(o.URL, "http://"), c))
		}
		x.eventually("has logged all", 10*time.Second, func() bool { return strings.Count(x.file("seen.log"), "\n") >= len(told[i]) })
		logs[i] = strings.Split(x.file("seen.log"), "\n")
		slices.Sort(logs[i]) // a tunnel's line comes with its end
		if text := x.file("seen.log") + x.cacheLog(); strings.Contains(text, "secret") {
			t.Errorf("a log has a password:\n%s", text)
		}
	}
	for i, want := range told[0] {
		if got := told[1][i]; got != want {
			t.Errorf("we answer %s\nSquid     %s", got, want)
		}
	}
	if got, want := strings.Join(logs[1], "\n"), strings.Join(logs[0], "\n"); got != want {
		t.Errorf("we log\n%s\nSquid logs\n%s", got, want)
	}
}

// authenticate asks with credentials, as they are, and tells what matters of the answer.
func (x *proxy) authenticate(t *testing.T, method, where, credentials string) string {
	t.Helper()
	conn, err := x.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	field := ""
	if credentials != "" {
		field = "Proxy-Authorization: " + credentials + "\r\n"
	}
	fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: x.test\r\n%s\r\n", method, where, field)
	reply, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		return fmt.Sprintf("%s %s %q: %v", method, where, credentials, err)
	}
	defer reply.Body.Close()
	_, path, _ := strings.Cut(strings.TrimPrefix(where, "http://"), "/")
	return fmt.Sprintf("%s /%s %q: %s %q %q %q", method, path, credentials, reply.Status, reply.Header["Proxy-Authenticate"],
		reply.Header["Location"], strings.TrimPrefix(reply.Header.Get("X-Squid-Error"), "403:"))
}

// TestCurlAuthenticates is for a client that people use, plain and through a tunnel.
func TestCurlAuthenticates(t *testing.T) {
	const helper = "/usr/lib/squid/basic_ncsa_auth"
	peer(t, "squid", "squid-openssl")
	dir := world(t)
	o := newOrigin(t, "127.0.0.1", pages())
	x := start(t, exaproxy(), dir, strings.ReplaceAll(authRules, "{program}", helper+" "+passwords(t, dir))+base+openPort)
	for _, tunnel := range []string{"--no-proxytunnel", "-p"} {
		if c := x.curl("-s", tunnel, "-o", "/dev/null", "-w", "%{http_code}", "--proxy-user", "bob:secret", "--proxy-anyauth", o.URL+"/required"); c.out != "200" {
			t.Errorf("%s: curl is answered %q (%s)", tunnel, c.out, c.err)
		}
		if c := x.curl("-s", tunnel, "-o", "/dev/null", "-w", "%{http_code}%{http_connect}", "--proxy-user", "bob:wrong", "--proxy-anyauth", o.URL+"/required"); !strings.Contains(c.out, "407") {
			t.Errorf("%s: curl with a wrong password is answered %q (%s)", tunnel, c.out, c.err)
		}
	}
}
