package acceptance

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// userAddressRules have a path for each use of max_user_ip.
const userAddressRules = `auth_param basic program /usr/lib/squid/basic_fake_auth
auth_param basic realm lab realm
authenticate_ip_ttl 10 minutes
acl users proxy_auth REQUIRED
acl loose max_user_ip 1
acl strict max_user_ip -s 2
acl p1 urlpath_regex ^/loose
acl p2 urlpath_regex ^/strict
acl p3 urlpath_regex ^/allow
acl p4 urlpath_regex ^/tail
http_access deny p1 loose
http_access deny p2 strict
http_access allow p3 loose
http_access deny p3
http_access deny p4 loose all
http_access allow users
http_access deny all
`

// asks sends a request of a user from an address, and returns the status of the answer.
func (x *proxy) asks(t *testing.T, from, user, url string) int {
	t.Helper()
	conn, err := x.dialFrom(from)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	field := ""
	if user != "" {
		field = "Proxy-Authorization: Basic " + encoded(user+":secret") + "\r\n"
	}
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n", url, field)
	reply, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	reply.Body.Close()
	return reply.StatusCode
}

// TestMaxUserIPIsSquids has users come from several addresses to Squid, to us, and to several workers of ours.
func TestMaxUserIPIsSquids(t *testing.T) {
	theirs := squid(t)
	o := newOrigin(t, "127.0.0.1", pages())
	var told []string
	for i, p := range []struct {
		program
		more string
	}{{theirs, ""}, {exaproxy(), ""}, {exaproxy(), "workers 4\n"}} {
		x := start(t, p.program, world(t), userAddressRules+base+p.more+"http_port 127.0.0.1:"+freePort(t)+"\n")
		var answers []string
		for _, step := range []string{
			"bob 1 loose", "bob 1 loose", "bob 2 loose", "bob 1 loose", "bob 2 loose", "bob 2 loose", "bob 1 loose",
			"al 1 page", "al 2 page", "al 3 page", "al 3 loose", "al 3 loose", "al 4 loose",
			"eve 1 strict", "eve 2 strict", "eve 3 strict", "eve 3 strict", "eve 1 strict", "eve 2 strict", "eve 3 strict",
			"tom 1 allow", "tom 2 allow", "tom 3 allow", "kim 1 tail", "kim 2 tail", " 1 loose", " 1 allow",
		} {
			words := strings.Split(step, " ")
			answers = append(answers, fmt.Sprintf("%s: %d", step, x.asks(t, "127.0.0."+words[1], words[0], o.URL+"/"+words[2])))
		}
		got := strings.Join(answers, "\n")
		if i == 0 {
			told = answers
			continue
		}
		if want := strings.Join(told, "\n"); got != want {
			t.Errorf("%q: we answer\n%s\nSquid\n%s", p.more, got, want)
		}
	}
}
