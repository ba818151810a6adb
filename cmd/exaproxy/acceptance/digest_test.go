package acceptance

import (
	"bufio"
	"crypto/md5"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

const digestHelper = "/usr/lib/squid/digest_file_auth"

// digestRules are for Debian's helper, with a scheme behind digest.
const digestRules = `auth_param digest program {program}
auth_param digest children 2 startup=1
auth_param digest realm lab realm
auth_param digest nonce_max_count 1000
auth_param basic program /usr/lib/squid/basic_fake_auth
auth_param basic realm lab realm
acl users proxy_auth REQUIRED
acl bob proxy_auth bob
acl p1 urlpath_regex ^/others
acl p2 urlpath_regex ^/tail
http_access deny p1 !bob
http_access deny p2 !bob all
http_access allow users
http_access deny all
logformat seen %>Hs %un %rm %ru
access_log stdio:{dir}/seen.log seen
`

func md5Hex(words ...string) string {
	return fmt.Sprintf("%x", md5.Sum([]byte(strings.Join(words, ":"))))
}

// digestFile makes a file of users for the helper.
func digestFile(t *testing.T, dir string) string {
	t.Helper()
	if _, err := os.Stat(digestHelper); err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, user := range []string{"bob", "al", "j doe", "\xe9ve"} {
		text += user + ":lab realm:" + md5Hex(user, "lab realm", "secret") + "\n"
	}
	return writeFile(t, dir, "digests", text)
}

var nonceIn = regexp.MustCompile(`nonce="([^"]*)"`)

// A digestTry is what a client answers to a fresh nonce; what is empty is the usual.
type digestTry struct {
	name, method, target, user, password, uri, of string
	change                                        [2]string // in the field: this becomes that
}

// field is the credentials of a try for a nonce.
func (d digestTry) field(nonce string) string {
	or := func(s, usual string) string {
		if s == "" {
			return usual
		}
		return s
	}
	_, path, _ := strings.Cut(strings.TrimPrefix(d.target, "http://"), "/")
	uri := or(d.uri, "/"+path)
	user := or(d.user, "bob")
	response := md5Hex(md5Hex(user, "lab realm", or(d.password, "secret")), nonce, "00000001", "c", "auth", md5Hex(or(d.of, d.method), uri))
	return strings.ReplaceAll(fmt.Sprintf(`Digest username="%s", realm="lab realm", nonce="%s", uri="%s", qop=auth, nc=00000001, cnonce="c", response="%s"`,
		user, nonce, uri, response), d.change[0], d.change[1])
}

func digestTries(origin string) (all []digestTry) {
	page := origin + "/page"
	for _, d := range []digestTry{
		{name: "good"},
		{name: "another's password", password: "wrong"},
		{name: "nobody", user: "nobody"},
		{name: "with a blank", user: "j doe"},
		{name: "in Latin-1", user: "\xe9ve"},
		{name: "other letters", user: "BOB"},
		{name: "whole URL", uri: page},
		{name: "a CONNECT", method: "CONNECT", target: strings.TrimPrefix(origin, "http://"), uri: strings.TrimPrefix(origin, "http://")},
		{name: "of another method", method: "POST", of: "GET"},
		{name: "by position", user: "al", target: origin + "/others"},
		{name: "by position, behind", user: "al", target: origin + "/tail"},
		{name: "nonce of nobody", change: [2]string{`nonce="`, `nonce="0`}},
		{name: "MD5", change: [2]string{"qop=auth", "qop=auth, algorithm=MD5"}},
		{name: "SHA-256", change: [2]string{"qop=auth", "qop=auth, algorithm=SHA-256"}},
		{name: "auth-int", change: [2]string{"qop=auth", "qop=auth-int"}},
		{name: "no count", change: [2]string{"nc=00000001, ", ""}},
		{name: "short count", change: [2]string{"nc=00000001", "nc=1"}},
		{name: "no user", change: [2]string{`username="bob", `, ""}},
		{name: "no realm", change: [2]string{`realm="lab realm", `, ""}},
		{name: "no uri", change: [2]string{`uri="/page", `, ""}},
		{name: "no cnonce", change: [2]string{`cnonce="c", `, ""}},
		{name: "no response", change: [2]string{`response`, "x"}},
		{name: "no qop", change: [2]string{`qop=auth, `, ""}},
		{name: "small letters", change: [2]string{`Digest `, "digest "}},
		{name: "no marks", change: [2]string{`"bob"`, "bob"}},
		{name: "nothing", change: [2]string{`username`, "x"}},
	} {
		if d.method == "" {
			d.method = "GET"
		}
		if d.target == "" {
			d.target = page
		}
		all = append(all, d)
	}
	return all
}

// TestDigestIsSquids has Debian's helper judge the same responses for Squid and for us.
func TestDigestIsSquids(t *testing.T) {
	theirs := squid(t)
	o := newStranger(t)
	var told [2][]string
	for i, p := range []program{theirs, exaproxy()} {
		dir := world(t)
		x := start(t, p, dir, strings.ReplaceAll(digestRules, "{program}", digestHelper+" -c "+digestFile(t, dir))+base+"http_port 127.0.0.1:"+freePort(t)+"\n")
		for _, d := range digestTries(o.URL) {
			answer := x.authenticate(t, "GET", o.URL+"/page", "")
			nonce := nonceIn.FindStringSubmatch(strings.ReplaceAll(answer, `\"`, `"`))
			if nonce == nil {
				t.Fatalf("%s: no nonce in %s", p.path, answer)
			}
			field := d.field(nonce[1])
			answer = x.authenticate(t, d.method, d.target, field)
			answer = strings.ReplaceAll(answer, fmt.Sprintf("%q", field), d.name)
			told[i] = append(told[i], nonceIn.ReplaceAllString(strings.ReplaceAll(answer, `\"`, `"`), "nonce=…"))
		}
		if text := x.file("seen.log") + x.cacheLog(); strings.Contains(text, md5Hex("bob", "lab realm", "secret")) || strings.Contains(text, "response") {
			t.Errorf("a log has credentials:\n%s", text)
		}
	}
	for i, want := range told[0] {
		if got := told[1][i]; got != want {
			t.Errorf("we answer %s\nSquid     %s", got, want)
		}
	}
}

// TestCurlAnswersDigestChallenges is for a client that people use, plain and through a tunnel, and for several workers.
func TestCurlAnswersDigestChallenges(t *testing.T) {
	theirs := squid(t)
	o := newOrigin(t, "127.0.0.1", pages())
	for _, p := range []struct {
		program
		more string
	}{{theirs, ""}, {exaproxy(), ""}, {exaproxy(), "workers 3\n"}} {
		dir := world(t)
		x := start(t, p.program, dir, strings.ReplaceAll(digestRules, "{program}", digestHelper+" -c "+digestFile(t, dir))+base+p.more+"http_port 127.0.0.1:"+freePort(t)+"\n")
		for _, how := range []string{"--no-proxytunnel", "-p"} {
			for _, user := range []string{"bob:secret", "bob:wrong", "nobody:x", "j doe:secret"} {
				want := "407"
				if strings.HasSuffix(user, ":secret") {
					want = "200"
				}
				for _, scheme := range []string{"--proxy-digest", "--proxy-anyauth"} {
					c := x.curl("-s", how, scheme, "-o", "/dev/null", "-w", "%{http_code} %{http_connect}", "--proxy-user", user, o.URL+"/page")
					if !strings.Contains(c.out, want) {
						t.Errorf("%s%s: curl %s %s as %s is told %q (%s)", p.path, p.more, how, scheme, user, c.out, c.err)
					}
				}
			}
		}
		x.eventually("has logged all", 10*time.Second, func() bool { return strings.Contains(x.file("seen.log"), "doe CONNECT") })
	}
}

// TestANonceIsGoodOnceAtAnyWorker replays one request on many connections, which workers share.
func TestANonceIsGoodOnceAtAnyWorker(t *testing.T) {
	peer(t, "squid", "squid-openssl")
	dir := world(t)
	o := newOrigin(t, "127.0.0.1", pages())
	x := start(t, exaproxy(), dir, strings.ReplaceAll(digestRules, "{program}", digestHelper+" -c "+digestFile(t, dir))+base+"workers 4\n"+openPort)
	for range 10 {
		answer := x.authenticate(t, "GET", o.URL+"/page", "")
		field := digestTry{method: "GET", target: o.URL + "/page"}.field(nonceIn.FindStringSubmatch(strings.ReplaceAll(answer, `\"`, `"`))[1])
		answers := make(chan int, 20)
		for range cap(answers) {
			go func() {
				conn, err := x.dial()
				if err != nil {
					answers <- 0
					return
				}
				defer conn.Close()
				fmt.Fprintf(conn, "GET %s/page HTTP/1.1\r\nHost: x\r\nProxy-Authorization: %s\r\n\r\n", o.URL, field)
				reply, err := http.ReadResponse(bufio.NewReader(conn), nil)
				if err != nil {
					answers <- 0
					return
				}
				answers <- reply.StatusCode
			}()
		}
		got := map[int]int{}
		for range cap(answers) {
			got[<-answers]++
		}
		if got[200] != 1 || got[407] != cap(answers)-1 {
			t.Fatalf("the same request is answered %v", got)
		}
	}
}
