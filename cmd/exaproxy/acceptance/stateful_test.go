package acceptance

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// planned is a helper of NTLM and Negotiate that answers each token with what stands in it, behind a stroke.
const planned = `#!/bin/sh
while read -r verb token rest; do
	plan=$(echo "$token" | base64 -d 2>/dev/null | cut -d'|' -f2-)
	echo "$0 $verb $token $rest" >>{dir}/helper.lines
	echo "${plan:-BH no plan}"
done
`

const statefulRules = `auth_param negotiate program {dir}/negotiate
auth_param negotiate children 2 startup=1
auth_param ntlm program {dir}/ntlm
auth_param ntlm children 2 startup=1
auth_param ntlm key_extras "%>rd"
auth_param basic program /usr/lib/squid/basic_fake_auth
auth_param basic realm lab
acl guest proxy_auth guest
acl users proxy_auth REQUIRED
acl free urlpath_regex ^/free
http_access allow free
http_access deny guest
http_access allow users
http_access deny all
logformat seen %>Hs %un %rm %ru
access_log stdio:{dir}/seen.log seen
`

// A said is one request of a connection: CONNECT if it begins with that, of another path if it begins with one, with
// Proxy-Authorization as it stands, if anything.
type said = string

// plan is a token that has the helper answer so.
func plan(scheme, answer string) string { return scheme + " " + encoded("|"+answer) }

// connections are what is said on one each, in a scheme.
func connections(scheme, accepted string) [][]said {
	token, af := plan(scheme, "TT dG9rZW4="), plan(scheme, accepted)
	basic := "Basic " + encoded("joe:secret")
	return [][]said{
		{""},
		{"", token, af, "", "/other ", af, plan(scheme, strings.ReplaceAll(accepted, "bob", "eve")), basic, ""},
		{af, ""},
		{token, token, af},
		{token, "/free ", af, "/free "},
		{strings.ToLower(scheme) + token[len(scheme):]},
		{token, plan(scheme, "NA not you")},
		{token, plan(scheme, "BH away")},
		{token, plan(scheme, `ERR message="not you"`)},
		{token, plan(scheme, "OK token=ZmluYWw= user=bob@TEST group=a group=b"), ""},
		{plan(scheme, "junk")},
		{plan(scheme, "TT")},
		{plan(scheme, "AF")},
		{plan(scheme, "AF two words")},
		{plan(scheme, `AF token "j doe" group=x`)},
		{plan(scheme, `AF token DOM\joe`)},
		{basic, af, "", basic},
		{basic, ""},
		{token, plan(scheme, strings.ReplaceAll(accepted, "bob", "guest")), "", af},
		{"CONNECT ", "CONNECT " + token, "CONNECT " + af},
		{af, "CONNECT "},
		{token, "CONNECT " + plan(scheme, "NA no")},
		{"close " + token},
		{"close "},
		{"close " + af},
	}
}

// TestStatefulSchemesAreSquids has the same helper prove the same connections for Squid and for us.
func TestStatefulSchemesAreSquids(t *testing.T) {
	theirs := squid(t)
	o := newStranger(t)
	var told [2][]string
	for i, p := range []program{theirs, exaproxy()} {
		dir := world(t)
		for _, name := range []string{"ntlm", "negotiate"} {
			if err := os.Chmod(writeFile(t, dir, name, fill(dir, planned)), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		writeFile(t, dir, "helper.lines", "")
		if err := os.Chmod(dir+"/helper.lines", 0o666); err != nil {
			t.Fatal(err)
		}
		x := start(t, p, dir, statefulRules+base+"http_port 127.0.0.1:"+freePort(t)+"\n")
		for _, scheme := range [][2]string{{"NTLM", "AF bob"}, {"Negotiate", "AF ZmluYWw= bob"}} {
			for _, c := range connections(scheme[0], scheme[1]) {
				told[i] = append(told[i], x.converse(t, o, c))
			}
		}
		told[i] = append(told[i], strings.ReplaceAll(x.file("helper.lines"), dir, ""))
		if text := x.file("seen.log") + x.cacheLog(); strings.Contains(text, encoded("|AF bob")) {
			t.Errorf("a log has a token:\n%s", text)
		}
	}
	for i, want := range told[0] {
		if got := told[1][i]; got != want {
			t.Errorf("we answer\n%s\nSquid\n%s", got, want)
		}
	}
}

// converse says all of it on one connection, and tells what matters of the answers.
func (x *proxy) converse(t *testing.T, o *origin, all []said) (told string) {
	t.Helper()
	conn, err := x.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	read := bufio.NewReader(conn)
	for _, s := range all {
		told += x.step(conn, read, o, s) + "\n"
	}
	return told
}

func (x *proxy) step(conn net.Conn, read *bufio.Reader, o *origin, s said) string {
	method, target, fields, credentials := "GET", o.URL+"/page", "", s
	switch word, rest, _ := strings.Cut(s, " "); {
	case word == "CONNECT":
		method, target, credentials = word, strings.TrimPrefix(o.URL, "http://"), rest
	case word == "close":
		fields, credentials = "Connection: close\r\n", rest
	case strings.HasPrefix(word, "/"):
		target, credentials = o.URL+word, rest
	}
	if credentials != "" {
		fields += "Proxy-Authorization: " + credentials + "\r\n"
	}
	fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: x.test\r\n%s\r\n", method, target, fields)
	reply, err := http.ReadResponse(read, &http.Request{Method: method})
	if err != nil {
		return fmt.Sprintf("%q: %v", s, err)
	}
	if method != "CONNECT" || reply.StatusCode != 200 {
		reply.Body.Close() // having read it
	}
	return fmt.Sprintf("%q: %s %q %q close=%v", s, reply.Status, reply.Header["Proxy-Authenticate"], reply.Header.Get("X-Squid-Error"), reply.Close)
}

const fakeNTLM = `auth_param ntlm program /usr/lib/squid/ntlm_fake_auth
auth_param ntlm children 2
acl bob proxy_auth_regex -i bob
http_access allow bob
http_access deny all
logformat seen %>Hs %un %rm %ru
access_log stdio:{dir}/seen.log seen
`

// TestCurlSpeaksNTLM has a real client and Debian's helper agree, under Squid and under us.
func TestCurlSpeaksNTLM(t *testing.T) {
	theirs := squid(t)
	o := newOrigin(t, "127.0.0.1", pages())
	var told [2][]string
	for i, p := range []program{theirs, exaproxy()} {
		dir := world(t)
		x := start(t, p, dir, fakeNTLM+base+"http_port 127.0.0.1:"+freePort(t)+"\n")
		for _, user := range []string{`lab\bob:secret`, `lab\eve:secret`} {
			for _, tunnel := range []string{"--no-proxytunnel", "-p"} {
				c := x.curl("-s", tunnel, "-o", "/dev/null", "-w", "%{http_code} %{http_connect} %{num_connects}", "--proxy-ntlm", "--proxy-user", user, o.URL+"/page")
				told[i] = append(told[i], fmt.Sprintf("%s %s: %s, %d", user, tunnel, c.out, c.status))
			}
		}
		x.eventually("has logged all", 10*time.Second, func() bool { return strings.Count(x.file("seen.log"), "\n") >= 8 })
		told[i] = append(told[i], x.file("seen.log"))
	}
	for i, want := range told[0] {
		if got := told[1][i]; got != want {
			t.Errorf("with us\n%s\nwith Squid\n%s", got, want)
		}
	}
	for n, want := range []string{": 200 000", ": 200 200", ": 403 000", ": 000 403"} {
		if !strings.Contains(told[1][n], want) {
			t.Errorf("%q, want %q in it", told[1][n], want)
		}
	}
}
