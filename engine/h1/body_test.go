package h1

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"testing"
)

var chunkedBodies = []struct {
	name, bytes string
	want        string // payload
	passed      string // what Pass makes of bytes, if that is something else
	rest        string // what is the next message's
	bad         string // the sentence of the error, if it is refused
}{
	{name: "one chunk", bytes: "5\r\nhello\r\n0\r\n\r\n", want: "hello"},
	{name: "two chunks", bytes: "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nGET", want: "hello world", rest: "GET"},
	{name: "nothing", bytes: "0\r\n\r\nx", want: "", rest: "x"},
	{name: "sizes in both cases", bytes: "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", want: "01234567890123456789"},
	{name: "leading zeros", bytes: strings.Repeat("0", 63) + "5\r\nhello\r\n000\r\n\r\n", want: "hello", passed: "5\r\nhello\r\n0\r\n\r\n"},
	{name: "size of 17 digits, one of them a zero in front", bytes: "00000000000000005\r\nhello\r\n0\r\n\r\n", want: "hello", passed: "5\r\nhello\r\n0\r\n\r\n"},
	{name: "payload that looks like framing", bytes: "7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n", want: "\r\n0\r\n\r\n"},
	{name: "extensions", bytes: "5;a=b;c=\"d e\"\r\nhello\r\n0;last\r\n\r\n", want: "hello", passed: "5\r\nhello\r\n0\r\n\r\n"},
	{name: "padded size", bytes: "5  \t\r\nhello\r\n0 \r\n\r\n", want: "hello", passed: "5\r\nhello\r\n0\r\n\r\n"},
	{name: "padding before an extension", bytes: "1f \t;a\r\n" + strings.Repeat("x", 31) + "\r\n0\r\n\r\n", want: strings.Repeat("x", 31), passed: "1f\r\n" + strings.Repeat("x", 31) + "\r\n0\r\n\r\n"},
	{name: "UTF-8 in an extension", bytes: "5;ü\r\nhello\r\n0\r\n\r\n", want: "hello", passed: "5\r\nhello\r\n0\r\n\r\n"},
	{name: "trailer fields", bytes: "5\r\nhello\r\n0\r\nA: b\tü\r\nC:\r\n\r\nrest", want: "hello", passed: "5\r\nhello\r\n0\r\n\r\n", rest: "rest"},

	{name: "no size", bytes: "\r\nhello", bad: "no chunk size"},
	{name: "size in words", bytes: "xyz\r\n", bad: "no chunk size"},
	{name: "space before the size", bytes: " 5\r\nhello", bad: "no chunk size"},
	{name: "size with minus", bytes: "-5\r\nhello", bad: "no chunk size"},
	{name: "size with plus", bytes: "+5\r\nhello", bad: "no chunk size"},
	{name: "size with 0x", bytes: "0x5\r\nhello", bad: "bad character after a chunk size"},
	{name: "size with underscore", bytes: "1_0\r\nhello", bad: "bad character after a chunk size"},
	{name: "space within the size", bytes: "5 0\r\nhello", bad: "bad character after a chunk size"},
	{name: "word after the size", bytes: "5 \t x\r\nhello", bad: "bad character after a chunk size"},
	{name: "size of 17 digits", bytes: "10000000000000005\r\nhello", bad: "chunk size too large"},
	{name: "size of 65 bytes", bytes: strings.Repeat("0", 64) + "5\r\nhello", bad: "chunk size too long"},
	{name: "size padded without end", bytes: "5" + strings.Repeat(" ", 64) + "\r\nhello", bad: "chunk size too long"},
	{name: "size beyond 63 bits", bytes: "8000000000000000\r\nhello", bad: "chunk size too large"},
	{name: "size of 64 bits", bytes: "ffffffffffffffff\r\nhello", bad: "chunk size too large"},
	{name: "size ends in LF", bytes: "5\nhello\r\n0\r\n\r\n", bad: "bad character after a chunk size"},
	{name: "size ends in CR", bytes: "5\rhello\r\n0\r\n\r\n", bad: "CR without LF in a chunk's size line"},
	{name: "extension ends in LF", bytes: "5;a\nhello\r\n0\r\n\r\n", bad: "control character in a chunk extension"},
	{name: "extension in quotes with LF", bytes: "5;a=\"\n\"\r\nhello", bad: "control character in a chunk extension"},
	{name: "extension with CR", bytes: "5;a\rb\r\nhello", bad: "CR without LF in a chunk's size line"},
	{name: "extension with NUL", bytes: "5;\x00\r\nhello", bad: "control character in a chunk extension"},
	{name: "chunk too long", bytes: "5\r\nhelloX\r\n", bad: "no CRLF after a chunk"},
	{name: "chunk ends in LF", bytes: "5\r\nhello\n0\r\n\r\n", bad: "no CRLF after a chunk"},
	{name: "chunk ends in CR", bytes: "5\r\nhello\r0\r\n\r\n", bad: "no CRLF after a chunk"},
	{name: "last chunk ends in LF", bytes: "0\n\n", bad: "bad character after a chunk size"},
	{name: "last line ends in LF", bytes: "0\r\n\n", bad: "bad trailer field"},
	{name: "last line ends in CR", bytes: "0\r\n\rx", bad: "bad trailer field"},
	{name: "trailer without colon", bytes: "0\r\nnonsense\r\n\r\n", bad: "bad trailer field"},
	{name: "trailer without name", bytes: "0\r\n: a\r\n\r\n", bad: "bad trailer field"},
	{name: "trailer with a space before the colon", bytes: "0\r\nA : b\r\n\r\n", bad: "bad trailer field"},
	{name: "trailer folded", bytes: "0\r\nA: b\r\n c\r\n\r\n", bad: "bad trailer field"},
	{name: "trailer ends in LF", bytes: "0\r\nA: b\n\r\n", bad: "bad trailer field"},
	{name: "trailer with CR", bytes: "0\r\nA: b\rc\r\n\r\n", bad: "bad trailer field"},
	{name: "trailer with NUL", bytes: "0\r\nA: \x00\r\n\r\n", bad: "bad trailer field"},
	{name: "trailer with a control character", bytes: "0\r\nA: \x12\r\n\r\n", bad: "bad trailer field"},
	{name: "next request at once", bytes: "0\r\nGET / HTTP/1.1\r\n\r\n", bad: "bad trailer field"},
}

func TestChunkedBody(t *testing.T) {
	for _, test := range chunkedBodies {
		t.Run(test.name, func(t *testing.T) {
			for size := 1; size <= len(test.bytes); size++ {
				checkChunked(t, test.bytes, size, test.want, cmp.Or(test.passed, strings.TrimSuffix(test.bytes, test.rest)), test.rest, test.bad)
			}
		})
	}
}

// checkChunked shows the bytes to Pass and to Data in portions of the given size.
func checkChunked(t *testing.T, bytes string, size int, want, passed, rest, bad string) {
	t.Helper()
	through, n, passErr := feed(chunkedBody(false), bytes, size, false)
	taken, m, dataErr := feed(chunkedBody(false), bytes, size, true)
	if n != m || fmt.Sprint(passErr) != fmt.Sprint(dataErr) {
		t.Fatalf("in portions of %d: Pass says %d, %v, Data says %d, %v", size, n, passErr, m, dataErr)
	}
	if bad != "" {
		if kindOf(t, dataErr) != BadChunk || !strings.Contains(dataErr.Error(), bad) {
			t.Fatalf("in portions of %d: got error %v, want %q", size, dataErr, bad)
		}
		return
	}
	if dataErr != nil || taken != want || bytes[m:] != rest || through != passed {
		t.Fatalf("in portions of %d: got %q and %q is left, %v; want %q and %q", size, taken, bytes[m:], dataErr, want, rest)
	}
}

// feed gives p to a body in portions and returns what it passed on, how much it took, and how it ended:
// with an error of its own or of End.
func feed(b Body, p string, size int, data bool) (out string, n int, err error) {
	for held := 0; n+held < len(p) && !b.Done(); {
		portion := []byte(p[n:min(n+held+size, len(p))])
		var took int
		if data {
			var chunk []byte
			chunk, took, err = b.Data(nil, portion)
			out += string(chunk)
		} else {
			var passed []byte
			passed, took, err = b.Pass(portion)
			out += string(passed)
		}
		if n += took; err != nil {
			return out, n, err
		}
		held = len(portion) - took
	}
	return out, n, b.End()
}

func TestBodyEnds(t *testing.T) {
	for _, test := range []struct {
		name  string
		body  Body
		bytes string
		taken int
		done  bool
		end   error
	}{
		{"no body", Body{}, "GET", 0, true, nil},
		{"length 0", lengthBody(0), "GET", 0, true, nil},
		{"length", lengthBody(3), "abcGET", 3, true, nil},
		{"length, too little", lengthBody(7), "abcdef", 6, false, ErrTruncated},
		{"chunked, too little", chunkedBody(false), "3\r\nabc", 6, false, ErrTruncated},
		{"chunked without the last line", chunkedBody(false), "0\r\n", 3, false, ErrTruncated},
		{"chunked", chunkedBody(false), "0\r\n\r\nGET", 5, true, nil},
		{"until close", Body{framing: UntilClose}, "anything", 8, false, nil},
		{"tunnel", Tunnel(), "anything", 8, false, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, n, err := test.body.Pass([]byte(test.bytes))
			if n != test.taken || err != nil || test.body.Done() != test.done {
				t.Errorf("took %d, %v, done %v; want %d, done %v", n, err, test.body.Done(), test.taken, test.done)
			}
			if err := test.body.End(); !errors.Is(err, test.end) {
				t.Errorf("closing here gives %v, want %v", err, test.end)
			}
			if test.done {
				if _, n, err := test.body.Pass([]byte("more")); n != 0 || err != nil {
					t.Errorf("a body that is over takes %d more bytes, %v", n, err)
				}
			}
		})
	}
}

func TestBodyThatFailedGoesOnFailing(t *testing.T) {
	b := chunkedBody(false)
	if _, n, err := b.Pass([]byte("5\r\nhelloX")); n != 8 || err == nil {
		t.Fatalf("got %d, %v, want the fault after 8 bytes", n, err)
	}
	if _, n, err := b.Pass([]byte("\r\n0\r\n\r\n")); n != 0 || kindOf(t, err) != BadChunk {
		t.Errorf("got %d, %v, want it to refuse all that follows", n, err)
	}
	if b.Done() || b.End() != ErrTruncated {
		t.Errorf("a body that failed is not over")
	}
}

func TestChunkOverheadIsBounded(t *testing.T) {
	within := ";" + strings.Repeat("x", maxSurplus-1)
	for _, test := range []struct {
		name, bytes string
		bad         bool
	}{
		{"one extension of the limit", "1" + within + "\r\na\r\n0\r\n\r\n", false},
		{"one extension over the limit", "1" + within + "x\r\na\r\n0\r\n\r\n", true},
		{"many small extensions", strings.Repeat("1;xx\r\na\r\n", maxSurplus) + "0\r\n\r\n", true},
		{"many small extensions with payload to match", strings.Repeat("3;xx\r\nabc\r\n", maxSurplus) + "0\r\n\r\n", false},
		{"many small chunks", strings.Repeat("1\r\na\r\n", maxSurplus) + "0\r\n\r\n", false},
		{"trailer of the limit", "0\r\nA:" + strings.Repeat("x", maxTrailer-6) + "\r\n\r\n", false},
		{"trailer over the limit", "0\r\nA:" + strings.Repeat("x", maxTrailer-5) + "\r\n\r\n", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := chunkedBody(false)
			_, n, err := b.Pass([]byte(test.bytes))
			if (err != nil) != test.bad || !test.bad && n != len(test.bytes) {
				t.Errorf("took %d of %d bytes, %v", n, len(test.bytes), err)
			}
		})
	}
}

func TestDataInPlace(t *testing.T) {
	b := chunkedBody(false)
	p := []byte("5\r\nhello\r\n6\r\n world\r\n0\r\nA: b\r\n\r\nrest")
	out, n, err := b.Data(p[:0], p)
	if string(out) != "hello world" || string(p[n:]) != "rest" || err != nil {
		t.Errorf("got %q, %q is left, %v", out, p[n:], err)
	}
}

func TestTunnelIsTransparent(t *testing.T) {
	b := Tunnel()
	out, n, err := b.Data([]byte("> "), []byte("0\r\n\r\n"))
	if string(out) != "> 0\r\n\r\n" || n != 5 || err != nil || b.Framing() != UntilClose || b.Length() != -1 {
		t.Errorf("got %q, %d, %v, framing %d, length %d", out, n, err, b.Framing(), b.Length())
	}
}
