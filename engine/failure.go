package engine

import (
	"fmt"
	"net/netip"

	"exaproxy/helper"
)

// ErrHelperLate is given to Policy.Interpret when a helper did not answer within the Timeout of
// Config.Helper.
var ErrHelperLate = helper.ErrLate

// A Failure is why a transaction did not go as asked: what kind of thing, on which side, in
// which stage, and the error underneath.
type Failure struct {
	Kind   FailureKind
	Side   Side
	During string         // the stage's name, for messages
	Remote netip.AddrPort // with whom, if anybody
	Host   string         // the name that could not be resolved, if any
	Page   string         // Refuse: which page the policy will want to show
	Write  bool           // UpstreamBroken: it was writing that failed, not reading
	Err    error          // may be nil for a refusal
}

// Error tells the failure as a sentence: "while connecting to 192.0.2.7:80: connection refused".
func (f *Failure) Error() string {
	s := f.Kind.String()
	if f.During != "" {
		s += " while " + f.During
	}
	if f.Remote.IsValid() {
		s += " to " + f.Remote.String()
	}
	if f.Err != nil {
		s += ": " + f.Err.Error()
	}
	return s
}

// Unwrap gives the error underneath.
func (f *Failure) Unwrap() error { return f.Err }

// A Side is where a failure happened.
type Side uint8

const (
	ClientSide Side = iota
	UpstreamSide
	HelperSide
	NameSide
	OurSide
)

// A FailureKind is what went wrong, in the engine's words; the policy has Squid's words for it.
type FailureKind uint8

const (
	BadRequest       FailureKind = iota // the client's bytes are no request; Err is an *h1.SyntaxError
	HeadTooLarge                        // request_header_max_size
	BodyTooLarge                        // request_body_max_size
	ClientGone                          // the client left before its request or its reply was complete
	ClientLate                          // the client did not send its request in time
	ClientInsecure                      // the TLS handshake with the client came to nothing; Err says why
	ClientSilent                        // the client said nothing in its tunnel
	Refused                             // by the policy
	Unsupported                         // a request that we understand and do not serve
	HelperLost                          // ended every helper that it was given to
	HelperLate                          // the helpers did not answer in time
	NoSuchName                          // the name does not exist or has no address
	NameServerFailed                    // name servers failed or were silent
	NoRoute                             // the policy knows no way
	CannotConnect                       // every address refused; Err is the last one's errno
	CannotSecure                        // the TLS handshake failed; Err says why
	SecureLate                          // the TLS handshake took too long
	ConnectLate                         // no address answered in time
	UpstreamClosed                      // the connection ended before any reply
	UpstreamBroken                      // reading from or writing to it failed
	UpstreamLate                        // it was silent for too long
	BadReply                            // its bytes are no reply
	ReplyTooLarge                       // reply_header_max_size
	ShuttingDown                        // we are
	Internal                            // a fault of ours; cache.log has the stack
	Looping                             // the request came from us: it is going round
	Misdirected                         // a request inside a tunnel that was decided on for another host
	NotDiverted                         // nobody knows whom the client wanted that came to a port of Intercept or TPROXY
	Conflict                            // the client asks for another server than it wanted to reach
	NotTLS                              // what a client says in its tunnel, where that was to be looked into
	ReplyRefused                        // the reply is, by the policy
	NotAllowed                          // a method that the port is not for
	NotForwarded                        // refused by the policy where it would have gone on to a server
)

var failureKinds = [...]string{
	BadRequest: "bad request", HeadTooLarge: "request head too large", BodyTooLarge: "request body too large",
	ClientGone: "client left", ClientLate: "client too slow", ClientSilent: "client silent", ClientInsecure: "insecure client", Refused: "refused", Unsupported: "unsupported request",
	HelperLost: "helpers lost", HelperLate: "helper too slow", NoSuchName: "no such name",
	NameServerFailed: "name servers failed", NoRoute: "no route", CannotConnect: "cannot connect", CannotSecure: "no secure connection",
	SecureLate:  "handshake timed out",
	ConnectLate: "connect timed out", UpstreamClosed: "upstream closed", UpstreamBroken: "upstream broken",
	UpstreamLate: "upstream too slow", BadReply: "bad reply", ReplyTooLarge: "reply head too large",
	ShuttingDown: "shutting down", Internal: "internal fault", Looping: "forwarding loop",
	Misdirected: "misdirected", NotDiverted: "not diverted", Conflict: "conflict", NotTLS: "no TLS", ReplyRefused: "reply refused", NotAllowed: "method not allowed",
	NotForwarded: "not forwarded",
}

func (k FailureKind) String() string { return failureKinds[k] }

// Status is the status of an answer that tells of such a failure.
func (k FailureKind) Status() int {
	switch k {
	case BadRequest, NotTLS:
		return 400
	case Conflict:
		return 409
	case NotAllowed:
		return 405
	case HeadTooLarge:
		return 431
	case BodyTooLarge:
		return 413
	case ClientLate, ClientSilent:
		return 408
	case Refused, Looping, ReplyRefused:
		return 403
	case Unsupported:
		return 501
	case UpstreamClosed, UpstreamBroken, BadReply, ReplyTooLarge:
		return 502
	case UpstreamLate, SecureLate:
		return 504
	case Internal:
		return 500
	}
	return 503
}

// plainPage is a failure as a line of text.
func plainPage(f *Failure) LocalReply {
	body := f.Error() + "\n"
	fields := fmt.Appendf(nil, "Content-Type: text/plain\r\nContent-Length: %d\r\n", len(body))
	return LocalReply{Status: f.Kind.Status(), Fields: fields, Body: []byte(body)}
}
