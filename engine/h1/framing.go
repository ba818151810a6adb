package h1

import (
	"bytes"
	"math"
)

// RequestBody returns how the body of r is delimited: RFC 9112 section 6.3, and stricter where
// that leaves a choice, because what is body for one reader may be a request for another.
//
// A request with both Transfer-Encoding and Content-Length is read by the former, as in Squid; its
// Body then reports Conflict. Errors are *SyntaxError: BadFraming, or UnsupportedCoding for
// transfer codings other than a single chunked.
func RequestBody(r *Request) (Body, error) {
	length, declared, err := contentLength(&r.Header)
	if err != nil {
		return Body{}, err
	}
	coded := r.Header.Has("Transfer-Encoding")
	switch {
	case r.Method == "CONNECT" && (coded || length > 0):
		// What follows a CONNECT is the tunnel's, or, if that is denied, the next request.
		return Body{}, &SyntaxError{BadFraming, "a body in a CONNECT request"}
	case coded && r.Minor == 0:
		// RFC 9112 section 6.1: "A server or client that receives an HTTP/1.0 message containing a
		// Transfer-Encoding header field MUST treat the message as if the framing is faulty".
		return Body{}, &SyntaxError{BadFraming, "Transfer-Encoding in an HTTP/1.0 request"}
	case coded:
		if list := r.Header.Get("Transfer-Encoding"); !equalFold(list, "chunked") {
			return Body{}, fault(UnsupportedCoding, "not chunked alone", list)
		}
		if r.Header.Count("Transfer-Encoding") > 1 {
			return Body{}, &SyntaxError{UnsupportedCoding, "more than one Transfer-Encoding"}
		}
		return chunkedBody(declared), nil
	case declared:
		return lengthBody(length), nil
	}
	return Body{framing: NoBody, length: -1}, nil
}

// ReplyBody returns how the body of a reply to a request of the given method is delimited: RFC 9112
// section 6.3. A reply to HEAD, one with status 1xx, 204 or 304, and success for a CONNECT have none.
// Errors are *SyntaxError of kind BadFraming.
func ReplyBody(method string, r *Reply) (Body, error) {
	length, declared, err := contentLength(&r.Header)
	if err != nil {
		return Body{}, err
	}
	if r.Status < 200 || r.Status == 204 || method == "CONNECT" && r.Status < 300 {
		return Body{framing: NoBody, length: -1, undeclared: true}, nil
	}
	if method == "HEAD" || r.Status == 304 {
		return Body{framing: NoBody, length: -1}, nil
	}
	if r.Header.Has("Transfer-Encoding") {
		chunked, coded, err := transferCodings(&r.Header)
		if err != nil {
			return Body{}, err
		}
		b := Body{framing: UntilClose, length: -1}
		if chunked {
			b = chunkedBody(declared || r.Minor == 0)
		}
		b.coded = coded
		return b, nil
	}
	if declared {
		return lengthBody(length), nil
	}
	return Body{framing: UntilClose, length: -1}, nil
}

// contentLength reads the declared length. Repeated values count as one if they are identical
// (RFC 9112 section 6.3, rule 5); anything that is not digits, or does not fit, is an error.
func contentLength(h *Header) (n int64, declared bool, err error) {
	var first []byte
	if h.lacks("Content-Length") {
		return 0, false, nil
	}
	for i := range h.fields {
		if !equalFold(h.fields[i].name, "Content-Length") {
			continue
		}
		list := h.fields[i].value
		for more := true; more; {
			var e []byte
			e, list, more = element(list)
			v, ok := parseLength(e)
			if !ok {
				return 0, false, fault(BadFraming, "not a length", h.fields[i].value)
			}
			if declared && !bytes.Equal(e, first) {
				return 0, false, fault(BadFraming, "two different lengths", h.fields[i].value)
			}
			n, declared, first = v, true, e
		}
	}
	return n, declared, nil
}

func parseLength(s []byte) (n int64, ok bool) {
	for _, c := range s {
		digit := int64(c - '0')
		if !isDigit(c) || n > (math.MaxInt64-digit)/10 {
			return 0, false
		}
		n = n*10 + digit
	}
	return n, len(s) > 0
}

// transferCodings reads a reply's transfer codings: whether chunked is the last, and whether there
// are others. Chunked anywhere else is an error: readers differ on whether it is the framing.
func transferCodings(h *Header) (chunked, coded bool, err error) {
	for i := range h.fields {
		if !equalFold(h.fields[i].name, "Transfer-Encoding") {
			continue
		}
		list := h.fields[i].value
		for more := true; more; {
			var e []byte
			e, list, more = element(list)
			if chunked || len(e) == 0 {
				return false, false, fault(BadFraming, "chunked is not the last coding", h.fields[i].value)
			}
			if chunked = equalFold(e, "chunked"); !chunked && !equalFold(e, "identity") {
				coded = true
			}
		}
	}
	return chunked, coded, nil
}
