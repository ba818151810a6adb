package h1

import (
	"os"
	"strings"
	"testing"
)

// messages are the rows of the table in the documentation of the package, by name: a request and a reply of each kind, and how
// they are read. What there is in one direction only has no bytes in the other.
var messages = []struct {
	name             string
	request, isRead  string
	reply, isReplied string
}{
	{name: "a length", request: "POST /x HTTP/1.1\r\nContent-Length: 5\r\n\r\nhelloNEXT", isRead: `POST /x 1.1, 1 fields, body length 5 "hello", "NEXT" follows`, reply: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloNEXT", isReplied: `1.1 200 OK, 1 fields, body length 5 "hello", "NEXT" follows`},
	{name: "no length", request: "POST /x HTTP/1.1\r\n\r\nNEXT", isRead: `POST /x 1.1, 0 fields, body none "", "NEXT" follows`, reply: "HTTP/1.1 200 OK\r\n\r\nto the end", isReplied: `1.1 200 OK, 0 fields, body close "to the end", "" follows`},
	{name: "a length repeated", request: "POST /x HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", isRead: `POST /x 1.1, 2 fields, body length 5 "hello", "" follows`, reply: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", isReplied: `1.1 200 OK, 2 fields, body length 5 "hello", "" follows`},
	{name: "equal lengths in a list", request: "POST /x HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\nhello", isRead: `POST /x 1.1, 1 fields, body length 5 "hello", "" follows`, reply: "HTTP/1.1 200 OK\r\nContent-Length: 5,5\r\n\r\nhello", isReplied: `1.1 200 OK, 1 fields, body length 5 "hello", "" follows`},
	{name: "lengths that differ", request: "POST /x HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", isRead: `refused for its framing`, reply: "HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello", isReplied: `refused for its framing`},
	{name: "a length with a sign", request: "POST /x HTTP/1.1\r\nContent-Length: +5\r\n\r\nhello", isRead: `refused for its framing`, reply: "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello", isReplied: `refused for its framing`},
	{name: "a length that is no number", request: "POST /x HTTP/1.1\r\nContent-Length: 0x5\r\n\r\nhello", isRead: `refused for its framing`, reply: "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nhello", isReplied: `refused for its framing`},
	{name: "a length beyond 63 bits", request: "POST /x HTTP/1.1\r\nContent-Length: 9223372036854775808\r\n\r\nhello", isRead: `refused for its framing`, reply: "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\nhello", isReplied: `refused for its framing`},
	{name: "a length with leading zeros", request: "POST /x HTTP/1.1\r\nContent-Length: 0005\r\n\r\nhello", isRead: `POST /x 1.1, 1 fields, body length 5 "hello", "" follows`, reply: "HTTP/1.1 200 OK\r\nContent-Length: 0005\r\n\r\nhello", isReplied: `1.1 200 OK, 1 fields, body length 5 "hello", "" follows`},
	{name: "chunks", request: "POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nNEXT", isRead: `POST /x 1.1, 1 fields, body chunked "hello", "NEXT" follows`, reply: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nNEXT", isReplied: `1.1 200 OK, 1 fields, body chunked "hello", "NEXT" follows`},
	{name: "chunk extensions", request: "POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;a=\"b\"\r\nhello\r\n0;c\r\n\r\n", isRead: `POST /x 1.1, 1 fields, body chunked "hello", "" follows`, reply: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a\r\nhello\r\n0\r\n\r\n", isReplied: `1.1 200 OK, 1 fields, body chunked "hello", "" follows`},
	{name: "trailer fields", request: "POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nHost: b\r\n\r\n", isRead: `POST /x 1.1, 1 fields, body chunked "hello", "" follows`, reply: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nSet-Cookie: b\r\n\r\n", isReplied: `1.1 200 OK, 1 fields, body chunked "hello", "" follows`},
	{name: "a trailer that is no field", request: "POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nGET / HTTP/1.1\r\n\r\n", isRead: `POST /x 1.1, 1 fields, body chunked "", refused for its chunk`, reply: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA : b\r\n\r\n", isReplied: `1.1 200 OK, 1 fields, body chunked "", refused for its chunk`},
	{name: "a chunk size with padding", request: "POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0005  \r\nhello\r\n0\r\n\r\n", isRead: `POST /x 1.1, 1 fields, body chunked "hello", "" follows`, reply: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\t\r\nhello\r\n00\r\n\r\n", isReplied: `1.1 200 OK, 1 fields, body chunked "hello", "" follows`},
	{name: "a chunk size beyond 63 bits", request: "POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n8000000000000000\r\nhello", isRead: `POST /x 1.1, 1 fields, body chunked "", refused for its chunk`, reply: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nhello", isReplied: `1.1 200 OK, 1 fields, body chunked "", refused for its chunk`},
	{name: "a chunk size that is no number", request: "POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n", isRead: `POST /x 1.1, 1 fields, body chunked "", refused for its chunk`, reply: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n", isReplied: `1.1 200 OK, 1 fields, body chunked "", refused for its chunk`},
	{name: "a bare LF between chunks", request: "POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\n0\n\n", isRead: `POST /x 1.1, 1 fields, body chunked "", refused for its chunk`, reply: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\n0\n\n", isReplied: `1.1 200 OK, 1 fields, body chunked "", refused for its chunk`},
	{name: "no CRLF behind a chunk", request: "POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello0\r\n\r\n", isRead: `POST /x 1.1, 1 fields, body chunked "hello", refused for its chunk`, reply: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloo\r\n0\r\n\r\n", isReplied: `1.1 200 OK, 1 fields, body chunked "hello", refused for its chunk`},
	{name: "a body that is cut", request: "POST /x HTTP/1.1\r\nContent-Length: 5\r\n\r\nhell", isRead: `POST /x 1.1, 1 fields, body length 5 "hell", truncated`, reply: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhell", isReplied: `1.1 200 OK, 1 fields, body chunked "hell", truncated`},
	{name: "chunks and a length", request: "POST /x HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", isRead: `POST /x 1.1, 2 fields, body chunked conflict "hello", "" follows`, reply: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", isReplied: `1.1 200 OK, 2 fields, body chunked conflict "hello", "" follows`},
	{name: "chunks in HTTP/1.0", request: "POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", isRead: `refused for its framing`, reply: "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", isReplied: `1.0 200 OK, 1 fields, body chunked conflict "hello", "" follows`},
	{name: "another coding", request: "POST /x HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", isRead: `refused for its transfer coding`, reply: "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", isReplied: `refused for its transfer coding`},
	{name: "chunked twice", request: "POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", isRead: `refused for its transfer coding`, reply: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", isReplied: `refused for its framing`},
	{name: "chunked in quotes", request: "POST /x HTTP/1.1\r\nTransfer-Encoding: \"chunked\"\r\n\r\n", isRead: `refused for its transfer coding`, reply: "HTTP/1.1 200 OK\r\nTransfer-Encoding: \"chunked\"\r\n\r\n", isReplied: `refused for its transfer coding`},
	{name: "a reply without a body", reply: "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", isReplied: `1.1 204 No Content, 1 fields, body none "", "hello" follows`},
	{name: "a body of CONNECT", request: "CONNECT a:443 HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", isRead: `refused for its framing`},
	{name: "a folded field", request: "GET /x HTTP/1.1\r\nA: b\r\n c\r\n\r\n", isRead: `refused for its field`, reply: "HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n", isReplied: `1.1 200 OK, 2 fields, body length 0 "", "" follows`},
	{name: "a space before the colon", request: "GET /x HTTP/1.1\r\nA : b\r\n\r\n", isRead: `refused for its field`, reply: "HTTP/1.1 200 OK\r\nA : b\r\nContent-Length: 0\r\n\r\n", isReplied: `1.1 200 OK, 2 fields, body length 0 "", "" follows`},
	{name: "a space before the name", request: "GET /x HTTP/1.1\r\n A: b\r\n\r\n", isRead: `refused for its field`, reply: "HTTP/1.1 200 OK\r\n A: b\r\n\r\n", isReplied: `refused for its field`},
	{name: "a bare CR", request: "GET /x HTTP/1.1\r\nA: b\rc\r\n\r\n", isRead: `refused for its field`, reply: "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n", isReplied: `refused for its field`},
	{name: "a NUL", request: "GET /x HTTP/1.1\r\nA: b\x00c\r\n\r\n", isRead: `refused for its field`, reply: "HTTP/1.1 200 OK\r\nA: b\x00c\r\n\r\n", isReplied: `refused for its field`},
	{name: "a field without a colon", request: "GET /x HTTP/1.1\r\nA\r\n\r\n", isRead: `refused for its field`, reply: "HTTP/1.1 200 OK\r\nA\r\n\r\n", isReplied: `refused for its field`},
	{name: "a bare LF in a head", request: "GET /x HTTP/1.1\nA: b\n\n", isRead: `GET /x 1.1, 1 fields, body none "", "" follows`, reply: "HTTP/1.1 200 OK\nContent-Length: 0\n\n", isReplied: `1.1 200 OK, 1 fields, body length 0 "", "" follows`},
	{name: "a method that is no token", request: "G(T /x HTTP/1.1\r\n\r\n", isRead: `refused for its request line`},
	{name: "a method in other letters", request: "get /x HTTP/1.1\r\n\r\n", isRead: `GET /x 1.1, 0 fields, body none "", "" follows`},
	{name: "several Hosts", request: "GET http://a/x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", isRead: `GET http://a/x 1.1, 2 fields, body none "", "" follows`},
	{name: "a Host that is not the URL's", request: "GET http://a/x HTTP/1.1\r\nHost: b\r\n\r\n", isRead: `GET http://a/x 1.1, 1 fields, body none "", "" follows`},
	{name: "user information", request: "GET http://joe:secret@a/x HTTP/1.1\r\n\r\n", isRead: `GET http://a/x 1.1, 0 fields, body none "", "" follows`},
	{name: "user information with an @", request: "GET http://b@c@a/x HTTP/1.1\r\n\r\n", isRead: `refused for its URL`},
	{name: "a fragment", request: "GET http://a/x#y HTTP/1.1\r\n\r\n", isRead: `GET http://a/x#y 1.1, 0 fields, body none "", "" follows`},
	{name: "percent-encoding", request: "GET http://a/%zz%00%2e HTTP/1.1\r\n\r\n", isRead: `GET http://a/%zz%00%2e 1.1, 0 fields, body none "", "" follows`},
	{name: "percent-encoding in a host", request: "GET http://a%2e/ HTTP/1.1\r\n\r\n", isRead: `refused for its URL`},
	{name: "a backslash in a host", request: "GET http://a\\b/ HTTP/1.1\r\n\r\n", isRead: `refused for its URL`},
	{name: "a blank in a URL", request: "GET http://a/x y HTTP/1.1\r\n\r\n", isRead: `GET http://a/xy 1.1, 0 fields, body none "", "" follows`},
	{name: "a long URL", request: "GET http://a/" + strings.Repeat("x", 8192) + " HTTP/1.1\r\n\r\n", isRead: `refused for its URL`},
	{name: "HTTP/0.9", request: "GET http://a/x\r\n", isRead: `GET http://a/x 0.9, 0 fields, body none "", "" follows`, reply: "hello", isReplied: `not HTTP`},
	{name: "HTTP/0.9 and a blank", request: "GET http://a/x \r\n", isRead: `refused for its request line`},
	{name: "a blank behind the version", request: "GET http://a/x HTTP/1.1 \r\n\r\n", isRead: `refused for its request line`},
	{name: "HTTP/1.2", request: "GET http://a/x HTTP/1.2\r\n\r\n", isRead: `GET http://a/x 1.2, 0 fields, body none "", "" follows`, reply: "HTTP/1.2 200 OK\r\n\r\n", isReplied: `1.2 200 OK, 0 fields, body close "", "" follows`},
	{name: "HTTP/2.0", request: "GET http://a/x HTTP/2.0\r\n\r\n", isRead: `refused for its version`, reply: "HTTP/2.0 200 OK\r\n\r\n", isReplied: `refused for its version`},
	{name: "the preface of HTTP/2", request: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", isRead: `refused for its version`},
	{name: "empty lines in front", request: "\r\n\r\nGET /x HTTP/1.1\r\n\r\n", isRead: `GET /x 1.1, 0 fields, body none "", "" follows`, reply: "\r\nHTTP/1.1 200 OK\r\n\r\n", isReplied: `not HTTP`},
	{name: "a huge head", request: "GET /x HTTP/1.1\r\nA: " + strings.Repeat("x", 1<<16) + "\r\n\r\n", isRead: `too large`, reply: "HTTP/1.1 200 OK\r\nA: " + strings.Repeat("x", 1<<16) + "\r\n\r\n", isReplied: `too large`},
	{name: "a status that is none", reply: "HTTP/1.1 2x0 OK\r\n\r\n", isReplied: `refused for its status line`},
}

func TestTableOfMessages(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]bool{}
	for line := range strings.Lines(string(doc)) {
		if cells := strings.Split(line, "|"); len(cells) == 4 && strings.HasPrefix(line, "//\t") {
			rows[strings.TrimSpace(cells[0][2:])] = true
		}
	}
	read := func(t *testing.T, parse parser, b, want string) {
		if len(b) < 2000 {
			checkReading(t, parse, []byte(b), want)
		} else if got := reading(parse, []byte(b), relaxed); got != want {
			t.Errorf("got\n%s, want\n%s", got, want)
		}
	}
	delete(rows, "what there is")
	for _, m := range messages {
		if !rows[m.name] {
			t.Errorf("the table of doc.go has no row %q", m.name)
		}
		delete(rows, m.name)
		t.Run(m.name, func(t *testing.T) {
			if m.request != "" {
				read(t, parseRequest, m.request, m.isRead)
			}
			if m.reply != "" {
				read(t, parseReplyTo("GET"), m.reply, m.isReplied)
			}
		})
	}
	for name := range rows {
		t.Errorf("the row %q of doc.go has no test", name)
	}
}
