package h1

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

var statusLines = []struct {
	name, line string
	want       string // version, status, reason
	kind       ErrorKind
	strict     ErrorKind
}{
	{name: "plain", line: "HTTP/1.1 200 OK\r\n", want: "1.1 200 OK"},
	{name: "version 1.0", line: "HTTP/1.0 404 Not Found\r\n", want: "1.0 404 Not Found"},
	{name: "reason of our own", line: "HTTP/1.1 299 Ja, schön  so\r\n", want: "1.1 299 Ja, schön  so"},
	{name: "empty reason", line: "HTTP/1.1 200 \r\n", want: "1.1 200 "},
	{name: "no reason", line: "HTTP/1.1 200\r\n", want: "1.1 200 "},
	{name: "status 999", line: "HTTP/1.1 999 Request denied\r\n", want: "1.1 999 Request denied"},
	{name: "bare LF", line: "HTTP/1.1 200 OK\n", want: "1.1 200 OK", strict: BadStatusLine},
	{name: "two spaces", line: "HTTP/1.1  200 OK\r\n", want: "1.1 200 OK", strict: BadStatusLine},

	{name: "no status", line: "HTTP/1.1\r\n", kind: BadStatusLine},
	{name: "status in words", line: "HTTP/1.1 OK\r\n", kind: BadStatusLine},
	{name: "no space after the status", line: "HTTP/1.1 200OK\r\n", kind: BadStatusLine},
	{name: "two digits", line: "HTTP/1.1 20 OK\r\n", kind: BadStatusLine},
	{name: "four digits", line: "HTTP/1.1 2000 OK\r\n", kind: BadStatusLine},
	{name: "below 100", line: "HTTP/1.1 099 OK\r\n", kind: BadStatusLine},
	{name: "sign", line: "HTTP/1.1 +20 OK\r\n", kind: BadStatusLine},
	{name: "tab after the version", line: "HTTP/1.1\t200 OK\r\n", kind: BadVersion},
	{name: "CR in the reason", line: "HTTP/1.1 200 O\rK\r\n", kind: BadStatusLine},
	{name: "NUL in the reason", line: "HTTP/1.1 200 O\x00K\r\n", kind: BadStatusLine},
	{name: "version 2.0", line: "HTTP/2.0 200 OK\r\n", kind: BadVersion},
	{name: "version 1.10", line: "HTTP/1.10 200 OK\r\n", kind: BadVersion},
	{name: "version 0.9", line: "HTTP/0.9 200 OK\r\n", kind: BadVersion},
}

func TestStatusLine(t *testing.T) {
	for _, test := range statusLines {
		t.Run(test.name, func(t *testing.T) {
			var r Reply
			for _, lim := range []Limits{relaxed, {}} {
				want := test.kind
				if test.strict != 0 && !lim.Relaxed {
					want = test.strict
				}
				n, err := ParseReply([]byte(test.line+"\r\n"), &r, lim)
				if kind := kindOf(t, err); kind != want {
					t.Fatalf("relaxed %v: got error %v, want kind %v", lim.Relaxed, err, want)
				}
				if err != nil {
					continue
				}
				if got := fmt.Sprintf("%d.%d %d %s", r.Major, r.Minor, r.Status, r.Reason); got != test.want || n != len(test.line)+2 {
					t.Errorf("relaxed %v: got %q and %d bytes, want %q and %d", lim.Relaxed, got, n, test.want, len(test.line)+2)
				}
			}
		})
	}
}

// A reply of Shoutcast is read where that is accepted, and has the same first line for the client.
func TestReplyOfShoutcast(t *testing.T) {
	lim := Limits{Relaxed: true, ICY: true}
	for _, test := range []struct {
		bytes, want string
		err         error
		kind        ErrorKind
	}{
		{bytes: "ICY 200 Fine\r\nicy-name: a\r\n\r\nmusic", want: "ICY 200 OK\r\n"},
		{bytes: "ICY 404\n\n", want: "ICY 404 Not Found\r\n"},
		{bytes: "HTTP/1.1 200 OK\r\n\r\n", want: "HTTP/1.1 200 OK\r\n"},
		{bytes: "I", err: ErrShort},
		{bytes: "ICY ", err: ErrShort},
		{bytes: "ICY/1.0 200 OK\r\n\r\n", err: ErrNotHTTP},
		{bytes: "icy 200 OK\r\n\r\n", err: ErrNotHTTP},
		{bytes: "ICY  200 OK\r\n\r\n", kind: BadStatusLine},
		{bytes: "ICY x\r\n\r\n", kind: BadStatusLine},
		{bytes: "ICY 200 OK\r\nno field\r\n\r\n", kind: BadField},
	} {
		var r Reply
		_, err := ParseReply([]byte(test.bytes), &r, lim)
		switch {
		case test.kind != 0:
			if kindOf(t, err) != test.kind {
				t.Errorf("%q: got %v, want a bad %v", test.bytes, err, test.kind)
			}
		case err != test.err:
			t.Errorf("%q: got %v, want %v", test.bytes, err, test.err)
		case err == nil && string(r.AppendStatusLine(nil)) != test.want:
			t.Errorf("%q: the client is told %q", test.bytes, r.AppendStatusLine(nil))
		}
	}
}

func TestReplyThatIsNotHTTP(t *testing.T) {
	for _, test := range []struct {
		name, bytes string
		err         error
	}{
		{"nothing", "", ErrShort},
		{"one letter", "H", ErrShort},
		{"the name", "HTTP/", ErrShort},
		{"half a line", "HTTP/1.1 200", ErrShort},
		{"small letters", "http/1.1 200 OK\r\n\r\n", ErrNotHTTP},
		{"text", "hello", ErrNotHTTP},
		{"one wrong letter", "x", ErrNotHTTP},
		{"wrong at the end of the name", "HTTPS", ErrNotHTTP},
		{"another protocol", "ICY 200 OK\r\n\r\n", ErrNotHTTP},
		{"empty line first", "\r\nHTTP/1.1 200 OK\r\n\r\n", ErrNotHTTP},
		{"space first", " HTTP/1.1 200 OK\r\n\r\n", ErrNotHTTP},
	} {
		t.Run(test.name, func(t *testing.T) {
			var r Reply
			if _, err := ParseReply([]byte(test.bytes), &r, relaxed); !errors.Is(err, test.err) {
				t.Errorf("got %v, want %v", err, test.err)
			}
		})
	}
}

func TestReplyFields(t *testing.T) {
	for _, test := range []struct {
		name, fields string
		want         string
		kind         ErrorKind
	}{
		{name: "two", fields: "A: b\r\nC:d\r\n", want: "A: b\r\nC: d\r\n"},
		{name: "space before the colon", fields: "A \t: b\r\n", want: "A: b\r\n"},
		{name: "folded", fields: "A: b\r\n c\r\n\td\r\nE: f\r\n", want: "A: b c d\r\nE: f\r\n"},
		{name: "folded twice over", fields: "A: b\r\n c\r\nD: e\r\n   f  \r\n", want: "A: b c\r\nD: e f\r\n"},
		{name: "folded from nothing", fields: "A:\r\n b\r\n", want: "A: b\r\n"},
		{name: "folded to nothing", fields: "A: b\r\n \r\n", want: "A: b\r\n"},
		{name: "folded with bare LF", fields: "A: b\n c\n", want: "A: b c\r\n"},
		{name: "space before the first field", fields: " A: b\r\n", kind: BadField},
		{name: "space in the name", fields: "A B : c\r\n", kind: BadField},
		{name: "no name but a space", fields: " : c\r\n", kind: BadField},
		{name: "no colon", fields: "nonsense\r\n", kind: BadField},
		{name: "CR in a fold", fields: "A: b\r\n c\rd\r\n", kind: BadField},
		{name: "NUL in a fold", fields: "A: b\r\n c\x00\r\n", kind: BadField},
		{name: "CR before a fold", fields: "A: b\r\r\n c\r\n", kind: BadField},
	} {
		t.Run(test.name, func(t *testing.T) {
			head := "HTTP/1.1 200 OK\r\n" + test.fields + "\r\n"
			var r Reply
			n, err := ParseReply([]byte(head+"body"), &r, relaxed)
			if kind := kindOf(t, err); kind != test.kind {
				t.Fatalf("got error %v, want kind %v", err, test.kind)
			}
			if err == nil && (string(r.Header.AppendTo(nil)) != test.want || n != len(head)) {
				t.Errorf("got %q and %d bytes, want %q and %d", r.Header.AppendTo(nil), n, test.want, len(head))
			}
		})
	}
	var r Reply
	if _, err := ParseReply([]byte("HTTP/1.1 200 OK\r\nA: b\r\n c\n\r\n"), &r, Limits{}); kindOf(t, err) != BadField {
		t.Errorf("a bare LF in a fold, when strict: got %v", err)
	}
}

func TestReplyTooLarge(t *testing.T) {
	head := "HTTP/1.1 200 OK\r\nA: " + strings.Repeat("x", 100) + "\r\n\r\n"
	var r Reply
	if n, err := ParseReply([]byte(head+"body"), &r, Limits{Head: len(head)}); n != len(head) || err != nil {
		t.Errorf("a head of just the limit is allowed: %d, %v", n, err)
	}
	for _, cut := range []int{len(head), len(head) - 1} {
		if _, err := ParseReply([]byte(head[:cut]), &r, Limits{Head: len(head) - 1}); err != ErrTooLarge {
			t.Errorf("%d bytes of a head one byte over the limit: got %v, want too large", cut, err)
		}
	}
	if _, err := ParseReply([]byte("HT"), &r, Limits{Head: 2}); err != ErrShort {
		t.Errorf("what may yet turn out not to be HTTP is not too large: got %v", err)
	}
	if _, err := ParseReply([]byte(head), &r, Limits{Head: 10}); err != ErrTooLarge {
		t.Errorf("a status line over the limit: got %v, want too large", err)
	}
}

func TestReplyIsReused(t *testing.T) {
	var r Reply
	for _, head := range []string{"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nD: e\r\n\r\n", "HTTP/1.0 404 No\r\nF: g\r\n h\r\n\r\n"} {
		if _, err := ParseReply([]byte(head), &r, relaxed); err != nil {
			t.Fatal(err)
		}
	}
	got := fmt.Sprintf("%d.%d %d %s %q", r.Major, r.Minor, r.Status, r.Reason, r.Header.AppendTo(nil))
	if want := `1.0 404 No "F: g h\r\n"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
