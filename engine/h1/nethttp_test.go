package h1

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// A message is what the two parsers have in common.
type message struct {
	version string
	header  *Header
	body    Body
	head    int    // bytes of the head
	line    string // a first line that says the same and that net/http takes
	method  string
	reply   bool
	status  int
}

func asRequest(_ string, b []byte, lim Limits) (message, error) {
	var r Request
	n, err := ParseRequest(b, &r, lim)
	if err != nil {
		return message{}, err
	}
	body, err := RequestBody(&r)
	// The target stands aside: net/http reads URLs as Go's net/url does, see FuzzTarget.
	line := fmt.Sprintf("%s / HTTP/%d.%d\r\n", r.Method, r.Major, r.Minor)
	return message{header: &r.Header, body: body, head: n, line: line, method: r.Method, version: fmt.Sprintf("%d.%d", r.Major, r.Minor)}, err
}

func asReply(method string, b []byte, lim Limits) (message, error) {
	var r Reply
	n, err := ParseReply(b, &r, lim)
	if err != nil {
		return message{}, err
	}
	body, err := ReplyBody(method, &r)
	line := fmt.Sprintf("HTTP/%d.%d %d x\r\n", r.Major, r.Minor, r.Status)
	return message{header: &r.Header, body: body, head: n, line: line, method: method, reply: true, status: r.Status, version: fmt.Sprintf("%d.%d", r.Major, r.Minor)}, err
}

// sameForNetHTTP is the differential test: a message that we take, with its body complete, is read by
// net/http with the same body and the same end, both as it came and as we would pass it on.
func sameForNetHTTP(t *testing.T, as func(method string, b []byte, lim Limits) (message, error), method string, b []byte, lim Limits) {
	t.Helper()
	m, err := as(method, b, lim)
	if err != nil || m.version == "0.9" {
		return
	}
	if m.reply && method == "CONNECT" && m.status < 300 {
		return // http.ReadResponse gives success for CONNECT a body; it leaves that case to http.Transport
	}
	body := m.body
	payload, n, err := body.Data(nil, b[m.head:])
	if err != nil || body.End() != nil {
		return
	}
	raw := b[m.head : m.head+n]
	fields := m.header.AppendTo(nil)
	why := m.otherwise(fields)
	if m.body.Declare(m.header); !m.reply {
		m.header.Set("Host", []byte("a.example"))
	}
	passed := strings.ReplaceAll(m.line, "HTTP/1."+m.version[2:], "HTTP/1.1") + string(m.header.AppendTo(nil)) + "\r\n" + string(raw)
	if why == "" {
		m.read(t, "as it came", m.line+string(fields)+"\r\n"+string(raw), payload)
	}
	if !controls(fields) {
		m.read(t, "as passed on", passed, payload)
	}
}

// otherwise names the known differences: why net/http refuses, or reads in another way, what we take.
func (m *message) otherwise(fields []byte) (why string) {
	switch {
	case m.header.Count("Host") > 1:
		return "net/http refuses a second Host; Squid does not, and replaces both"
	case controls(fields):
		return "net/http refuses control characters in values, which Squid passes"
	case bytes.Contains(m.header.Get("Content-Length"), []byte{','}):
		return "net/http does not collapse a list of equal lengths in one field"
	case m.reply && m.header.HasToken("Transfer-Encoding", "identity"):
		return "net/http refuses identity, a transfer coding until RFC 7230"
	case m.reply && m.version == "1.0" && m.header.Has("Transfer-Encoding"):
		return "net/http overlooks Transfer-Encoding in HTTP/1.0; we do as RFC 9112 section 6.1 and Squid, and close"
	case m.header.Count("Transfer-Encoding") > 1:
		return "net/http refuses a second Transfer-Encoding even where there is no body"
	case m.reply && m.body.Framing() == NoBody && m.header.Has("Transfer-Encoding"):
		return "net/http refuses unknown codings even where there is no body"
	}
	return ""
}

func controls(fields []byte) bool {
	for _, c := range fields {
		if is(c, ctlChar) && c != '\t' && c != '\r' && c != '\n' {
			return true
		}
	}
	return false
}

// read fails unless net/http reads wire as one message with this payload and nothing left.
func (m *message) read(t *testing.T, how, wire string, payload []byte) {
	t.Helper()
	const marker = "NEXT"
	r := bufio.NewReaderSize(strings.NewReader(wire+marker), 1<<17)
	got, err := m.readBody(r)
	if err != nil {
		t.Fatalf("%s, net/http refuses %q: %v", how, wire, err)
	}
	rest, _ := io.ReadAll(r)
	if m.body.Framing() == UntilClose {
		got, _ = bytes.CutSuffix(got, []byte(marker))
		rest = []byte(marker)
	}
	if string(got) != string(payload) || string(rest) != marker {
		t.Fatalf("%s, net/http reads %q with body %q and %q to follow; we read body %q", how, wire, got, rest, payload)
	}
}

func (m *message) readBody(r *bufio.Reader) ([]byte, error) {
	if !m.reply {
		req, err := http.ReadRequest(r)
		if err != nil {
			return nil, err
		}
		return io.ReadAll(req.Body)
	}
	resp, err := http.ReadResponse(r, &http.Request{Method: m.method})
	if err != nil {
		return nil, err
	}
	return io.ReadAll(resp.Body)
}

func TestNetHTTPReadsTheSame(t *testing.T) {
	for name, b := range load(t, "requests", requests) {
		t.Run("request "+name, func(t *testing.T) { sameForNetHTTP(t, asRequest, "", b, relaxed) })
	}
	for name, b := range load(t, "replies", replies) {
		t.Run("reply "+name, func(t *testing.T) { sameForNetHTTP(t, asReply, methodFor(name), b, relaxed) })
	}
}
