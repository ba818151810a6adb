package acceptance

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestAClientCannotHideTheTargetOfAVerdict has helpers repeat the client's URL before their target.
func TestAClientCannotHideTheTargetOfAVerdict(t *testing.T) {
	forms := []string{
		"OK log={url} url=http://page.test/", `OK message="{url}" url=http://page.test/`, `OK message="{url}" rewrite-url="http://page.test/"`,
		`OK status=307 message={url} url="http://page.test/?u={url}"`, "!{url}!302:http://page.test/",
	}
	var rules []string
	for i, form := range forms {
		rules = append(rules, fmt.Sprintf("/blocked/%d/", i), form+`\n`)
	}
	dir := world(t)
	o := newOrigin(t, "127.0.0.1", pages())
	writeRules(t, dir, rules...)
	x := start(t, exaproxy(), dir, nameServer(t)+base+openPort+"url_rewrite_program {helper} -rules {dir}/rules\nurl_rewrite_children 2 startup=2\n")
	for i, form := range forms {
		for _, path := range []string{"x", `"x`, `\"x`, `"x"`, `x\`, `?a="b`, `"\"`, "!" + o.URL + "/!"} {
			url := fmt.Sprintf("%s/blocked/%d/%s", o.URL, i, path)
			if got := x.exchange(asked{raw: get(url)}); !strings.HasPrefix(got.status, "HTTP/1.1 ") || strings.Contains(got.status, " 200 ") {
				t.Errorf("after %s %s is answered %q", form, url, got.status)
			}
		}
	}
	if n, _ := o.counts(); n > 0 {
		t.Errorf("%d requests reached the blocked server", n)
	}
}

// TestChunksThatAreWrongFromTheBeginning has the first byte of a body be none of a size, in either direction.
func TestChunksThatAreWrongFromTheBeginning(t *testing.T) {
	x := start(t, exaproxy(), world(t), base+openPort+"request_body_max_size 64 bytes\n")
	o := newOrigin(t, "127.0.0.1", pages())
	post := func(body string) string {
		return "POST " + o.URL + "/sum HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body
	}
	bodies := []struct{ body, status string }{
		{"5\r\nhello\r\n0\r\n\r\n", " 200 "},
		{"5 \r\nhello\r\n0 \r\n\r\n", " 200 "},
		{"Z\r\n", " 400 "},
		{"\r\n", " 400 "},
		{"5\r\nhelloX\r\n", " 400 "},
		{"41\r\n" + strings.Repeat("x", 65) + "\r\n0\r\n\r\n", " 413 "},
	}
	for _, row := range bodies {
		if got := x.exchange(asked{raw: post(row.body)}); !strings.Contains(got.status, row.status) {
			t.Errorf("a body of %q is answered %q, want%s", row.body, got.status, row.status)
		}
	}
	replies := []string{"Z\r\n", "\r\n", "-1\r\n"}
	for _, reply := range replies {
		addr := rawOrigin(t, func(conn net.Conn) {
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"+reply)
		})
		if got := x.exchange(asked{raw: get("http://" + addr + "/")}); !strings.Contains(got.status, " 502 ") {
			t.Errorf("a reply of %q is passed on as %q", reply, got.status)
		}
	}
	if n := strings.Count(strings.Join(x.logged(len(bodies)+len(replies)), "\n"), "/502 "); n != len(replies) {
		t.Errorf("%d of %d wrong replies are logged as such", n, len(replies))
	}
	if strings.Contains(x.cacheLog(), "fault of ours") {
		t.Error("cache.log tells of a fault of ours")
	}
}

// TestRepliesWithoutABodyDeclareNone has servers say of a body where there is none.
func TestRepliesWithoutABodyDeclareNone(t *testing.T) {
	x := start(t, exaproxy(), world(t), base+openPort)
	const framing = "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
	addr := rawOrigin(t, func(conn net.Conn) {
		io.WriteString(conn, "HTTP/1.1 103 Early Hints\r\n"+framing+"HTTP/1.1 204 No Content\r\n"+framing)
	})
	conn, err := net.Dial("tcp", x.addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	io.WriteString(conn, "GET http://"+addr+"/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	all, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	reply := string(all)
	if !strings.Contains(reply, " 103 ") || !strings.Contains(reply, " 204 ") || strings.Contains(reply, "Content-Length") || strings.Contains(reply, "Transfer-Encoding") {
		t.Errorf("it is passed on as %q", reply)
	}
}

// TestAVerdictWhosePageIsMissingIsNoPass has helpers name pages that are not there.
func TestAVerdictWhosePageIsMissingIsNoPass(t *testing.T) {
	names := []string{"file:///no-such-page.html", "file://no-such-page.html", "file://../../../../etc/passwd", "file://"}
	rules := []string{" CONNECT ", names[0] + `\n`}
	for i, name := range names {
		rules = append(rules, fmt.Sprintf("/blocked/%d", i), name+`\n`)
	}
	dir := world(t)
	o := newOrigin(t, "127.0.0.1", pages())
	writeRules(t, dir, rules...)
	x := start(t, exaproxy(), dir, base+openPort+"url_rewrite_program {helper} -rules {dir}/rules\nurl_rewrite_children 2 startup=2\n")
	for i, name := range names {
		if complaint := one(x.client(), fmt.Sprintf("%s/blocked/%d", o.URL, i), expect(http.StatusServiceUnavailable)); complaint != "" {
			t.Errorf("after %s %s", name, complaint)
		}
	}
	got := x.exchange(asked{raw: request("CONNECT", o.addr()), then: "GET / HTTP/1.1\r\nHost: a\r\n\r\n"})
	if !strings.Contains(string(got.reply), "HTTP/1.1 503 ") {
		t.Errorf("a CONNECT is answered %q", got.reply)
	}
	if n, conns := o.counts(); n+conns > 0 {
		t.Errorf("%d requests on %d connections reached the blocked server", n, conns)
	}
	x.logs("'"+names[0]+"'", 10*time.Second)
}
