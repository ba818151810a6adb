package reqmod

import (
	"bytes"
	"strings"
	"testing"
)

// answers are what helpers write, whole.
var answers = []string{
	"ICAP/1.0 204 OK\n\n",
	"ICAP/1.0 204\r\n\r\n",
	"ICAP/1.0 204 No Content\r\nEncapsulated: null-body=0\r\n\r\n",
	"ICAP/1.0 204 No Content\nEncapsulated: res-hdr=0, null-body=5\n\nGET \n",
	"ICAP/1.0 200 OK\nISTag: x\nEncapsulated: req-hdr=0, null-body=18\n\nGET / HTTP/1.1\r\n\r\n",
	"ICAP/1.0 200 OK\nencapsulated:req-hdr=0,null-body=0\n \n",
	"ICAP/1.0 200 OK\nEncapsulated: res-hdr=0, res-body=17\n\nHTTP/1.1 200 OK\n\n5\nhello0\n",
	"ICAP/1.0 200 OK\nEncapsulated: res-hdr=0, res-body=17\n\nHTTP/1.1 200 OK\n\n5;x\r\nhello\r\nA\r\n0123456789\r\n0\r\n",
	"ICAP/1.0 200 OK\nEncapsulated: res-body=0\n\n0\n",
}

func TestLength(t *testing.T) {
	for _, whole := range answers {
		for n := range len(whole) {
			if got, err := (Framing{}).Length([]byte(whole[:n])); got != 0 || err != nil {
				t.Errorf("the first %d bytes of %q are %d long, %v", n, whole, got, err)
			}
		}
		for _, more := range []string{"", "\r\n", "ICAP/1.0 204 OK\n\n", "junk"} {
			if got, err := (Framing{}).Length([]byte(whole + more)); got != len(whole) || err != nil {
				t.Errorf("%q, with %q behind it, is %d long (%v), want %d", whole, more, got, err, len(whole))
			}
		}
	}
}

// TestNoAnswer has what is no answer seen as soon as it is certain, and at the latest when it cannot be one any more.
func TestNoAnswer(t *testing.T) {
	for _, row := range []struct {
		text string
		want error
	}{
		{"HTTP", errFirstLine},
		{"\nICAP/1.0 204 OK\n\n", errFirstLine},
		{"ICAP/1.1 204 OK\n\n", errFirstLine},
		{"ICAP/1.0 2O4 OK\n\n", errFirstLine},
		{"ICAP/1.0 2040 OK\n\n", errFirstLine},
		{"ICAP/1.0  \n\n", errFirstLine},
		{"ICAP/1.0 204 " + strings.Repeat("x", mostHead), errHead},
		{"ICAP/1.0 200 OK\nnothing\n\n", errField},
		{"ICAP/1.0 200 OK\nEncapsulated: \n\n", errParts},
		{"ICAP/1.0 200 OK\nEncapsulated: req-hdr=0, null-body\n\n", errParts},
		{"ICAP/1.0 200 OK\nEncapsulated: req-hdr=0, null-body=-1\n\n", errParts},
		{"ICAP/1.0 200 OK\nEncapsulated: req-hdr=0, null-body=1048577\n\n", errParts},
		{"ICAP/1.0 200 OK\nEncapsulated: req-hdr=4, null-body=8\n\n", errParts},
		{"ICAP/1.0 200 OK\nEncapsulated: req-hdr=0, res-hdr=9, null-body=8\n\n", errParts},
		{"ICAP/1.0 200 OK\nEncapsulated: null-body=0\nEncapsulated: null-body=9\n\n", errParts},
		{"ICAP/1.0 200 OK\nEncapsulated: " + strings.Repeat("a=0,", mostParts) + "a=0\n\n", errParts},
		{"ICAP/1.0 200 OK\nEncapsulated: res-body=0\n\n\n", errChunk},
		{"ICAP/1.0 200 OK\nEncapsulated: res-body=0\n\nx\n", errChunk},
		{"ICAP/1.0 200 OK\nEncapsulated: res-body=0\n\n-1\n", errChunk},
		{"ICAP/1.0 200 OK\nEncapsulated: res-body=0\n\n100001\n", errChunk},
		{"ICAP/1.0 200 OK\nEncapsulated: res-body=0\n\n" + strings.Repeat("0", mostSize), errChunk},
		{"ICAP/1.0 200 OK\nEncapsulated: res-body=0\n\n" + strings.Repeat("1\na\n", mostChunks) + "0\n", errChunk},
	} {
		if n, err := (Framing{}).Length([]byte(row.text)); err != row.want || n != 0 {
			t.Errorf("%.100q: %d, %v; want %v", row.text, n, err, row.want)
		}
	}
}

// FuzzLength has an answer be the same however much of what follows is there, and its parts be within it.
func FuzzLength(f *testing.F) {
	for _, whole := range answers {
		f.Add([]byte(whole), []byte("ICAP/1.0 200 OK"))
	}
	f.Fuzz(func(t *testing.T, b, more []byte) {
		m, n, err := split(b)
		if n < 0 || n > len(b) || n > 0 && err != nil {
			t.Fatalf("%d of %d bytes, %v", n, len(b), err)
		}
		all := append(bytes.Clone(b), more...)
		_, again, errAgain := split(all)
		switch {
		case n > 0 && (again != n || errAgain != nil):
			t.Fatalf("%d bytes, and with more behind them %d, %v", n, again, errAgain)
		case err != nil && errAgain == nil:
			t.Fatalf("it is no answer (%v), and with more behind it it is", err)
		}
		if n == 0 {
			return
		}
		for size := range n {
			if early, err := (Framing{}).Length(b[:size]); early != 0 || err != nil {
				t.Fatalf("of %d bytes the first %d are %d long, %v", n, size, early, err)
			}
		}
		for _, p := range m.parts {
			m.part(p.name)
		}
	})
}
