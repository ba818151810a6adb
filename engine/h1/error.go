package h1

import (
	"errors"
	"strconv"
)

var (
	// ErrShort means that what came so far begins a message; call again when there is more.
	ErrShort = errors.New("parse head: more bytes are needed")
	// ErrTooLarge means that a head exceeds Limits.Head or has more than 2,000 fields.
	ErrTooLarge = errors.New("parse head: too large")
	// ErrNotHTTP means that a server's answer does not begin as an HTTP reply does.
	ErrNotHTTP = errors.New("parse reply: not HTTP")
	// ErrTruncated means that the peer closed before the end that the message's framing announced.
	ErrTruncated = errors.New("read body: closed before its end")
)

// An ErrorKind is which part of a message is at fault. It decides the error page.
type ErrorKind uint8

const (
	BadRequestLine     ErrorKind = iota + 1 // no method, target and version where they belong
	BadStatusLine                           // the same for a reply
	BadTarget                               // a character in the request target that cannot be in any
	BadURL                                  // the request target: form, host, port, length
	UnsupportedScheme                       // a well-formed URL whose scheme has no known default port
	BadVersion                              // an HTTP version other than 1.x (status 505)
	BadField                                // a header or trailer field
	BadFraming                              // where the body ends is not defined, or ambiguous
	BadChunk                                // the framing of a chunked body, within it
	UnsupportedCoding                       // a transfer coding other than chunked, in a request (status 501)
	UnknownExpectation                      // an expectation other than 100-continue (status 417)
)

func (k ErrorKind) String() string {
	switch k {
	case BadRequestLine:
		return "request line"
	case BadStatusLine:
		return "status line"
	case BadTarget:
		return "request target"
	case BadURL, UnsupportedScheme:
		return "URL"
	case BadVersion:
		return "version"
	case BadField:
		return "field"
	case BadChunk:
		return "chunk"
	case BadFraming:
		return "framing"
	case UnsupportedCoding:
		return "transfer coding"
	case UnknownExpectation:
		return "expectation"
	}
	return "ErrorKind(" + strconv.Itoa(int(k)) + ")"
}

// A SyntaxError says why a message was refused.
type SyntaxError struct {
	Kind ErrorKind
	What string // the fault and the bytes at fault, quoted
}

func (e *SyntaxError) Error() string { return "parse " + e.Kind.String() + ": " + e.What }

// fault returns a SyntaxError. The operand is a peer's bytes: quoted, and cut for the log.
func fault(k ErrorKind, what string, operand []byte) error {
	const enough = 80
	cut := ""
	if len(operand) > enough {
		operand, cut = operand[:enough], "…"
	}
	return &SyntaxError{Kind: k, What: what + " in " + strconv.Quote(string(operand)) + cut}
}
