package errpage

import (
	"errors"
	"strings"
	"syscall"

	"exaproxy/engine"
	"exaproxy/engine/h1"
)

// Name returns Squid's page for f, and the status that it goes with. A refusal
// by the policy may name its page itself (Failure.Page), with a status in front as deny_info
// has it: "404:ERR_ACCESS_DENIED".
func Name(f *engine.Failure) (page string, status int) {
	if f.Page != "" {
		return f.Page, statusOf(f.Page)
	}
	switch f.Kind {
	case engine.BadRequest:
		return malformed(f.Err)
	case engine.UpstreamBroken:
		if f.Write {
			return "ERR_WRITE_ERROR", 502
		}
	}
	n := names[f.Kind]
	return n.page, n.status
}

// names are the page and the status of each kind of failure, but for those that Name looks into.
var names = [...]struct {
	page   string
	status int
}{
	engine.BadRequest:       {"ERR_INVALID_REQ", 400},
	engine.HeadTooLarge:     {"ERR_TOO_BIG", 431},
	engine.BodyTooLarge:     {"ERR_TOO_BIG", 413},
	engine.ClientGone:       {"ERR_CLIENT_GONE", 400},
	engine.ClientLate:       {"ERR_REQUEST_PARSE_TIMEOUT", 408},
	engine.ClientInsecure:   {"ERR_SECURE_ACCEPT_FAIL", 400},
	engine.ClientSilent:     {"ERR_REQUEST_START_TIMEOUT", 408},
	engine.Refused:          {AccessDenied, 403},
	engine.Unsupported:      {"ERR_UNSUP_REQ", 501},
	engine.HelperLost:       {"ERR_GATEWAY_FAILURE", 503},
	engine.HelperLate:       {"ERR_GATEWAY_FAILURE", 500},
	engine.NoSuchName:       {"ERR_DNS_FAIL", 503},
	engine.NameServerFailed: {"ERR_DNS_FAIL", 503},
	engine.NoRoute:          {"ERR_CANNOT_FORWARD", 503},
	engine.CannotConnect:    {"ERR_CONNECT_FAIL", 503},
	engine.CannotSecure:     {"ERR_SECURE_CONNECT_FAIL", 503},
	engine.SecureLate:       {"ERR_SECURE_CONNECT_FAIL", 504},
	engine.Misdirected:      {"ERR_CANNOT_FORWARD", 503},
	engine.NotDiverted:      {"ERR_CANNOT_FORWARD", 503},
	engine.Conflict:         {"ERR_CONFLICT_HOST", 409},
	engine.NotTLS:           {"ERR_PROTOCOL_UNKNOWN", 400},
	engine.NotAllowed:       {"ERR_UNSUP_REQ", 405},
	engine.ConnectLate:      {"ERR_CONNECT_FAIL", 503},
	engine.UpstreamClosed:   {"ERR_ZERO_SIZE_OBJECT", 502},
	engine.UpstreamBroken:   {"ERR_READ_ERROR", 502},
	engine.UpstreamLate:     {"ERR_READ_TIMEOUT", 504},
	engine.BadReply:         {"ERR_INVALID_RESP", 502},
	engine.ReplyTooLarge:    {"ERR_TOO_BIG", 502},
	engine.ShuttingDown:     {"ERR_SHUTTING_DOWN", 503},
	engine.Internal:         {"ERR_GATEWAY_FAILURE", 500},
	engine.Looping:          {AccessDenied, 403},
	engine.ReplyRefused:     {AccessDenied, 403},
	engine.NotForwarded:     {ForwardingDenied, 403},
}

// AccessDenied is the page of a refusal that names no other.
const AccessDenied = "ERR_ACCESS_DENIED"

// ForwardingDenied is the page of miss_access.
const ForwardingDenied = "ERR_FORWARDING_DENIED"

// CacheAccessDenied is the page that asks a client who it is.
const CacheAccessDenied = "ERR_CACHE_ACCESS_DENIED"

// malformed finds the page for a request that could not be understood.
func malformed(err error) (page string, status int) {
	var fault *h1.SyntaxError
	if !errors.As(err, &fault) {
		return "ERR_INVALID_REQ", 400
	}
	switch fault.Kind {
	case h1.BadRequestLine:
		return "ERR_PROTOCOL_UNKNOWN", 400
	case h1.BadURL, h1.UnsupportedScheme:
		return "ERR_INVALID_URL", 400
	case h1.BadVersion:
		return "ERR_UNSUP_HTTPVERSION", 505
	case h1.BadFraming: // as Squid answers two different lengths
		return "ERR_INVALID_REQ", 411
	case h1.BadChunk:
		return "ERR_INVALID_REQ", 400
	case h1.UnsupportedCoding:
		return "ERR_UNSUP_REQ", 501
	case h1.UnknownExpectation:
		return "ERR_INVALID_REQ", 417
	}
	return "ERR_INVALID_REQ", 400
}

// statusOf returns the status that a page which the policy names goes with.
func statusOf(page string) int {
	if status, _ := cutStatus(page); status != 0 {
		return status
	}
	switch page {
	case CacheAccessDenied:
		return 407
	case "ERR_CACHE_MGR_ACCESS_DENIED":
		return 401
	}
	return 403
}

// cutStatus takes the status off a page's name; status is 0 if there is none.
func cutStatus(page string) (status int, name string) {
	number, name, ok := strings.Cut(page, ":")
	if !ok || len(number) != 3 {
		return 0, page
	}
	for i := range len(number) {
		if number[i] < '0' || number[i] > '9' {
			return 0, page
		}
		status = status*10 + int(number[i]-'0')
	}
	return status, name
}

// Errno returns the number of the system's error underneath f, 0 if there is none.
func Errno(f *engine.Failure) int {
	var errno syscall.Errno
	switch {
	case errors.As(f.Err, &errno):
		return int(errno)
	case f.Kind == engine.ConnectLate:
		return int(syscall.ETIMEDOUT)
	}
	return 0
}

// lookedUp says whether Squid would have got as far as looking into its cache when f happened.
func lookedUp(f *engine.Failure) bool {
	switch f.Kind {
	case engine.BadRequest, engine.HeadTooLarge, engine.BodyTooLarge, engine.ClientGone, engine.ClientLate,
		engine.Refused, engine.Unsupported, engine.NotAllowed, engine.HelperLost, engine.HelperLate, engine.Conflict:
		return false
	}
	return true
}
