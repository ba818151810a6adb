package h1

import (
	"fmt"
	"testing"
)

// describe says all that a Body's head decided.
func describe(b Body) string {
	s := map[Framing]string{NoBody: "none", Length: "length", Chunked: "chunked", UntilClose: "close"}[b.Framing()]
	if b.Framing() == Length {
		s += fmt.Sprint(" ", b.Length())
	}
	if b.Conflict() {
		s += " conflict"
	}
	return s
}

var requestBodies = []struct {
	name, head string // head without its last CRLF
	want       string
	declared   string // the framing fields after Declare
	kind       ErrorKind
}{
	{name: "nothing said", head: "GET / HTTP/1.1\r\n", want: "none"},
	{name: "nothing said of a POST", head: "POST / HTTP/1.1\r\n", want: "none"},
	{name: "HTTP/0.9", head: "GET /\r\n", want: "none"},
	{name: "length", head: "POST / HTTP/1.1\r\nContent-Length: 12\r\n", want: "length 12", declared: "Content-Length: 12\r\n"},
	{name: "length of a GET", head: "GET / HTTP/1.1\r\ncontent-length: 12\r\n", want: "length 12", declared: "Content-Length: 12\r\n"},
	{name: "length 0", head: "POST / HTTP/1.1\r\nContent-Length: 0\r\n", want: "length 0", declared: "Content-Length: 0\r\n"},
	{name: "length in HTTP/1.0", head: "POST / HTTP/1.0\r\nContent-Length: 12\r\n", want: "length 12", declared: "Content-Length: 12\r\n"},
	{name: "greatest length", head: "POST / HTTP/1.1\r\nContent-Length: 9223372036854775807\r\n", want: "length 9223372036854775807", declared: "Content-Length: 9223372036854775807\r\n"},
	{name: "same length twice", head: "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n", want: "length 5", declared: "Content-Length: 5\r\n"},
	{name: "same length in a list", head: "POST / HTTP/1.1\r\nContent-Length: 5, 5 ,5\r\n", want: "length 5", declared: "Content-Length: 5\r\n"},
	{name: "leading zeros", head: "POST / HTTP/1.1\r\nContent-Length: 005\r\n", want: "length 5", declared: "Content-Length: 5\r\n"},
	{name: "chunked", head: "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n", want: "chunked", declared: "Transfer-Encoding: chunked\r\n"},
	{name: "chunked in capitals", head: "POST / HTTP/1.1\r\nTRANSFER-ENCODING: Chunked\r\n", want: "chunked", declared: "Transfer-Encoding: chunked\r\n"},
	{name: "chunked and length", head: "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n", want: "chunked conflict", declared: "Transfer-Encoding: chunked\r\n"},
	{name: "connect", head: "CONNECT a:1 HTTP/1.1\r\n", want: "none"},
	{name: "connect with length 0", head: "CONNECT a:1 HTTP/1.1\r\nContent-Length: 0\r\n", want: "length 0", declared: "Content-Length: 0\r\n"},

	{name: "two lengths", head: "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n", kind: BadFraming},
	{name: "one length written in two ways", head: "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 05\r\n", kind: BadFraming},
	{name: "two lengths in a list", head: "POST / HTTP/1.1\r\nContent-Length: 5,6\r\n", kind: BadFraming},
	{name: "two lengths beside chunked", head: "POST / HTTP/1.1\r\nContent-Length: 5,6\r\nTransfer-Encoding: chunked\r\n", kind: BadFraming},
	{name: "list with a hole", head: "POST / HTTP/1.1\r\nContent-Length: 5,\r\n", kind: BadFraming},
	{name: "empty length", head: "POST / HTTP/1.1\r\nContent-Length:\r\n", kind: BadFraming},
	{name: "length with plus", head: "POST / HTTP/1.1\r\nContent-Length: +5\r\n", kind: BadFraming},
	{name: "length with minus", head: "POST / HTTP/1.1\r\nContent-Length: -1\r\n", kind: BadFraming},
	{name: "length in hexadecimal", head: "POST / HTTP/1.1\r\nContent-Length: 0x5\r\n", kind: BadFraming},
	{name: "length with a space", head: "POST / HTTP/1.1\r\nContent-Length: 5 5\r\n", kind: BadFraming},
	{name: "length with vertical tab", head: "POST / HTTP/1.1\r\nContent-Length: 5\v\r\n", kind: BadFraming},
	{name: "length beyond 63 bits", head: "POST / HTTP/1.1\r\nContent-Length: 9223372036854775808\r\n", kind: BadFraming},
	{name: "length beyond 64 bits", head: "POST / HTTP/1.1\r\nContent-Length: 18446744073709551621\r\n", kind: BadFraming},
	{name: "chunked in HTTP/1.0", head: "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n", kind: BadFraming},
	{name: "length of a connect", head: "CONNECT a:1 HTTP/1.1\r\nContent-Length: 5\r\n", kind: BadFraming},
	{name: "chunked connect", head: "CONNECT a:1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n", kind: BadFraming},
	{name: "gzip", head: "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n", kind: UnsupportedCoding},
	{name: "gzip, chunked", head: "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n", kind: UnsupportedCoding},
	{name: "chunked, gzip", head: "POST / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n", kind: UnsupportedCoding},
	{name: "chunked, identity", head: "POST / HTTP/1.1\r\nTransfer-Encoding: chunked, identity\r\n", kind: UnsupportedCoding},
	{name: "identity", head: "POST / HTTP/1.1\r\nTransfer-Encoding: identity\r\n", kind: UnsupportedCoding},
	{name: "chunked twice", head: "POST / HTTP/1.1\r\nTransfer-Encoding: chunked, chunked\r\n", kind: UnsupportedCoding},
	{name: "chunked in two fields", head: "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", kind: UnsupportedCoding},
	{name: "chunked, then nothing", head: "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding:\r\n", kind: UnsupportedCoding},
	{name: "chunked with a comma", head: "POST / HTTP/1.1\r\nTransfer-Encoding: chunked,\r\n", kind: UnsupportedCoding},
	{name: "chunked with a parameter", head: "POST / HTTP/1.1\r\nTransfer-Encoding: chunked;q=1\r\n", kind: UnsupportedCoding},
	{name: "chunked in quotes", head: "POST / HTTP/1.1\r\nTransfer-Encoding: \"chunked\"\r\n", kind: UnsupportedCoding},
	{name: "chunked after vertical tab", head: "POST / HTTP/1.1\r\nTransfer-Encoding: \vchunked\r\n", kind: UnsupportedCoding},
	{name: "no coding named", head: "POST / HTTP/1.1\r\nTransfer-Encoding:\r\n", kind: UnsupportedCoding},
}

func TestRequestBody(t *testing.T) {
	for _, test := range requestBodies {
		t.Run(test.name, func(t *testing.T) {
			var r Request
			if _, err := ParseRequest([]byte(test.head+"\r\n"), &r, relaxed); err != nil {
				t.Fatal(err)
			}
			b, err := RequestBody(&r)
			checkFraming(t, b, err, &r.Header, test.want, test.declared, test.kind)
		})
	}
}

func checkFraming(t *testing.T, b Body, err error, h *Header, want, declared string, kind ErrorKind) {
	t.Helper()
	if got := kindOf(t, err); got != kind {
		t.Fatalf("got error %v, want kind %v", err, kind)
	}
	if err != nil {
		if !b.Done() {
			t.Errorf("a refused body has bytes to come")
		}
		return
	}
	if got := describe(b); got != want {
		t.Errorf("the body is %q, want %q", got, want)
	}
	if b.Declare(h); string(h.AppendTo(nil)) != declared {
		t.Errorf("it is passed on with %q, want %q", h.AppendTo(nil), declared)
	}
}

func TestReplyBody(t *testing.T) {
	for _, test := range []struct {
		name, method, head string
		want               string
		declared           string
		kind               ErrorKind
	}{
		{name: "length", head: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", want: "length 5", declared: "Content-Length: 5\r\n"},
		{name: "length twice", head: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n", want: "length 5", declared: "Content-Length: 5\r\n"},
		{name: "chunked", head: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", want: "chunked", declared: "Transfer-Encoding: chunked\r\n"},
		{name: "nothing said", head: "HTTP/1.1 200 OK\r\n", want: "close"},
		{name: "nothing said by HTTP/1.0", head: "HTTP/1.0 200 OK\r\n", want: "close"},
		{name: "chunked and length", head: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n", want: "chunked conflict", declared: "Transfer-Encoding: chunked\r\n"},
		{name: "chunked by HTTP/1.0", head: "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n", want: "chunked conflict", declared: "Transfer-Encoding: chunked\r\n"},
		{name: "gzip, chunked", head: "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n", kind: UnsupportedCoding},
		{name: "gzip and chunked in two fields", head: "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", kind: UnsupportedCoding},
		{name: "gzip", head: "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nContent-Length: 5\r\n", kind: UnsupportedCoding},
		{name: "a word that begins with chunk", head: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunk\r\nContent-Length: 5\r\n", kind: UnsupportedCoding},
		{name: "chunked in quotes", head: "HTTP/1.1 200 OK\r\nTransfer-Encoding: \"chunked\"\r\n", kind: UnsupportedCoding},
		{name: "chunked in other quotes", head: "HTTP/1.1 200 OK\r\nTransfer-Encoding: 'chunked'\r\n", kind: UnsupportedCoding},
		{name: "chunked behind a control character", head: "HTTP/1.1 200 OK\r\nTransfer-Encoding: \x0b chunked\r\n", kind: UnsupportedCoding},
		{name: "an extension", head: "HTTP/1.1 200 OK\r\nTransfer-Encoding: x-foo\r\nContent-Length: 5\r\n", kind: UnsupportedCoding},
		{name: "identity", head: "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 5\r\n", want: "close"},
		{name: "HEAD", method: "HEAD", head: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", want: "none", declared: "Content-Length: 5\r\n"},
		{name: "HEAD, chunked", method: "HEAD", head: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", want: "none"},
		{name: "HEAD, chunked and length", method: "HEAD", head: "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\nTransfer-Encoding: chunked\r\n", want: "none", declared: "Content-Length: 5\r\n"},
		{name: "HEAD, a coding that nobody asked for", method: "HEAD", head: "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n", want: "none"},
		{name: "304, chunked", head: "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n", want: "none"},
		{name: "304, the same length twice", head: "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nContent-Length: 5\r\n", want: "none", declared: "Content-Length: 5\r\n"},
		{name: "204, chunked", head: "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n", want: "none"},
		{name: "103, chunked and length", head: "HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n", want: "none"},
		{name: "304", head: "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n", want: "none", declared: "Content-Length: 5\r\n"},
		{name: "204", head: "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n", want: "none"},
		{name: "100", head: "HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n", want: "none"},
		{name: "101", head: "HTTP/1.1 101 Switching Protocols\r\n", want: "none"},
		{name: "CONNECT 200", method: "CONNECT", head: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", want: "none"},
		{name: "CONNECT 299, chunked", method: "CONNECT", head: "HTTP/1.1 299 OK\r\nTransfer-Encoding: chunked\r\n", want: "none"},
		{name: "CONNECT 403", method: "CONNECT", head: "HTTP/1.1 403 No\r\nContent-Length: 5\r\n", want: "length 5", declared: "Content-Length: 5\r\n"},

		{name: "two lengths", head: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n", kind: BadFraming},
		{name: "two lengths for HEAD", method: "HEAD", head: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n", kind: BadFraming},
		{name: "two lengths and chunked", head: "HTTP/1.1 200 OK\r\nContent-Length: 5,6\r\nTransfer-Encoding: chunked\r\n", kind: BadFraming},
		{name: "no length", head: "HTTP/1.1 200 OK\r\nContent-Length: five\r\n", kind: BadFraming},
		{name: "chunked, gzip", head: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n", kind: BadFraming},
		{name: "chunked twice", head: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", kind: BadFraming},
		{name: "no coding named", head: "HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n", kind: BadFraming},
	} {
		t.Run(test.name, func(t *testing.T) {
			var r Reply
			if _, err := ParseReply([]byte(test.head+"\r\n"), &r, relaxed); err != nil {
				t.Fatal(err)
			}
			method := test.method
			if method == "" {
				method = "GET"
			}
			b, err := ReplyBody(method, &r)
			checkFraming(t, b, err, &r.Header, test.want, test.declared, test.kind)
		})
	}
}
