package reqmod

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"exaproxy/compat/rewrite"
	"exaproxy/engine"
	"exaproxy/engine/h1"
)

// asked makes the request of a head whose lines end in "\n".
func asked(t testing.TB, head string) *engine.Request {
	t.Helper()
	r := &engine.Request{}
	if _, err := h1.ParseRequest([]byte(strings.ReplaceAll(head, "\n", "\r\n")+"\r\n\r\n"), &r.Request, h1.Limits{}); err != nil {
		t.Fatal(err)
	}
	r.Client, r.Local = netip.MustParseAddrPort("192.0.2.1:4000"), netip.MustParseAddrPort("[2001:db8::9]:3128")
	return r
}

// block makes an answer of a status of 200. In text, with "\n" for all line ends, parts are listed in their order.
func answer(fields string, parts ...string) string {
	list, payload := "", ""
	for i := 0; i < len(parts); i += 2 {
		list += fmt.Sprintf("%s=%d, ", parts[i], len(payload))
		payload += parts[i+1]
	}
	if !strings.Contains(list, "-body=") {
		list += fmt.Sprintf("null-body=%d, ", len(payload))
	}
	return "ICAP/1.0 200 OK\n" + fields + "Encapsulated: " + strings.TrimSuffix(list, ", ") + "\n\n" + payload
}

// describe says in one line what an answer asks for.
func describe(a *Answer) string {
	text := ""
	switch a.Action {
	case rewrite.Unchanged:
		text = "unchanged"
	case rewrite.Rewrite:
		text = "rewrite " + string(a.Target.AppendURL(nil))
	case rewrite.Redirect:
		text = fmt.Sprintf("redirect %d %s", a.Status, a.Location)
	case rewrite.File:
		text = fmt.Sprintf("file %d %s", a.Status, a.Name)
	case rewrite.Intercept:
		text = "intercept"
	case rewrite.Invalid:
		return "invalid: " + a.Complaint[strings.LastIndex(a.Complaint, "answer: ")+len("answer: "):]
	case rewrite.BadTarget:
		return "bad target: " + a.Complaint
	case rewrite.Again:
		return "again"
	}
	if len(a.Host) > 0 {
		text += fmt.Sprintf(" at %s:%d", a.Host, a.Port)
	}
	if a.Fields != nil {
		text += " fields " + oneText(a.Fields)
	}
	if a.Reply != nil {
		text += fmt.Sprintf(" reply %d %s %s%q", a.Reply.Status, a.Reply.Reason, oneText(&a.Reply.Header), a.Reply.Body)
	}
	a.EachNote(func(key, value []byte) { text += fmt.Sprintf(" %s=%q", key, value) })
	return text
}

func oneText(h *h1.Header) string { return strings.ReplaceAll(string(h.AppendTo(nil)), "\r\n", "; ") }

func TestParse(t *testing.T) {
	const get, connect = "GET http://a.test/x HTTP/1.1\nHost: a.test\nConnection: X-Mine", "CONNECT a.test:443 HTTP/1.1\nHost: a.test:443"
	for _, row := range []struct{ request, block, want string }{
		{get, "ICAP/1.0 204 OK\n\n", "unchanged"},
		{get, "ICAP/1.0 204 OK\nPragma: no-cache\nPragma: comment: is fine \n\n", `unchanged message="is fine"`},
		{get, "ICAP/1.0 304 OK\n\n", "invalid: its status is 304, and only 200 and 204 mean something"},
		{get, "ICAP/1.0 100 Continue\n\n", "invalid: its status is 100, and only 200 and 204 mean something"},
		{get, "ICAP/1.0 200 OK\n\n", "invalid: it is 200, and has neither req-hdr nor res-hdr"},
		{get, "ICAP/1.0 20", "invalid: it cannot be read: <nil>"},
		{get, "junk", "invalid: it cannot be read: it does not begin with ICAP/1.0 and a status"},

		{get, answer("", "req-hdr", "GET http://a.test/x HTTP/1.1\r\nHost: a.test\r\nCookie: a=1\r\n\r\n"), "unchanged fields Host: a.test; Cookie: a=1; "},
		{get, answer("", "req-hdr", "GET http://b.test/y HTTP/1.0\nX-Mine: 1\nTE: trailers\nX-2: 2\nconnection: x-2\n\n"), "rewrite http://b.test/y fields X-Mine: 1; "},
		{get, answer("", "req-hdr", "GET http://b.test/y HTTP/1.1\nHost: b.test:80\n \n"), "rewrite http://b.test/y fields Host: b.test:80; "},
		{get, answer("", "req-hdr", "GET /y HTTP/1.1\nHost: b.test:81\n\n"), "rewrite http://b.test:81/y fields Host: b.test:81; "},
		{get, answer("", "req-hdr", "GET /y HTTP/1.1\n\n"), "rewrite http://a.test/y fields "},
		{get, answer("", "req-hdr", "GET /x HTTP/1.1\nHost: a.test"), "unchanged fields Host: a.test; "},
		{get, answer("", "res-hdr", "GET http://b.test/ HTTP/1.1\n\n"), "rewrite http://b.test/ fields "},
		{get, answer("Pragma: comment:why\n", "res-hdr", "GET file://deny.html HTTP/1.1\n\n"), `file 403 deny.html message="why"`},
		{get, answer("", "req-hdr", "GET redirect://http://b.test/ HTTP/1.1\n\n"), "redirect 302 http://b.test/"},
		{get, answer("", "req-hdr", "GET intercept://b.test:8080 HTTP/1.1\n\n"), "intercept at b.test:8080"},
		{get, answer("", "req-hdr", "GET http://b.test/ HTTP/1.1\nHost: c.test\n\n"), `bad target: ERROR: REQMOD helper named one host in its URL and another in its Host field: "c.test"`},
		{get, answer("", "req-hdr", "GET http://a.test/x HTTP/1.1\nHost: c.test\n\n"), `bad target: ERROR: REQMOD helper named one host in its URL and another in its Host field: "c.test"`},
		{get, answer("", "req-hdr", "GET http://a.test/x HTTP/1.1\nHost: a.test/\n\n"), `bad target: ERROR: REQMOD helper named one host in its URL and another in its Host field: "a.test/"`},
		{get, answer("", "req-hdr", "GET nowhere HTTP/1.1\n\n"), "bad target: ERROR: URL-rewrite produces invalid request: GET nowhere HTTP/1.1"},
		{get, answer("", "req-hdr", "GET * HTTP/1.1\n\n"), "bad target: ERROR: URL-rewrite produces invalid request: GET * HTTP/1.1"},
		{get, answer("", "req-hdr", "GET http://b.test/ /y HTTP/1.1\n\n"), `invalid: "GET http://b.test/ /y HTTP/1.1" is no request line`},
		{get, answer("", "req-hdr", "GET http://b.test/\n\n"), `invalid: "GET http://b.test/" is no request line`},
		{get, answer("", "req-hdr", "HEAD http://a.test/x HTTP/1.1\n\n"), "invalid: it wants a HEAD in the place of a GET"},
		{get, answer("", "req-hdr", "get http://a.test/x HTTP/1.1\n\n"), "invalid: it wants a get in the place of a GET"},
		{get, answer("", "req-hdr", "GET http://a.test/x HTTP/1.1\n\nGET http://c.test/ HTTP/1.1\n\n"), "invalid: something follows the head of its request"},
		{get, answer("", "req-hdr", "GET http://a.test/x HTTP/1.1\n\n", "req-body", "1\na\n0\n"), "invalid: it has another body for the request"},
		{get, answer("", "req-hdr", "GET http://a.test/x HTTP/1.1\n\n", "opt-body", "1\na\n0\n"), "invalid: it has a body that belongs to no reply"},
		{get, answer("", "req-hdr", "GET http://a.test/x HTTP/1.1\n\n", "res-hdr", "HTTP/1.1 200 OK\n\n"), "invalid: it has both req-hdr and res-hdr"},
		{get, answer("", "req-hdr", "GET http://a.test/x HTTP/1.1\nno colon\n\n"), "invalid: "},
		{get, answer("", "req-hdr", "GET http://a.test/x HTTP/1.1\nX: 1\n folded\n\n"), "invalid: "},
		{get, answer("", "req-hdr", "GET http://a.test/x HTTP/1.1\nX: a\rb\n\n"), "invalid: "},
		{get, answer("", "req-hdr", "GET http://a.test/x HTTP/1.1\nX : 1\n\n"), "invalid: "},
		{get, answer("", "req-hdr", "GET http://a.test/x\x00y HTTP/1.1\n\n"), "rewrite http://a.test/x%00y fields "},

		{get, answer("", "req-hdr", "CONNECT b.test:8080 HTTP/1.1\n\nGET http://a.test/x HTTP/1.1\nX: 1\n\n"), "intercept at b.test:8080 fields X: 1; "},
		{get, answer("", "req-hdr", "CONNECT b.test:8080 HTTP/1.1\n\nGET http://a.test/z HTTP/1.1\n\n"), "rewrite http://a.test/z at b.test:8080 fields "},
		{get, answer("X-Intercept: active\n", "req-hdr", "CONNECT b.test:8080 HTTP/1.1\n\n"), "intercept at b.test:8080"},
		{get, answer("X-Intercept: active\n", "req-hdr", "CONNECT [2001:db8::1]:8080 HTTP/1.1\n\n"), "intercept at 2001:db8::1:8080"},
		{get, answer("X-Intercept: no\n", "req-hdr", "CONNECT b.test:8080 HTTP/1.1\n\n"), "invalid: it wants a CONNECT in the place of a GET"},
		{get, answer("", "req-hdr", "CONNECT b.test:8080 HTTP/1.1\n\njunk\n"), `invalid: what follows its CONNECT is no request: "junk" is no request line`},
		{get, answer("X-Intercept: active\n", "req-hdr", "CONNECT b@c.test:80 HTTP/1.1\n\n"), "bad target: "},
		{connect, answer("", "req-hdr", "CONNECT b.test:8443 HTTP/1.1\n\n"), "rewrite b.test:8443"},
		{connect, answer("", "req-hdr", "CONNECT a.test:443 HTTP/1.1\nX: 1\n\n"), "unchanged"},
		{connect, answer("X-Intercept: active\n", "req-hdr", "CONNECT b.test:8443 HTTP/1.1\n\n"), "intercept at b.test:8443"},
		{connect, answer("", "req-hdr", "CONNECT b.test:8443 HTTP/1.1\n\nCONNECT a.test:443 HTTP/1.1\n\n"), "intercept at b.test:8443"},
		{connect, answer("", "req-hdr", "CONNECT http://b.test/ HTTP/1.1\n\n"), "redirect 302 http://b.test/"},
		{connect, answer("", "req-hdr", "GET http://b.test/ HTTP/1.1\n\n"), "redirect 302 http://b.test/"},
		{connect, answer("", "req-hdr", "GET /why HTTP/1.1\nHost: b.test\n\n"), "redirect 302 http://b.test/why"},
		{connect, answer("", "req-hdr", "GET file://deny.html HTTP/1.1\n\n"), "file 403 deny.html"},

		{get, answer("", "res-hdr", "HTTP/1.1 403 Surfprotected\nX: 1\nContent-Length: 9\nTransfer-Encoding: chunked\nConnection: X-2\nX-2: 2\n\nbody"), `unchanged reply 403 Surfprotected X: 1; "body"`},
		{get, answer("", "res-hdr", "HTTP/1.0 200 OK\r\n\r\n", "res-body", "2\r\nab\r\n1\r\nc\r\n0\r\n"), `unchanged reply 200 OK "abc"`},
		{get, answer("", "res-hdr", "HTTP/1.1 304 Not Modified\nETag: x\n\nbody"), `unchanged reply 304 Not Modified ETag: x; ""`},
		{get, answer("", "res-hdr", "HTTP/1.1 407 No\nProxy-Authenticate: Basic realm=x\nProxy-Authentication-Info: x\n\n"), `unchanged reply 407 No Proxy-Authenticate: Basic realm=x; ""`},
		{get, answer("", "res-hdr", "HTTP/1.1 403 No\nX: 1\n \n{\n}\n"), `unchanged reply 403 No X: 1; "{\n}\n"`},
		{get, answer("", "res-hdr", "HTTP/1.1 100 Continue\n\n"), "invalid: its reply has the status 100"},
		{get, answer("", "res-hdr", "HTTP/1.1 600 What\n\n"), "invalid: its reply has the status 600"},
		{get, answer("", "res-hdr", "HTTP/1.1 200 OK\nX: a\rSet-Cookie: b\n\n"), "invalid: "},
		{get, answer("", "res-hdr", "HTTP/2 200\n\n"), "invalid: "},
		{connect, answer("", "res-hdr", "HTTP/1.1 200 Connection Established\n\nHTTP/1.1 302 No\nLocation: http://b.test/\n\n"), `unchanged reply 302 No Location: http://b.test/; ""`},
		{connect, answer("", "res-hdr", "HTTP/1.1 200 Connection Established\n\n"), `unchanged reply 200 Connection Established ""`},
	} {
		a := Parse([]byte(row.block), asked(t, row.request), h1.Strip)
		got := describe(&a)
		if strings.HasSuffix(row.want, ": ") && strings.HasPrefix(got, row.want) && len(got) > len(row.want) {
			continue // in another package's words
		}
		if got != row.want {
			t.Errorf("%q:\n%s\nwant\n%s", row.block, got, row.want)
		}
	}
}

func TestAppend(t *testing.T) {
	r := asked(t, "GET http://A.test:80/x HTTP/1.0\nHost: A.test\nPROXY-authorization: Basic eDp5\nX-1: 1\nCookie: a=b")
	r.User = "j doe\n"
	const want = "REQMOD icap://filter.test/x ICAP/1.0\nHost: filter.test\nPragma: transport=http\nPragma: proxy=test\nPragma: scheme=http\n" +
		"Pragma: accept=2001:db8::9\nPragma: accept-port=3128\nPragma: client=192.0.2.1\nPragma: host=a.test\nPragma: path=/x\nPragma: method=GET\n" +
		"X-Authenticated-User: j%20doe%0A\nEncapsulated: req-hdr=0, null-body=67\n\n" +
		"GET http://a.test/x HTTP/1.0\r\nHost: A.test\r\nX-1: 1\r\nCookie: a=b\r\n\r\n"
	if got := string(Append(nil, "icap://filter.test/x", "filter.test", r)); got != want {
		t.Errorf("the block is\n%s\nwant\n%s", got, want)
	}
}

// TestRawURL has no client write lines of its own into a block.
func TestRawURL(t *testing.T) {
	r := asked(t, "GET http://a.test/ HTTP/1.1")
	r.Target.Path = []byte("/x\ry\nPragma: client=127.0.0.1\x00")
	block := Append(nil, "icap://x/", "x", r)
	head, rest, _ := bytes.Cut(block, []byte("\n\n"))
	if n := bytes.Count(head, []byte("\n")); n != 11 || bytes.ContainsAny(head, "\r\x00") {
		t.Errorf("there are %d line ends in %q", n, head)
	}
	if !bytes.HasSuffix(head, fmt.Appendf(nil, "null-body=%d", len(rest))) || bytes.Count(rest, []byte("\n")) != 2 {
		t.Errorf("%q is followed by %q", head, rest)
	}
}

// FuzzParse has nothing that a helper writes go on as more than it was understood to be.
func FuzzParse(f *testing.F) {
	f.Add([]byte(answer("", "req-hdr", "GET http://b.test/y HTTP/1.0\nX-Mine: 1\nX-2: 2\nconnection: x-2\n\n")), false)
	f.Add([]byte(answer("", "req-hdr", "CONNECT b.test:8080 HTTP/1.1\n\nGET http://a.test/x HTTP/1.1\nX: 1\n\n")), true)
	f.Add([]byte(answer("", "res-hdr", "HTTP/1.0 200 OK\r\nX: 1\r\n\r\n", "res-body", "2\r\nab\r\n1\r\nc\r\n0\r\n")), false)
	f.Fuzz(func(t *testing.T, b []byte, connect bool) {
		head := "GET http://a.test/x HTTP/1.1\nHost: a.test"
		if connect {
			head = "CONNECT a.test:443 HTTP/1.1"
		}
		before := bytes.Clone(b)
		a := Parse(b, asked(t, head), h1.Strip)
		if !bytes.Equal(before, b) {
			t.Fatal("the answer was changed")
		}
		check := func(h *h1.Header) {
			h.Each(func(name, value []byte) bool {
				if len(name) == 0 || bytes.ContainsAny(name, "\r\n\x00: ") || bytes.ContainsAny(value, "\r\n\x00") {
					t.Fatalf("there is a field %q: %q", name, value)
				}
				return true
			})
		}
		if a.Fields != nil {
			check(a.Fields)
		}
		if a.Reply != nil {
			check(&a.Reply.Header)
			if strings.ContainsAny(a.Reply.Reason, "\r\n\x00") || a.Reply.Status < 200 || a.Reply.Status > 599 || a.Action != rewrite.Unchanged {
				t.Fatalf("the reply is %d %q", a.Reply.Status, a.Reply.Reason)
			}
		}
		if a.Action == rewrite.Rewrite && bytes.ContainsAny(a.Target.AppendURL(nil), "\r\n\x00 ") {
			t.Fatalf("the target is %q", a.Target.AppendURL(nil))
		}
	})
}

// Who a client is for a server behind an accelerator, or for a proxy, is no helper's business.
func TestCredentialsStayWithUs(t *testing.T) {
	r := asked(t, "GET http://a.test/x HTTP/1.0\nHost: a.test\nAuthorization: Basic eDp5\nProxy-Authorization: Basic eDp6\nX-1: 1")
	r.User, r.Port = "joe", &engine.Port{Mode: engine.Accel}
	if question := Append(nil, "icap://x/", "x", r); bytes.Contains(question, []byte("eDp")) {
		t.Errorf("the helper is asked\n%s", question)
	}
}
