package h1

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// corpus is what testdata/http holds. Each file is the bytes of one message as they come, with
// what may follow it, and here is how it is read, see reading.
var requests = map[string]string{
	"bare-cr-in-field":          "refused for its field",
	"bare-lf":                   `GET http://a.example/ 1.1, 1 fields, body none "", "" follows`,
	"bare-lf-in-chunks":         `POST http://a.example/ 1.1, 1 fields, body chunked "", refused for its chunk`,
	"browser-get":               `GET http://www.example.com/articles/2024/05/index.html?ref=home&lang=en 1.1, 11 fields, body none "", "" follows`,
	"chunk-size-too-large":      `POST http://a.example/ 1.1, 1 fields, body chunked "", refused for its chunk`,
	"coding-folded":             "refused for its field",
	"coding-in-1.0":             "refused for its framing",
	"coding-in-disguise":        "refused for its transfer coding",
	"coding-space-before-colon": "refused for its field",
	"coding-twice":              "refused for its transfer coding",
	"coding-with-vertical-tab":  "refused for its transfer coding",
	"connect":                   `CONNECT www.example.com:443 1.1, 3 fields, body none "", "\x16\x03\x01" follows`,
	"connect-with-body":         "refused for its framing",
	"empty-lines-first":         `GET http://a.example/ 1.1, 1 fields, body none "", "" follows`,
	"field-without-colon":       "refused for its field",
	"host-with-backslash":       "refused for its URL",
	"http-0.9":                  `GET http://a.example/old 0.9, 0 fields, body none "", "rest" follows`,
	"http-1.0":                  `GET http://a.example/ 1.0, 1 fields, body none "", "" follows`,
	"http-2-preface":            "refused for its version",
	"http-2.0":                  "refused for its version",
	"ipv4-in-disguise":          `GET http://127.0.0.1/ 1.1, 1 fields, body none "", "" follows`,
	"ipv6":                      `GET http://[2001:db8::1]:8080/ 1.1, 1 fields, body none "", "" follows`,
	"length-and-chunked":        `POST http://a.example/ 1.1, 3 fields, body chunked conflict "", "GET http://a.example/admin HTTP/1.1\r\n\r\n" follows`,
	"length-twice":              `POST http://a.example/ 1.1, 2 fields, body length 5 "hello", "" follows`,
	"length-with-plus":          "refused for its framing",
	"lengths-differ":            "refused for its framing",
	"nul-in-field":              "refused for its field",
	"options-asterisk":          `OPTIONS * 1.1, 1 fields, body none "", "" follows`,
	"origin-form":               `GET /intercepted?x=1 1.1, 1 fields, body none "", "" follows`,
	"pipelined":                 `GET http://a.example/1 1.1, 1 fields, body none "", "GET http://a.example/2 HTTP/1.1\r\nHost: a.example\r\n\r\n" follows`,
	"post-chunked":              `POST http://a.example/up 1.1, 2 fields, body chunked "Hello world", "GET http://a.example/next HTTP/1.1\r\n\r\n" follows`,
	"post-expect":               `POST http://a.example/ 1.1, 3 fields, body length 3 "abc", "" follows`,
	"post-form":                 `POST http://a.example/form 1.1, 3 fields, body length 27 "name=J%C3%BCrgen&color=blue", "GET http://a.example/next HTTP/1.1\r\n\r\n" follows`,
	"spaces-in-url":             `GET http://a.example/myfile.html#top 1.1, 1 fields, body none "", "" follows`,
	"ssh":                       "refused for its request line",
	"tls-hello":                 "incomplete",
	"truncated-body":            `POST http://a.example/ 1.1, 1 fields, body length 50 "hello", truncated`,
	"truncated-head":            "incomplete",
	"two-hosts":                 `GET http://a.example/ 1.1, 2 fields, body none "", "" follows`,
	"userinfo":                  `GET http://a.example/?q 1.1, 1 fields, body none "", "" follows`,
	"utf-8":                     `GET http://a.example/größe?ä=ö 1.1, 2 fields, body none "", "" follows`,
	"webdav":                    `PROPFIND http://a.example/dav/ 1.1, 3 fields, body length 0 "", "" follows`,
}

var replies = map[string]string{
	"bare-lf":             `1.1 200 OK, 1 fields, body length 2 "ok", "" follows`,
	"bare-lf-in-chunks":   `1.1 200 OK, 1 fields, body chunked "", refused for its chunk`,
	"chunk-without-end":   `1.1 200 OK, 1 fields, body chunked "hello", refused for its chunk`,
	"chunked":             `1.1 200 OK, 1 fields, body chunked "hello, world", "HTTP/1.1" follows`,
	"chunked-not-last":    "refused for its framing",
	"chunked-padded":      `1.1 200 OK, 1 fields, body chunked "hello", "" follows`,
	"connect-established": `1.1 200 Connection established, 1 fields, body none "", "\x16\x03\x03" follows`,
	"connect-refused":     `1.1 403 Forbidden, 1 fields, body length 5 "sorry", "" follows`,
	"continue":            `1.1 100 Continue, 0 fields, body none "", "HTTP/1.1 200 OK\r\n\r\n" follows`,
	"early-hints":         `1.1 103 Early Hints, 1 fields, body none "", "HTTP/1.1 200 OK\r\n\r\n" follows`,
	"empty-line-first":    "not HTTP",
	"field-without-colon": "refused for its field",
	"folded":              `1.1 200 OK, 2 fields, body length 2 "ok", "" follows`,
	"gzip-chunked":        "refused for its transfer coding",
	"gzip-until-close":    "refused for its transfer coding",
	"head":                `1.1 200 OK, 1 fields, body none "", "HTTP/1.1 200 OK\r\n\r\n" follows`,
	"http-0.9":            "not HTTP",
	"http-1.0":            `1.0 200 OK, 1 fields, body close "hello", "" follows`,
	"http-1.0-chunked":    `1.0 200 OK, 1 fields, body chunked conflict "hello", "" follows`,
	"http-2.0":            "refused for its version",
	"length":              `1.1 200 OK, 13 fields, body length 13 "Hello, world!", "HTTP/1.1 200 OK\r\n\r\n" follows`,
	"length-and-chunked":  `1.1 200 OK, 2 fields, body chunked conflict "hello", "" follows`,
	"length-twice":        `1.1 200 OK, 2 fields, body length 2 "ok", "" follows`,
	"lengths-differ":      "refused for its framing",
	"no-content":          `1.1 204 No Content, 1 fields, body none "", "HTTP/1.1" follows`,
	"no-reason":           `1.1 200 , 1 fields, body length 2 "ok", "" follows`,
	"not-modified":        `1.1 304 Not Modified, 1 fields, body none "", "HTTP/1.1" follows`,
	"nul-in-field":        "refused for its field",
	"shoutcast":           "not HTTP",
	"space-before-colon":  `1.1 200 OK, 1 fields, body length 2 "ok", "" follows`,
	"switching":           `1.1 101 Switching Protocols, 2 fields, body none "", "\x81\x05hello" follows`,
	"truncated-chunk":     `1.1 200 OK, 1 fields, body chunked "hel", truncated`,
	"truncated-length":    `1.1 200 OK, 1 fields, body length 5 "hel", truncated`,
	"until-close":         `1.1 200 OK, 1 fields, body close "hello\r\n0\r\n\r\n", "" follows`,
}

// methodFor is the method of the request that a reply in the corpus answers: its name says so.
func methodFor(file string) string {
	if file == "head" {
		return "HEAD"
	}
	if strings.HasPrefix(file, "connect") {
		return "CONNECT"
	}
	return "GET"
}

// load gives the files of one folder of the corpus by name, and fails for one that says nothing here or is missing.
func load(t testing.TB, folder string, said map[string]string) map[string][]byte {
	t.Helper()
	dir := filepath.Join("..", "..", "testdata", "http", folder)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string][]byte)
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(e.Name(), ".txt")
		if files[name] = b; said[name] == "" {
			t.Errorf("%s/%s: how it should be read is not said", folder, e.Name())
		}
	}
	if len(files) < len(said) {
		t.Errorf("%s: a file is missing: %d files, %d readings", folder, len(files), len(said))
	}
	return files
}

// A parser is ParseRequest with RequestBody, or the same for replies, in one.
type parser func(b []byte, lim Limits) (head string, n int, body Body, err error)

func parseRequest(b []byte, lim Limits) (head string, n int, body Body, err error) {
	var r Request
	if n, err = ParseRequest(b, &r, lim); err == nil {
		body, err = RequestBody(&r)
	}
	return fmt.Sprintf("%s %s %d.%d, %d fields", r.Method, r.Target.AppendURL(nil), r.Major, r.Minor, r.Header.Len()), n, body, err
}

func parseReplyTo(method string) parser {
	return func(b []byte, lim Limits) (head string, n int, body Body, err error) {
		var r Reply
		if n, err = ParseReply(b, &r, lim); err == nil {
			body, err = ReplyBody(method, &r)
		}
		return fmt.Sprintf("%d.%d %d %s, %d fields", r.Major, r.Minor, r.Status, r.Reason, r.Header.Len()), n, body, err
	}
}

// reading reads one message, and then the end of the connection, from b coming in portions up to
// the given cuts, and says in a line what it found.
func reading(parse parser, b []byte, lim Limits, cuts ...int) string {
	cuts = append(cuts, len(b))
	var came int
	for {
		if len(cuts) == 0 {
			return "incomplete"
		}
		came, cuts = max(came, min(cuts[0], len(b))), cuts[1:]
		head, n, body, err := parse(b[:came], lim)
		if err != ErrShort {
			return readingBody(head, n, body, err, b, came, cuts)
		}
	}
}

func readingBody(head string, n int, body Body, err error, b []byte, came int, cuts []int) string {
	if err != nil {
		return verdict(err)
	}
	line := head + ", body " + describe(body) + " "
	var payload []byte
	for {
		var m int
		payload, m, err = body.Data(payload, b[n:came])
		if n += m; err != nil {
			return fmt.Sprintf("%s%q, %s", line, payload, verdict(err))
		}
		if len(cuts) == 0 {
			break
		}
		came, cuts = max(came, min(cuts[0], len(b))), cuts[1:]
	}
	if err = body.End(); err != nil {
		return fmt.Sprintf("%s%q, %s", line, payload, verdict(err))
	}
	return fmt.Sprintf("%s%q, %q follows", line, payload, b[n:])
}

func verdict(err error) string {
	var s *SyntaxError
	switch {
	case errors.As(err, &s):
		return "refused for its " + s.Kind.String()
	case err == ErrTooLarge:
		return "too large"
	case err == ErrNotHTTP:
		return "not HTTP"
	case err == ErrTruncated:
		return "truncated"
	}
	return "unexpected error " + err.Error()
}

func TestCorpusHoweverItIsCut(t *testing.T) {
	for name, b := range load(t, "requests", requests) {
		t.Run("request "+name, func(t *testing.T) { checkReading(t, parseRequest, b, requests[name]) })
	}
	for name, b := range load(t, "replies", replies) {
		t.Run("reply "+name, func(t *testing.T) { checkReading(t, parseReplyTo(methodFor(name)), b, replies[name]) })
	}
}

func checkReading(t *testing.T, parse parser, b []byte, want string) {
	if got := reading(parse, b, relaxed); got != want {
		t.Fatalf("in one piece: got\n%s, want\n%s", got, want)
	}
	for cut := range b {
		if got := reading(parse, b, relaxed, cut); got != want {
			t.Fatalf("cut at %d: got\n%s, want\n%s", cut, got, want)
		}
	}
	for _, size := range []int{1, 2, 3, 7} {
		if got := reading(parse, b, relaxed, every(size, len(b))...); got != want {
			t.Fatalf("in portions of %d: got\n%s, want\n%s", size, got, want)
		}
	}
}

func every(size, n int) (cuts []int) {
	for cut := size; cut < n; cut += size {
		cuts = append(cuts, cut)
	}
	return cuts
}

// sameHoweverCut is the property for any bytes: two cuts, and byte by byte.
func sameHoweverCut(t *testing.T, parse parser, b []byte, lim Limits, one, two uint16) {
	t.Helper()
	whole := reading(parse, b, lim)
	cuts := []int{int(one), int(two)}
	slices.Sort(cuts)
	if got := reading(parse, b, lim, cuts...); got != whole {
		t.Fatalf("cut at %v: got\n%s, in one piece\n%s", cuts, got, whole)
	}
	if len(b) < 2000 {
		if got := reading(parse, b, lim, every(1, len(b))...); got != whole {
			t.Fatalf("byte by byte: got\n%s, in one piece\n%s", got, whole)
		}
	}
}

func FuzzParseRequest(f *testing.F) {
	for _, b := range load(f, "requests", requests) {
		f.Add(b, uint16(len(b)/3), uint16(len(b)/2), true, uint16(0))
		f.Add(b, uint16(1), uint16(len(b)-1), false, uint16(100))
	}
	f.Fuzz(func(t *testing.T, b []byte, one, two uint16, relaxed bool, head uint16) {
		sameHoweverCut(t, parseRequest, b, Limits{Relaxed: relaxed, Head: int(head)}, one, two)
		sameForNetHTTP(t, asRequest, "", b, Limits{Relaxed: relaxed})
	})
}

func FuzzParseReply(f *testing.F) {
	for name, b := range load(f, "replies", replies) {
		f.Add(methodFor(name), b, uint16(len(b)/3), uint16(len(b)/2), true, uint16(0))
		f.Add(methodFor(name), b, uint16(1), uint16(len(b)-1), false, uint16(100))
	}
	f.Fuzz(func(t *testing.T, method string, b []byte, one, two uint16, relaxed bool, head uint16) {
		sameHoweverCut(t, parseReplyTo(method), b, Limits{Relaxed: relaxed, ICY: true, Head: int(head)}, one, two)
		sameForNetHTTP(t, asReply, method, b, Limits{Relaxed: relaxed})
	})
}

// FuzzBody checks that Pass and Data take the same bytes however they are cut, and that the payload,
// chunked anew, is the payload.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{"5\r\nhello\r\n0\r\n\r\nrest", "5;a=b\r\nhello\r\n0\r\nA: b\r\n\r\n", "fffffffffffffff\r\nx", "0\r\n\r\n", "1 \r\n\n\r\n00\r\n\r\n"} {
		f.Add([]byte(seed), uint16(1), uint16(2), int64(-1))
		f.Add([]byte(seed), uint16(4), uint16(9), int64(7))
	}
	f.Fuzz(func(t *testing.T, p []byte, one, two uint16, length int64) {
		body := chunkedBody(false)
		if length >= 0 {
			body = lengthBody(length)
		}
		parse := func([]byte, Limits) (string, int, Body, error) { return "", 0, body, nil }
		sameHoweverCut(t, parse, p, Limits{}, one, two)
		pass, data := body, body
		passed, n, passErr := pass.Pass(bytes.Clone(p))
		payload, m, dataErr := data.Data(nil, bytes.Clone(p))
		if n != m || fmt.Sprint(passErr) != fmt.Sprint(dataErr) || pass != data {
			t.Fatalf("Pass says %d, %v, Data says %d, %v", n, passErr, m, dataErr)
		}
		through := body
		if length >= 0 {
			through = lengthBody(length)
		}
		if back, k, err := through.Data(nil, bytes.Clone(passed)); string(back) != string(payload) || k > n || passErr == nil && err != nil || through.Done() != pass.Done() {
			t.Fatalf("what was passed on, %q, is read as %q, %v", passed, back, err)
		}
		again := chunkedBody(false)
		anew := append(appendChunk(nil, payload), LastChunk...)
		if back, n, err := again.Data(nil, anew); string(back) != string(payload) || n != len(anew) || err != nil || !again.Done() {
			t.Fatalf("the payload %q, chunked anew, is read as %q, %v", payload, back, err)
		}
	})
}
