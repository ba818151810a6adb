package errpage

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"exaproxy/engine"
	"exaproxy/engine/h1"
)

var proxy = &Identity{Product: "squid/5.7", Host: "proxy.test", Port: 41128, Via: "1.1 proxy.test (squid/5.7)"}

// lf makes fields easier to read.
func lf(fields []byte) string { return strings.ReplaceAll(string(fields), "\r\n", "\n") }

// Heads as a Squid 5.7 sent them, without status line and Connection.
func TestFields(t *testing.T) {
	location := []byte("http://block.test/why")
	const server, date = "Server: squid/5.7\n", "Date: Sun, 22 Nov 2026 12:36:11 GMT\n"
	const page = server + "Mime-Version: 1.0\n" + date + "Content-Type: text/html;charset=utf-8\n"
	const denied = "X-Cache: MISS from proxy.test\nX-Cache-Lookup: NONE from proxy.test:41128\nVia: 1.1 proxy.test (squid/5.7)\n"
	const missed = "X-Cache: MISS from proxy.test\nX-Cache-Lookup: MISS from proxy.test:41128\nVia: 1.1 proxy.test (squid/5.7)\n"
	const english = "Vary: Accept-Language\nContent-Language: en\n"
	for _, tt := range []struct {
		name string
		got  []byte
		want string
	}{
		{"denied", proxy.AppendError(nil, &Head{Page: "ERR_ACCESS_DENIED", Length: 3084, Language: "en", Now: noon}),
			page + "Content-Length: 3084\nX-Squid-Error: ERR_ACCESS_DENIED 0\n" + english + denied},
		{"denied with another status", proxy.AppendError(nil, &Head{Page: "404:ERR_ACCESS_DENIED", Length: 3092, Language: "en", Now: noon}),
			page + "Content-Length: 3092\nX-Squid-Error: 404:ERR_ACCESS_DENIED 0\n" + english + denied},
		{"not connected", proxy.AppendError(nil, &Head{Page: "ERR_CONNECT_FAIL", Errno: 111, Length: 3082, Language: "en", Lookup: NotFound, Now: noon}),
			page + "Content-Length: 3082\nX-Squid-Error: ERR_CONNECT_FAIL 111\n" + english + missed},
		{"a tunnel not connected", proxy.AppendError(nil, &Head{Page: "ERR_CONNECT_FAIL", Errno: 111, Length: 3064, Language: "en", Bare: true, Now: noon}),
			page + "Content-Length: 3064\nX-Squid-Error: ERR_CONNECT_FAIL 111\n" + english},
		{"a page from error_directory", proxy.AppendError(nil, &Head{Page: "ERR_TOO_BIG", Length: 3291, Lookup: NotFound, Now: noon}),
			page + "Content-Length: 3291\nX-Squid-Error: ERR_TOO_BIG 0\n" + missed},
		{"denied by a redirect", proxy.AppendDenial(nil, 403, location, noon),
			page + "Content-Length: 0\nLocation: http://block.test/why\nX-Squid-Error: 403 Access Denied\n" + denied},
		{"redirected by a helper", proxy.AppendRedirect(nil, location, NotFound, noon),
			server + date + "Content-Length: 0\nLocation: http://block.test/why\n" + missed},
		{"redirected in a tunnel", proxy.AppendTunnelRedirect(nil, location, 99, NotFound, noon),
			server + date + "Content-Type: text/html;charset=utf-8\nContent-Length: 99\nLocation: http://block.test/why\n" + missed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := lf(tt.got); got != tt.want {
				t.Errorf("the fields should be\n%s, they are\n%s", tt.want, got)
			}
		})
	}
}

func TestFieldsWithoutVia(t *testing.T) {
	quiet := &Identity{Product: "squid", Host: "proxy.test", Port: 3128}
	if got := lf(quiet.AppendRedirect(nil, nil, NotFound, noon)); strings.Contains(got, "Via") || !strings.Contains(got, "Server: squid\n") {
		t.Errorf("with via off there should be no Via, got\n%s", got)
	}
}

func TestName(t *testing.T) {
	syntax := func(k h1.ErrorKind) error { return fmt.Errorf("read request: %w", &h1.SyntaxError{Kind: k}) }
	for _, tt := range []struct {
		name     string
		failure  engine.Failure
		want     string // page, status, errno
		lookedUp bool
	}{
		{"denied", engine.Failure{Kind: engine.Refused}, "ERR_ACCESS_DENIED 403 0", false},
		{"denied with a page", engine.Failure{Kind: engine.Refused, Page: "ERR_MINE"}, "ERR_MINE 403 0", false},
		{"denied with a status", engine.Failure{Kind: engine.Refused, Page: "511:ERR_ACCESS_DENIED"}, "511:ERR_ACCESS_DENIED 511 0", false},
		{"a colon that ends no status", engine.Failure{Kind: engine.Refused, Page: "40x:ERR_MINE"}, "40x:ERR_MINE 403 0", false},
		{"password needed", engine.Failure{Kind: engine.Refused, Page: "ERR_CACHE_ACCESS_DENIED"}, "ERR_CACHE_ACCESS_DENIED 407 0", false},
		{"manager's password needed", engine.Failure{Kind: engine.Refused, Page: "ERR_CACHE_MGR_ACCESS_DENIED"}, "ERR_CACHE_MGR_ACCESS_DENIED 401 0", false},
		{"junk", engine.Failure{Kind: engine.BadRequest, Err: syntax(h1.BadRequestLine)}, "ERR_PROTOCOL_UNKNOWN 400 0", false},
		{"bad URL", engine.Failure{Kind: engine.BadRequest, Err: syntax(h1.BadURL)}, "ERR_INVALID_URL 400 0", false},
		{"bad scheme", engine.Failure{Kind: engine.BadRequest, Err: syntax(h1.UnsupportedScheme)}, "ERR_INVALID_URL 400 0", false},
		{"HTTP/2.0", engine.Failure{Kind: engine.BadRequest, Err: syntax(h1.BadVersion)}, "ERR_UNSUP_HTTPVERSION 505 0", false},
		{"bad field", engine.Failure{Kind: engine.BadRequest, Err: syntax(h1.BadField)}, "ERR_INVALID_REQ 400 0", false},
		{"two lengths", engine.Failure{Kind: engine.BadRequest, Err: syntax(h1.BadFraming)}, "ERR_INVALID_REQ 411 0", false},
		{"unknown coding", engine.Failure{Kind: engine.BadRequest, Err: syntax(h1.UnsupportedCoding)}, "ERR_UNSUP_REQ 501 0", false},
		{"bad in another way", engine.Failure{Kind: engine.BadRequest, Err: errors.New("no")}, "ERR_INVALID_REQ 400 0", false},
		{"head too large", engine.Failure{Kind: engine.HeadTooLarge}, "ERR_TOO_BIG 431 0", false},
		{"body too large", engine.Failure{Kind: engine.BodyTooLarge}, "ERR_TOO_BIG 413 0", false},
		{"OPTIONS *", engine.Failure{Kind: engine.Unsupported}, "ERR_UNSUP_REQ 501 0", false},
		{"helper late", engine.Failure{Kind: engine.HelperLate}, "ERR_GATEWAY_FAILURE 500 0", false},
		{"helpers lost", engine.Failure{Kind: engine.HelperLost}, "ERR_GATEWAY_FAILURE 503 0", false},
		{"no such name", engine.Failure{Kind: engine.NoSuchName}, "ERR_DNS_FAIL 503 0", true},
		{"name servers failed", engine.Failure{Kind: engine.NameServerFailed}, "ERR_DNS_FAIL 503 0", true},
		{"no route", engine.Failure{Kind: engine.NoRoute}, "ERR_CANNOT_FORWARD 503 0", true},
		{"connection refused", engine.Failure{Kind: engine.CannotConnect, Err: fmt.Errorf("connect: %w", syscall.ECONNREFUSED)},
			"ERR_CONNECT_FAIL 503 111", true},
		{"connection late", engine.Failure{Kind: engine.ConnectLate}, "ERR_CONNECT_FAIL 503 110", true},
		{"closed without a reply", engine.Failure{Kind: engine.UpstreamClosed}, "ERR_ZERO_SIZE_OBJECT 502 0", true},
		{"reset while reading", engine.Failure{Kind: engine.UpstreamBroken, Err: syscall.ECONNRESET}, "ERR_READ_ERROR 502 104", true},
		{"reset while writing", engine.Failure{Kind: engine.UpstreamBroken, Write: true, Err: syscall.EPIPE}, "ERR_WRITE_ERROR 502 32", true},
		{"silent", engine.Failure{Kind: engine.UpstreamLate}, "ERR_READ_TIMEOUT 504 0", true},
		{"not a reply", engine.Failure{Kind: engine.BadReply}, "ERR_INVALID_RESP 502 0", true},
		{"reply's head too large", engine.Failure{Kind: engine.ReplyTooLarge}, "ERR_TOO_BIG 502 0", true},
		{"a loop", engine.Failure{Kind: engine.Looping}, "ERR_ACCESS_DENIED 403 0", true},
		{"stopping", engine.Failure{Kind: engine.ShuttingDown}, "ERR_SHUTTING_DOWN 503 0", true},
		{"a fault of ours", engine.Failure{Kind: engine.Internal}, "ERR_GATEWAY_FAILURE 500 0", true},
		{"the client left", engine.Failure{Kind: engine.ClientGone}, "ERR_CLIENT_GONE 400 0", false},
		{"the client was too slow", engine.Failure{Kind: engine.ClientLate}, "ERR_REQUEST_PARSE_TIMEOUT 408 0", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			page, status := Name(&tt.failure)
			if got := fmt.Sprintf("%s %d %d", page, status, Errno(&tt.failure)); got != tt.want {
				t.Errorf("the page, the status and the number of the error should be %s, they are %s", tt.want, got)
			}
			if got := lookedUp(&tt.failure); got != tt.lookedUp {
				t.Errorf("whether the cache would have been looked into should be %v, it is %v", tt.lookedUp, got)
			}
		})
	}
}

// Each page that a failure may lead to has words of ours, but for those that nobody is shown.
func TestEveryNamedPageIsWritten(t *testing.T) {
	for kind, n := range names {
		unseen := slices.Contains([]engine.FailureKind{engine.ClientGone, engine.ClientLate, engine.ClientSilent, engine.ClientInsecure}, engine.FailureKind(kind))
		if !languages()[english].has(n.page) && !unseen {
			t.Errorf("the page %s should be written", n.page)
		}
		if n.status == 0 {
			t.Errorf("failures of the kind %v should have a status", engine.FailureKind(kind))
		}
	}
}
