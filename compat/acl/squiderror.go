package acl

import (
	"fmt"
	"slices"

	"exaproxy/engine"
	"exaproxy/engine/tlshello"
)

// errorTest is an acl of the type squid_error: of the error that is known of the request when it is asked. Before
// a request has its answer that is only what a client says instead of TLS in its tunnel, or instead of HTTP where it was
// diverted to (on_unsupported_protocol).
type errorTest struct {
	simple
	names []string
}

func newError() tester { return &errorTest{} }

func (t *errorTest) add(v *values) error {
	for _, item := range v.items {
		if !slices.Contains(errorNames[:], item.Text) {
			return fmt.Errorf("FATAL: Invalid squid error name: %s", item.Text)
		}
		t.names = append(t.names, item.Text)
	}
	return nil
}

func (t *errorTest) empty() bool { return len(t.names) == 0 }

func (t *errorTest) match(p *Place) outcome {
	return outcomeOf(slices.ContainsFunc(errorsOf(p.request), func(name string) bool { return slices.Contains(t.names, name) }))
}

// What is wrong with a request, in Squid's names. A ClientHello that is not complete goes by both names of
// time-outs, whether there is nothing of it or a part.
var (
	noError = []string{"ERR_NONE"}
	notTLS  = []string{"ERR_PROTOCOL_UNKNOWN"}
	noHello = []string{"ERR_REQUEST_START_TIMEOUT", "ERR_REQUEST_PARSE_TIMEOUT"}
)

func errorsOf(r *engine.Request) []string {
	switch {
	case r.Wrong != nil && r.Wrong.Kind == engine.ClientSilent:
		return noHello[:1]
	case r.Wrong != nil && r.Wrong.Kind == engine.ClientLate:
		return noHello[1:]
	case r.Wrong != nil:
		return []string{r.Wrong.Page}
	case r.TLS == nil || r.TLS.NotTLS == nil:
		return noError
	case r.TLS.NotTLS == tlshello.ErrShort:
		return noHello
	}
	return notTLS
}

// NeedsError reports whether one of the list's acls is of the type squid_error.
func (l *List) NeedsError() bool {
	return l.has(func(t tester) bool { _, ok := t.(*errorTest); return ok })
}

// errorNames are those of Squid 5.7's errors.
var errorNames = [...]string{
	"ERR_NONE", "ERR_ACCESS_DENIED", "ERR_CACHE_ACCESS_DENIED", "ERR_CACHE_MGR_ACCESS_DENIED", "ERR_FORWARDING_DENIED",
	"ERR_NO_RELAY", "ERR_CANNOT_FORWARD", "ERR_READ_TIMEOUT", "ERR_LIFETIME_EXP", "ERR_READ_ERROR", "ERR_WRITE_ERROR",
	"ERR_CONNECT_FAIL", "ERR_SECURE_CONNECT_FAIL", "ERR_SOCKET_FAILURE", "ERR_DNS_FAIL", "ERR_URN_RESOLVE",
	"ERR_ONLY_IF_CACHED_MISS", "ERR_TOO_BIG", "ERR_INVALID_RESP", "ERR_UNSUP_HTTPVERSION", "ERR_INVALID_REQ", "ERR_UNSUP_REQ",
	"ERR_INVALID_URL", "ERR_ZERO_SIZE_OBJECT", "ERR_PRECONDITION_FAILED", "ERR_CONFLICT_HOST", "ERR_FTP_DISABLED",
	"ERR_FTP_UNAVAILABLE", "ERR_FTP_FAILURE", "ERR_FTP_PUT_ERROR", "ERR_FTP_NOT_FOUND", "ERR_FTP_FORBIDDEN",
	"ERR_FTP_PUT_CREATED", "ERR_FTP_PUT_MODIFIED", "ERR_ESI", "ERR_ICAP_FAILURE", "ERR_GATEWAY_FAILURE", "ERR_DIR_LISTING",
	"ERR_SQUID_SIGNATURE", "ERR_SHUTTING_DOWN", "ERR_PROTOCOL_UNKNOWN", "TCP_RESET", "ERR_CLIENT_GONE",
	"ERR_SECURE_ACCEPT_FAIL", "ERR_REQUEST_START_TIMEOUT", "ERR_REQUEST_PARSE_TIMEOUT", "ERR_RELAY_REMOTE", "MGR_INDEX",
}
