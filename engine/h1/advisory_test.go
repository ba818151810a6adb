package h1

import (
	"strings"
	"testing"
)

// TestAdvisoryTinyChunks counts the work that a million chunks of a byte each are, however they arrive: the bytes that are looked
// at again since a chunk's size was not complete. SQUID-2024:1 is that each chunk of a piece costs a stack frame.
func TestAdvisoryTinyChunks(t *testing.T) {
	for what, row := range map[string]struct {
		chunk string
		count int
		again int // at most, for each byte
	}{
		"as small as can be": {"1\r\nx\r\n", 1_000_000, 1},
		"with leading zeros": {strings.Repeat("0", maxSizeToken-1) + "1\r\nx\r\n", 50_000, maxSizeToken},
	} {
		for _, piece := range []int{1, 2, 3, 7, 4096, 1 << 30} {
			count := row.count
			if piece < 100 {
				count /= 20
			}
			all := strings.Repeat(row.chunk, count) + "0\r\n\r\n"
			body, offered := chunkedBody(false), 0
			var in, payload []byte
			for came := 0; came < len(all) && !body.Done(); {
				next := min(came+piece, len(all))
				in = append(in, all[came:next]...)
				came = next
				offered += len(in)
				_, n, err := body.Data(payload[:0], in)
				if err != nil {
					t.Fatalf("%s, in pieces of %d: %v", what, piece, err)
				}
				in = in[:copy(in, in[n:])]
			}
			if !body.Done() || body.Payload() != int64(count) {
				t.Errorf("%s, in pieces of %d: done %v, %d bytes", what, piece, body.Done(), body.Payload())
			}
			if most := len(all) * (1 + row.again); offered > most {
				t.Errorf("%s, in pieces of %d: %d bytes are looked at for %d", what, piece, offered, len(all))
			}
		}
	}
}

// TestAdvisoryNoFaultTellsCredentials has requests with credentials be refused for each part of their head. What is said of it stands
// on the page.
func TestAdvisoryNoFaultTellsCredentials(t *testing.T) {
	const line, host = "GET http://joe:SECRET@a.test/ HTTP/1.1\r\n", "Host: a.test\r\n"
	for _, head := range []string{
		"get http://joe:SECRET@a.test/ HTTP/1.1\r\n" + host, "G(T http://joe:SECRET@a.test/ HTTP/1.1\r\n" + host,
		"GET http://joe:SECRET@a.test/\r\n", "POST http://joe:SECRET@a.test/\r\n", "GET http://joe:SECRET@a.test/HTTP/1.1\r\n",
		"GET http://joe:SECRET@a.test/ HTTP/1.1 \r\n" + host, "GET http://joe:SECRET@a.test/ HTTP/2.0\r\n" + host,
		"GET  http://joe:SECRET@a.test/ HTTP/1.1\r\n" + host, "GET http://joe:SECRET@a.test/\x01 HTTP/1.1\r\n" + host,
		"GET http://joe:SECRET@a.test/<> HTTP/1.1\r\n" + host, "GET http://joe:SECRET@a.test:0/ HTTP/1.1\r\n" + host,
		"GET http://joe:SECRET@a.test/ HTTP/1.1\n" + host, "CONNECT joe:SECRET@a.test:443 HTTP/1.1\r\n" + host,
		"GET foo://joe:SECRET@a.test/ HTTP/1.1\r\n" + host, "GET joe:SECRET@a.test/ HTTP/1.1\r\n" + host, "GET http://joe:SECRET@[a]/ HTTP/1.1\r\n" + host,
		line, line + host + host, line + "Host: joe:SECRET@a.test\r\n", line + host + "Cookie : SECRET\r\n", line + host + "Cookie: SECRET\x00\r\n",
		line + host + "Cookie: SECRET\r\n more\r\n", line + host + " Cookie: SECRET\r\n", line + host + "Cookie: SECRET\n", line + host + "Co(kie: SECRET\r\n",
		line + host + "Cookie: SECRET\r\nContent-Length: x\r\n", line + host + "Cookie: SECRET\r\nTransfer-Encoding: x\r\n",
	} {
		for _, relaxed := range []bool{true, false} {
			var r Request
			_, err := ParseRequest([]byte(head+"\r\n"), &r, Limits{Relaxed: relaxed})
			if err == nil {
				_, err = RequestBody(&r)
			}
			if err == nil {
				err = r.Conforms()
			}
			if err != nil && strings.Contains(err.Error(), "SECRET") {
				t.Errorf("%q, relaxed %v: %v", head, relaxed, err)
			}
		}
	}
}
