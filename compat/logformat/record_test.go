package logformat

import (
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"exaproxy/engine"
	"exaproxy/engine/h1"
)

func TestMain(m *testing.M) {
	time.Local = time.UTC // the recordings were made in that zone
	os.Exit(m.Run())
}

// request parses a request head whose lines are given without line ends.
func request(t testing.TB, lines ...string) *engine.Request {
	t.Helper()
	r := &engine.Request{}
	head := strings.Join(lines, "\r\n") + "\r\n\r\n"
	if _, err := h1.ParseRequest([]byte(head), &r.Request, h1.Limits{Relaxed: true}); err != nil {
		t.Logf("the request %q is not well-formed: %v", lines[0], err)
	}
	r.Client = netip.MustParseAddrPort("127.0.0.1:44202")
	r.Local = netip.MustParseAddrPort("127.0.0.1:21128")
	return r
}

// fetched is the record of an ordinary GET.
func fetched(t testing.TB, lines ...string) *engine.Record {
	if len(lines) == 0 {
		lines = []string{"GET http://origin.test:21080/ka1?x=1 HTTP/1.1", "Host: origin.test:21080", "User-Agent: lab"}
	}
	return &engine.Record{
		Request: request(t, lines...), Ended: time.UnixMicro(1795341430605123), Took: 3456 * time.Microsecond,
		Forwarded: true, Status: 200, ContentType: []byte("text/plain; charset=utf-8"),
		ReplyHead: []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-A: 1\r\nx-a:2 \r\n\r\n"),
		In:        143, Out: 269, UpstreamIn: 100,
		Hierarchy: "HIER_DIRECT", Upstream: netip.MustParseAddrPort("192.0.2.7:21080"),
		Outgoing: netip.MustParseAddrPort("192.0.2.1:60196"),
	}
}

// line compiles a format and appends the record with it.
func line(t testing.TB, format string, rec *engine.Record) string {
	t.Helper()
	f, err := Compile(format)
	if err != nil {
		t.Fatalf("the format %q should compile: %v", format, err)
	}
	return string(f.Append(nil, rec))
}
