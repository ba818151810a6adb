package h1

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

var relaxed = Limits{Relaxed: true}

var requestLines = []struct {
	name, line string
	want       string // method, URL, version
	kind       ErrorKind
	strict     ErrorKind // the verdict when not relaxed, if it is another
}{
	{name: "plain", line: "GET http://a/ HTTP/1.1\r\n", want: "GET http://a/ 1.1"},
	{name: "version 1.0", line: "GET http://a/ HTTP/1.0\r\n", want: "GET http://a/ 1.0"},
	{name: "version 1.2", line: "GET http://a/ HTTP/1.2\r\n", want: "GET http://a/ 1.2"},
	{name: "method of our own", line: "FOO-bar!#$ http://a/ HTTP/1.1\r\n", want: "FOO-bar!#$ http://a/ 1.1"},
	{name: "method of our own in small letters", line: "patch http://a/ HTTP/1.1\r\n", want: "patch http://a/ 1.1"},
	{name: "origin form", line: "GET /x HTTP/1.1\r\n", want: "GET /x 1.1"},
	{name: "options of the proxy", line: "OPTIONS * HTTP/1.1\r\n", want: "OPTIONS * 1.1"},
	{name: "connect", line: "CONNECT A:443 HTTP/1.1\r\n", want: "CONNECT a:443 1.1"},
	{name: "without version", line: "GET http://a/x\r\n", want: "GET http://a/x 0.9"},
	{name: "longest method", line: strings.Repeat("M", 32) + " /x HTTP/1.1\r\n", want: strings.Repeat("M", 32) + " /x 1.1"},

	{name: "bare LF", line: "GET http://a/ HTTP/1.1\n", want: "GET http://a/ 1.1", strict: BadRequestLine},
	{name: "without version, bare LF", line: "GET http://a/x\n", want: "GET http://a/x 0.9", strict: BadRequestLine},
	{name: "runs of spaces", line: "GET   http://a/  HTTP/1.1\r\n", want: "GET http://a/ 1.1", strict: BadTarget},
	{name: "tabs", line: "GET\thttp://a/\tHTTP/1.1\r\n", want: "GET http://a/ 1.1", strict: BadRequestLine},
	{name: "without version, space at the end", line: "GET http://a/ \r\n", kind: BadRequestLine},
	{name: "spaces in the URL", line: "GET http://a/x y z HTTP/1.1\r\n", want: "GET http://a/xyz 1.1", strict: BadTarget},
	{name: "two versions", line: "GET http://a/x HTTP/1.0 HTTP/1.1\r\n", want: "GET http://a/xHTTP/1.0 1.1", strict: BadTarget},
	{name: "form feed in the URL", line: "GET http://a/x\fy HTTP/1.1\r\n", want: "GET http://a/xy 1.1", strict: BadTarget},
	{name: "unwise character in the URL", line: "GET http://a/<x> HTTP/1.1\r\n", want: "GET http://a/<x> 1.1", strict: BadTarget},
	{name: "UTF-8 in the URL", line: "GET http://a/ü HTTP/1.1\r\n", want: "GET http://a/ü 1.1", strict: BadTarget},

	{name: "space behind the version", line: "GET http://a/ HTTP/1.1 \r\n", kind: BadRequestLine},
	{name: "spaces behind the version of a POST", line: "POST http://a/ HTTP/1.0  \r\n", kind: BadRequestLine},
	{name: "tab behind the version of a CONNECT", line: "CONNECT a:443 HTTP/1.1\t\r\n", kind: BadRequestLine},
	{name: "vertical tab behind the version", line: "HEAD http://a/ HTTP/1.1\v\r\n", kind: BadRequestLine},
	{name: "space behind the version, bare LF", line: "OPTIONS * HTTP/1.1 \n", kind: BadRequestLine},
	{name: "one word", line: "SSH-2.0-OpenSSH\r\n", kind: BadRequestLine},
	{name: "two words", line: "hello world\r\n", kind: BadRequestLine},
	{name: "without version, not GET", line: "POST http://a/x\r\n", kind: BadRequestLine},
	{name: "space first", line: " GET http://a/ HTTP/1.1\r\n", kind: BadRequestLine},
	{name: "only spaces", line: "  \r\n", kind: BadRequestLine},
	{name: "CR first", line: "\rGET http://a/ HTTP/1.1\r\n", kind: BadRequestLine},
	{name: "method that is no token", line: "G(T http://a/ HTTP/1.1\r\n", kind: BadRequestLine},
	{name: "method too long", line: strings.Repeat("M", 33) + " /x HTTP/1.1\r\n", kind: BadRequestLine},
	{name: "TLS hello", line: "\x16\x03\x01\x02\x00\x01\x00\n", kind: BadRequestLine},
	{name: "version in small letters", line: "GET http://a/ http/1.1\r\n", kind: BadRequestLine},
	{name: "another protocol", line: "GET http://a/ ICAP/1.0\r\n", kind: BadRequestLine},
	{name: "no version but spaces", line: "GET http://a/x y\r\n", kind: BadRequestLine},
	{name: "CR twice", line: "GET http://a/ HTTP/1.1\r\r\n", kind: BadVersion},
	{name: "no space before the version", line: "GET http://a/xHTTP/1.1\r\n", kind: BadRequestLine},
	{name: "no space before another version", line: "GET http://a/xHTTP/2.0\r\n", kind: BadRequestLine},
	{name: "only a version", line: "GET HTTP/1.1\r\n", kind: BadRequestLine},
	{name: "version 2.0", line: "GET http://a/ HTTP/2.0\r\n", kind: BadVersion},
	{name: "preface of HTTP/2", line: "PRI * HTTP/2.0\r\n", kind: BadVersion},
	{name: "version 0.9 in words", line: "GET http://a/ HTTP/0.9\r\n", kind: BadVersion},
	{name: "version 1.11", line: "GET http://a/ HTTP/1.11\r\n", kind: BadVersion},
	{name: "version 1", line: "GET http://a/ HTTP/1\r\n", kind: BadVersion},
	{name: "version 1.x", line: "GET http://a/ HTTP/1.x\r\n", kind: BadVersion},
	{name: "version 1,1", line: "GET http://a/ HTTP/1,1\r\n", kind: BadVersion},
	{name: "CR within the URL", line: "GET http://a/\rb HTTP/1.1\r\n", kind: BadTarget},
	{name: "NUL within the URL", line: "GET http://a/\x00 HTTP/1.1\r\n", kind: BadTarget},
	{name: "bad URL", line: "GET http:// HTTP/1.1\r\n", kind: BadURL},
	{name: "unknown scheme", line: "GET foo://a/ HTTP/1.1\r\n", kind: UnsupportedScheme},
}

func TestRequestLine(t *testing.T) {
	for _, test := range requestLines {
		t.Run(test.name, func(t *testing.T) {
			checkRequestLine(t, test.line, relaxed, test.want, test.kind)
			if test.strict != 0 {
				test.kind = test.strict
			}
			checkRequestLine(t, test.line, Limits{}, test.want, test.kind)
		})
	}
}

// A method that only differs in case from one with a meaning of its own would slip past whatever
// looks for that one.
func TestMethodsInSmallLetters(t *testing.T) {
	for _, test := range []struct{ sent, relaxed string }{
		{"get", "GET"}, {"Head", "HEAD"}, {"connect", "CONNECT"}, {"version-Control", "VERSION-CONTROL"}, {"foo", "foo"},
	} {
		line := test.sent + " a:1 HTTP/1.1\r\n\r\n"
		var r Request
		ParseRequest([]byte(line), &r, relaxed)
		if r.Method != test.relaxed {
			t.Errorf("when relaxed %s is %q, want %q", test.sent, r.Method, test.relaxed)
		}
		ParseRequest([]byte(line), &r, Limits{})
		if r.Method != test.sent {
			t.Errorf("when strict %s is %q, want it as it is", test.sent, r.Method)
		}
	}
}

func checkRequestLine(t *testing.T, line string, lim Limits, want string, kind ErrorKind) {
	t.Helper()
	var r Request
	n, err := ParseRequest([]byte(line+"\r\n"), &r, lim)
	if got := kindOf(t, err); got != kind {
		if lim.Relaxed || kind == 0 || got == 0 {
			t.Fatalf("relaxed %v: %q gives error %v, want kind %v", lim.Relaxed, line, err, kind)
		}
	}
	if err != nil {
		return
	}
	if got := fmt.Sprintf("%s %s %d.%d", r.Method, r.Target.AppendURL(nil), r.Major, r.Minor); got != want {
		t.Errorf("relaxed %v: got %q, want %q", lim.Relaxed, got, want)
	}
	if wantN := len(line) + 2*int(r.Major); n != wantN {
		t.Errorf("relaxed %v: the head takes %d bytes, want %d", lim.Relaxed, n, wantN)
	}
	if string(r.Line) != strings.TrimRight(line, "\r\n") {
		t.Errorf("relaxed %v: the line is %q", lim.Relaxed, r.Line)
	}
}

var requestFields = []struct {
	name, fields string
	want         string // as AppendTo writes them
	kind         ErrorKind
	strict       ErrorKind
}{
	{name: "none", fields: "", want: ""},
	{name: "two", fields: "A: b\r\nC:d\r\n", want: "A: b\r\nC: d\r\n"},
	{name: "whitespace around the value", fields: "A: \t b c \t\r\n", want: "A: b c\r\n"},
	{name: "no value", fields: "A:\r\nB: \r\n", want: "A: \r\nB: \r\n"},
	{name: "colons in the value", fields: "A::b:\r\n", want: "A: :b:\r\n"},
	{name: "UTF-8 and controls in the value", fields: "A: ü\x01\x7f\tb\r\n", want: "A: ü\x01\x7f\tb\r\n"},
	{name: "any token as name", fields: "!#$%&'*+-.^_`|~9z: b\r\n", want: "!#$%&'*+-.^_`|~9z: b\r\n"},
	{name: "bare LF", fields: "A: b\nC: d\r\n", want: "A: b\r\nC: d\r\n", strict: BadField},

	{name: "space before the colon", fields: "A : b\r\n", kind: BadField},
	{name: "tab before the colon", fields: "A\t: b\r\n", kind: BadField},
	{name: "folded", fields: "A: b\r\n c\r\n", kind: BadField},
	{name: "folded with tab", fields: "A: b\r\n\tc\r\n", kind: BadField},
	{name: "folded to nothing", fields: "A: b\r\n \r\n", kind: BadField},
	{name: "space before the first field", fields: " A: b\r\n", kind: BadField},
	{name: "no colon", fields: "nonsense\r\n", kind: BadField},
	{name: "no name", fields: ": b\r\n", kind: BadField},
	{name: "space in the name", fields: "A B: c\r\n", kind: BadField},
	{name: "UTF-8 in the name", fields: "Ä: b\r\n", kind: BadField},
	{name: "parenthesis in the name", fields: "A(: b\r\n", kind: BadField},
	{name: "CR in the value", fields: "A: b\rc\r\n", kind: BadField},
	{name: "CR at the end of the value", fields: "A: b\r\r\n", kind: BadField},
	{name: "line of a CR", fields: "A: b\r\n\r\r\n", kind: BadField},
	{name: "NUL in the value", fields: "A: b\x00c\r\n", kind: BadField},
	{name: "NUL in the name", fields: "A\x00: b\r\n", kind: BadField},
}

func TestRequestFields(t *testing.T) {
	for _, test := range requestFields {
		t.Run(test.name, func(t *testing.T) {
			head := "GET / HTTP/1.1\r\n" + test.fields + "\r\n"
			var r Request
			n, err := ParseRequest([]byte(head+"next"), &r, relaxed)
			if kind := kindOf(t, err); kind != test.kind {
				t.Fatalf("got error %v, want kind %v", err, test.kind)
			}
			if err == nil && (string(r.Header.AppendTo(nil)) != test.want || n != len(head)) {
				t.Errorf("got %q and %d bytes, want %q and %d", r.Header.AppendTo(nil), n, test.want, len(head))
			}
			if test.strict != 0 {
				test.kind = test.strict
			}
			if _, err = ParseRequest([]byte(head), &r, Limits{}); kindOf(t, err) != test.kind {
				t.Errorf("when strict: got error %v, want kind %v", err, test.kind)
			}
		})
	}
}

func TestRequestEndsAtTheFirstEmptyLine(t *testing.T) {
	for _, test := range []struct {
		name, bytes string
		want        int
		err         error
	}{
		{name: "CRLF", bytes: "GET / HTTP/1.1\r\n\r\nGET", want: 18},
		{name: "LF", bytes: "GET / HTTP/1.1\n\nGET", want: 16},
		{name: "LF, CRLF", bytes: "GET / HTTP/1.1\n\r\nGET", want: 17},
		{name: "CRLF, LF", bytes: "GET / HTTP/1.1\r\n\nGET", want: 17},
		{name: "LF LF before CRLF", bytes: "GET / HTTP/1.1\nA: b\n\n\r\n", want: 21},
		{name: "empty lines first", bytes: "\r\n\n\r\nGET / HTTP/1.1\r\n\r\nGET", want: 23},
		{name: "a second head", bytes: "GET / HTTP/1.1\r\nA: b\r\n\r\nGET / HTTP/1.1\r\n\r\n", want: 24},
		{name: "nothing", bytes: "", err: ErrShort},
		{name: "empty lines only", bytes: "\r\n\r\n\r", err: ErrShort},
		{name: "half a line", bytes: "GET / HT", err: ErrShort},
		{name: "one line", bytes: "GET / HTTP/1.1\r\n", err: ErrShort},
		{name: "half the empty line", bytes: "GET / HTTP/1.1\r\n\r", err: ErrShort},
		{name: "no empty line", bytes: "GET / HTTP/1.1\r\nA: b\r\n", err: ErrShort},
	} {
		t.Run(test.name, func(t *testing.T) {
			var r Request
			if n, err := ParseRequest([]byte(test.bytes), &r, relaxed); n != test.want || !errors.Is(err, test.err) {
				t.Errorf("got %d, %v, want %d, %v", n, err, test.want, test.err)
			}
		})
	}
}

func TestRequestTooLarge(t *testing.T) {
	head := "GET / HTTP/1.1\r\nA: " + strings.Repeat("x", 100) + "\r\n\r\n"
	var r Request
	if n, err := ParseRequest([]byte(head+"body"), &r, Limits{Head: len(head)}); n != len(head) || err != nil {
		t.Errorf("a head of just the limit is allowed: %d, %v", n, err)
	}
	for _, cut := range []int{len(head), len(head) - 1} {
		if _, err := ParseRequest([]byte(head[:cut]), &r, Limits{Head: len(head) - 1}); err != ErrTooLarge {
			t.Errorf("%d bytes of a head one byte over the limit: got %v, want too large", cut, err)
		}
	}
	if _, err := ParseRequest([]byte(head), &r, Limits{Head: 10}); err != ErrTooLarge {
		t.Errorf("a request line over the limit: got %v, want too large", err)
	}
	if _, err := ParseRequest([]byte(strings.Repeat("\r\n", 50)), &r, Limits{Head: 100}); err != ErrTooLarge {
		t.Errorf("empty lines without end: got %v, want too large", err)
	}
	if _, err := ParseRequest([]byte(strings.Repeat("x", 64<<10)), &r, Limits{}); err != ErrTooLarge {
		t.Errorf("64 KiB without a line end: got %v, want too large", err)
	}
	many := "GET / HTTP/1.1\r\n" + strings.Repeat("A:\r\n", maxFields)
	if _, err := ParseRequest([]byte(many+"\r\n"), &r, Limits{}); err != nil || r.Header.Len() != maxFields {
		t.Errorf("%d fields are allowed: %v, %d", maxFields, err, r.Header.Len())
	}
	if _, err := ParseRequest([]byte(many+"A:\r\n\r\n"), &r, Limits{}); err != ErrTooLarge {
		t.Errorf("one more is not: got %v", err)
	}
}

// What could be understood of a bad request is there for the log.
func TestRefusedRequestSaysWhatWasUnderstood(t *testing.T) {
	for _, test := range []struct{ name, head, method, target, line string }{
		{"bad URL", "GET http://a:0/ HTTP/1.1\r\n", "GET", "http://a:0/", "GET http://a:0/ HTTP/1.1"},
		{"bad version", "PUT http://a/ HTTP/3.0\r\n", "PUT", "http://a/", "PUT http://a/ HTTP/3.0"},
		{"bad field", "GET http://a/ HTTP/1.1\r\nno\r\n\r\n", "GET", "http://a/", "GET http://a/ HTTP/1.1"},
		{"no target", "hello\r\n", "hello", "", "hello"},
		{"no method", "(a) b c\r\n", "", "", "(a) b c"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := Request{Method: "LEFT", RawTarget: []byte("over")}
			_, err := ParseRequest([]byte(test.head), &r, relaxed)
			kindOf(t, err)
			if err == nil || r.Method != test.method || string(r.RawTarget) != test.target || string(r.Line) != test.line {
				t.Errorf("got %v, method %q, target %q, line %q", err, r.Method, r.RawTarget, r.Line)
			}
		})
	}
}

func TestRequestIsReused(t *testing.T) {
	var r Request
	parse := func(s string) {
		t.Helper()
		if _, err := ParseRequest([]byte(s), &r, relaxed); err != nil {
			t.Fatal(err)
		}
	}
	parse("GET http://A?1 HTTP/1.0\r\nA: b\r\nC: d\r\n\r\n")
	parse("POST http://B?2 HTTP/1.1\r\nE: f\r\n\r\n")
	got := fmt.Sprintf("%s %s %d.%d %q", r.Method, r.Target.AppendURL(nil), r.Major, r.Minor, r.Header.AppendTo(nil))
	if want := `POST http://b/?2 1.1 "E: f\r\n"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	parse("GET /\r\n")
	if r.Header.Len() != 0 || r.Target.Scheme != "" {
		t.Errorf("an HTTP/0.9 request has leftovers: %+v", r)
	}
}

func TestSyntaxErrorSaysWhatAndWhere(t *testing.T) {
	var r Request
	_, err := ParseRequest([]byte("GET / HTTP/1.1\r\nA\x07 : b\r\n\r\n"), &r, relaxed)
	if want := `parse field: not a field name in "A\a "`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	_, err = ParseRequest([]byte("GET http:"+strings.Repeat("x", 5000)+" HTTP/1.1\r\n"), &r, relaxed)
	if err == nil || len(err.Error()) > 200 || !strings.HasSuffix(err.Error(), "…") {
		t.Errorf("a long operand is cut: got %v", err)
	}
}
