package acceptance

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// answeringHelper answers what the first word of its question asks for; with an argument, what the URL in that says.
const answeringHelper = `#!/usr/bin/python3
import sys, urllib.parse
for line in sys.stdin:
    word = line.split()[0]
    if len(sys.argv) > 1:
        word = "OK " + word.split("?")[1] if "?" in word else "OK"
    print(urllib.parse.unquote(word).replace("+", " "), flush=True)
`

// notingRules have helpers of three kinds note something, acls look at it, and note something themselves.
const notingRules = `auth_param basic program {login}
auth_param basic children 1
external_acl_type said ttl=0 children-max=1 %{X-A}>h {program}
url_rewrite_program {program} url
url_rewrite_children 1
acl said external said
acl known proxy_auth REQUIRED
acl any note foo
acl bar note foo bar
acl list note -m foo bar
acl marks note -m=;/ foo bar
acl tagged note clt_conn_tag
acl p0 urlpath_regex ^/any
acl p1 urlpath_regex ^/bar
acl p2 urlpath_regex ^/list
acl p3 urlpath_regex ^/marks
acl p4 urlpath_regex ^/tagged
acl p5 urlpath_regex ^/annotate
acl p6 urlpath_regex ^/login
acl a1 annotate_transaction t1=a
acl a2 annotate_transaction t1+=b t2="%>a x" t3=%>a
acl a3 annotate_transaction -m=; t4=a;b;c
acl c1 annotate_client c1+=v
acl c2 annotate_client c2=w c3="%>rm"
note n1 literal
note n2 "%>a %rm"
note n3 first p5
note n3 second
deny_info 501:ERR_ACCESS_DENIED any
deny_info 502:ERR_ACCESS_DENIED bar
deny_info 503:ERR_ACCESS_DENIED list
deny_info 504:ERR_ACCESS_DENIED marks
deny_info 505:ERR_ACCESS_DENIED tagged
http_access deny !said
http_access deny p0 any
http_access deny p1 bar
http_access deny p2 list
http_access deny p3 marks
http_access deny p4 tagged
http_access deny p5 a1 !a2
http_access deny p5 a3 !c1
http_access deny p5 !c2
http_access deny p6 !known
logformat noted %ru %'note
access_log stdio:{dir}/noted.log noted
`

// TestNotesAreSquids has both proxies asked the same, on one connection each where that matters.
func TestNotesAreSquids(t *testing.T) {
	peer(t, "python3", "python3")
	theirs := squid(t)
	o := newOrigin(t, "127.0.0.1", pages())
	var conversations [][][2]string
	for _, path := range []string{"any", "bar", "list", "marks"} {
		for _, says := range []string{"OK", "OK foo=bar", `OK foo=""`, "OK foo=x,bar", "OK foo=x;bar", "OK foo=x/bar,y", "OK foo=BAR", "OK foo=x foo=bar", "OK FOO=bar", "OK foo=bar,"} {
			conversations = append(conversations, [][2]string{{path, says}})
		}
	}
	conversations = append(conversations,
		[][2]string{{"annotate1", "OK clt_conn_tag=T1 k=1"}, {"annotate2", "OK"}, {"x", "OK clt_conn_tag=T2 clt_conn_tag=T3 c1=own"}, {"y", "OK"}, {"tagged", "OK"}},
		[][2]string{{"z?k=rewriter+clt_conn_tag=R", "OK k=acl k=2 l=3"}, {"z", "OK"}, {"tagged", "OK"}},
		[][2]string{{"login1", "OK group=acl"}, {"login2", "OK"}})
	var told, logged [2]string
	for i, p := range []program{theirs, exaproxy()} {
		dir := world(t)
		helper := writeFile(t, dir, "helper.py", answeringHelper)
		login := writeFile(t, dir, "login.py", strings.Replace(answeringHelper, "line.split()[0]", `"OK group=staff colour=red"`, 1))
		for _, path := range []string{helper, login} {
			if err := os.Chmod(path, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		conf := strings.NewReplacer("{program}", helper, "{login}", login).Replace(notingRules)
		x := start(t, p, dir, conf+base+"http_port 127.0.0.1:"+freePort(t)+"\n")
		n := 0
		for _, c := range conversations {
			told[i] += x.asksOn(t, o.URL, c)
			n += len(c)
		}
		x.eventually("has logged all", 10*time.Second, func() bool { return strings.Count(x.file("noted.log"), "http://") >= n })
		logged[i] = x.file("noted.log")
	}
	if told[0] != told[1] {
		t.Errorf("we answer\n%s, Squid\n%s", told[1], told[0])
	}
	if logged[0] != logged[1] {
		t.Errorf("we log\n%s, Squid\n%s", logged[1], logged[0])
	}
}

// asksOn asks for paths on one connection, each with what the helper of the acl is to say, and tells how that ends.
func (x *proxy) asksOn(t *testing.T, site string, questions [][2]string) (told string) {
	t.Helper()
	conn, err := x.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	r := bufio.NewReader(conn)
	for _, q := range questions {
		fmt.Fprintf(conn, "GET %s/%s HTTP/1.1\r\nHost: x\r\nX-A: %s\r\nProxy-Authorization: Basic %s\r\n\r\n", site, q[0], url.QueryEscape(q[1]), encoded("joe:x"))
		reply, err := http.ReadResponse(r, nil)
		if err != nil {
			return fmt.Sprintf("%s/%s %s: %v\n", told, q[0], q[1], err)
		}
		io.Copy(io.Discard, reply.Body)
		reply.Body.Close()
		told += fmt.Sprintf("/%s %s: %d\n", q[0], q[1], reply.StatusCode)
	}
	return told
}
