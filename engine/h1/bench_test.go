package h1

import (
	"bytes"
	"strings"
	"testing"

	"exaproxy/engine/canary/canarytest"
)

func BenchmarkParseRequest(b *testing.B) {
	head := load(b, "requests", requests)["browser-get"]
	var r Request
	b.SetBytes(int64(len(head)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseRequest(head, &r, relaxed); err != nil {
			b.Fatal(err)
		}
		if _, err := RequestBody(&r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseReply(b *testing.B) {
	head := load(b, "replies", replies)["length"]
	var r Reply
	b.SetBytes(int64(len(head)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseReply(head, &r, relaxed); err != nil {
			b.Fatal(err)
		}
		if _, err := ReplyBody("GET", &r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkForwardHead(b *testing.B) {
	head := load(b, "requests", requests)["browser-get"]
	var r Request
	var passed Header
	var out []byte
	if _, err := ParseRequest(head, &r, relaxed); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		passed.CopyFrom(&r.Header)
		RemoveHopByHop(&passed)
		passed.Set("Host", r.Target.Host)
		out = AppendRequestLine(out[:0], r.Method, r.Target.Path)
		out = passed.AppendTo(out)
	}
}

func BenchmarkPassChunked(b *testing.B) {
	var stream []byte
	for range 4 {
		stream = appendChunk(stream, bytes.Repeat([]byte("x"), 4096))
	}
	body := chunkedBody(false)
	b.SetBytes(int64(len(stream)))
	b.ReportAllocs()
	for b.Loop() {
		if out, n, err := body.Pass(stream); n != len(stream) || len(out) != n || err != nil {
			b.Fatal(n, err)
		}
	}
}

func BenchmarkDataChunked(b *testing.B) {
	stream := appendChunk(nil, bytes.Repeat([]byte("x"), 16000))
	out := make([]byte, 0, 16<<10)
	body := chunkedBody(false)
	b.SetBytes(int64(len(stream)))
	b.ReportAllocs()
	for b.Loop() {
		if _, n, err := body.Data(out, stream); n != len(stream) || err != nil {
			b.Fatal(n, err)
		}
	}
}

// BenchmarkHeadByteByByte is the worst a client can do to a parser without memory.
func BenchmarkHeadByteByByte(b *testing.B) {
	head := []byte("GET http://a.example/ HTTP/1.1\r\n" + strings.Repeat("X: y\r\n", 450) +
		"Cookie: " + strings.Repeat("x", 60<<10) + "\r\n\r\n")
	var r Request
	for b.Loop() {
		for n := range head {
			if _, err := ParseRequest(head[:n], &r, relaxed); err != ErrShort {
				b.Fatal(n, err)
			}
		}
		if _, err := ParseRequest(head, &r, relaxed); err != nil {
			b.Fatal(err)
		}
	}
}

func TestCommonMethodsAreNotAllocated(t *testing.T) {
	for _, method := range []string{"GET", "POST", "CONNECT", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "REPORT", "PURGE"} {
		head := []byte(method + " a.example:443 HTTP/1.1\r\n\r\n")
		if method != "CONNECT" {
			head = []byte(method + " /x HTTP/1.1\r\n\r\n")
		}
		var r Request
		allocs := testing.AllocsPerRun(10, func() { ParseRequest(head, &r, relaxed) })
		if allocs != 0 || r.Method != method {
			t.Errorf("%s is read as %q with %v allocations", method, r.Method, allocs)
		}
	}
}

func TestNothingIsAllocatedForOrdinaryMessages(t *testing.T) {
	canarytest.SkipReuse(t)
	get := load(t, "requests", requests)["browser-get"]
	odd := []byte("GET http://A.EXAMPLE?q r HTTP/1.1\r\nHost: a\r\n\r\n")
	reply := load(t, "replies", replies)["folded"]
	chunks := []byte("5\r\nhello\r\n0\r\n\r\n")
	var r Request
	var p Reply
	out := make([]byte, 0, 4096)
	allocs := testing.AllocsPerRun(100, func() {
		ParseRequest(get, &r, relaxed)
		out = r.Target.AppendURL(out[:0])
		RequestBody(&r)
		RemoveHopByHop(&r.Header)
		r.Header.Set("Host", r.Target.Host)
		r.Header.Add("Via", get[:3])
		out = r.Header.AppendTo(AppendRequestLine(out[:0], r.Method, r.Target.Path))
		ParseRequest(odd, &r, relaxed)
		ParseReply(reply, &p, relaxed)
		ReplyBody("GET", &p)
		out = p.Header.AppendTo(AppendStatusLine(out[:0], p.Status, ""))
		b := chunkedBody(false)
		out, _, _ = b.Data(out[:0], chunks)
	})
	if allocs != 0 {
		t.Errorf("%v allocations for messages of kinds seen before, want none", allocs)
	}
}
