package h1

import (
	"bytes"

	"exaproxy/engine/canary"
)

// A Request is the head of a request. The zero value is ready for ParseRequest, and may be used
// for one request after the other. Its slices are views of the bytes parsed; see the package comment.
type Request struct {
	Method       string // any token, as sent: methods are case-sensitive
	RawTarget    []byte // as sent
	Target       Target
	Major, Minor uint8 // 0, 9 for a request without a version
	Header       Header
	Line         []byte // the request line as sent, without its line end

	canonical []byte // bytes of Target that differ from those sent
}

// maxMethod is the length of the longest method that Squid accepts.
const maxMethod = 32

// Reset forgets the message and keeps the memory.
func (r *Request) Reset() {
	r.Header.Reset()
	*r = Request{Header: r.Header, canonical: canary.Again(r.canonical, canary.URL, 0)}
}

// ParseRequest reads the head of a request at the beginning of b into r and returns how many bytes
// it has, empty lines before it included. Leading empty lines are skipped (RFC 9112 section 2.2).
//
// After ErrShort call it again with all of the bytes and more; nothing is remembered between calls.
// The search for the end of the head runs at memory speed, so that even a head of 64 KiB
// that comes byte by byte costs well under a second in all. Faults in the request line are
// reported as soon as that line is complete, all others with the last byte of the head.
//
// A request line without version is HTTP/0.9, and then the line is the whole head.
//
// Errors are ErrShort, ErrTooLarge, or a *SyntaxError; with the latter, r holds what was understood.
func ParseRequest(b []byte, r *Request, lim Limits) (n int, err error) {
	r.Reset()
	start := blankLines(b, lim.Relaxed)
	line, next, ended, valid := cutLine(b[start:], lim.Relaxed)
	if !ended {
		return 0, lim.incomplete(len(b))
	}
	if next += start; next > lim.head() {
		return 0, ErrTooLarge
	}
	r.Line = line
	if !valid {
		return 0, fault(BadRequestLine, "line end without CR", Shown(line))
	}
	if err := r.parseLine(line, lim); err != nil {
		return 0, err
	}
	if r.Major == 0 {
		return next, nil
	}
	fields := fieldReader{relaxed: lim.Relaxed}
	return fields.all(b, next, &r.Header, lim)
}

// parseLine reads `method SP target SP version`.
func (r *Request) parseLine(line []byte, lim Limits) error {
	method, target, version, ok := splitLine(line, lim.Relaxed)
	if len(method) > maxMethod || !all(method, tokenChar) {
		return fault(BadRequestLine, "no method", Shown(line))
	}
	r.Method = methodName(method, lim.Relaxed)
	r.RawTarget = target
	if !ok {
		return fault(BadRequestLine, "no target and version", Shown(line))
	}
	if err := r.parseVersion(version); err != nil {
		return err
	}
	if !lim.Relaxed && !all(target, uriChar) {
		return fault(BadTarget, "character that must be escaped", Shown(target))
	}
	var err error
	r.Target, r.canonical, err = ParseTarget(r.Method, target, lim.Whitespace, r.canonical)
	return err
}

// splitLine finds the three parts of a request line. When relaxed, any run of whitespace separates
// them, the last word is the version, and what is between is the target, its inner whitespace
// included. version is nil for the two words of an HTTP/0.9 request.
func splitLine(line []byte, relaxed bool) (method, target, version []byte, ok bool) {
	if !relaxed {
		method, target, ok = bytes.Cut(line, space)
		if i := bytes.LastIndexByte(target, ' '); i >= 0 {
			target, version = target[:i], target[i+1:]
		}
		return method, target, version, ok && len(target) > 0
	}
	for len(line) > 0 && is(line[len(line)-1], spaceChar) {
		line = line[:len(line)-1]
	}
	i := indexClass(line, spaceChar)
	if i < 0 {
		return line, nil, nil, false
	}
	method, target = line[:i], line[i:]
	for is(target[0], spaceChar) { // ends: the line does not end in whitespace
		target = target[1:]
	}
	for j := len(target) - 1; j >= 0; j-- {
		if is(target[j], spaceChar) {
			version = target[j+1:]
			target = target[:j]
			break
		}
	}
	for is(target[len(target)-1], spaceChar) { // ends: it does not begin with whitespace
		target = target[:len(target)-1]
	}
	return method, target, version, true
}

var space = []byte{' '}

// parseVersion accepts HTTP/1.x, and for GET no version at all: RFC 1945 section 4.1, Simple-Request.
func (r *Request) parseVersion(v []byte) error {
	if v == nil {
		if endsInVersion(r.RawTarget) {
			r.RawTarget = nil // it is none
			return fault(BadRequestLine, "no space before the version", Shown(r.Line))
		}
		if r.Method != "GET" || is(r.Line[len(r.Line)-1], spaceChar) {
			return fault(BadRequestLine, "no version", Shown(r.Line)) // perhaps it was forgotten, or is on its way
		}
		r.Major, r.Minor = 0, 9
		return nil
	}
	if !bytes.HasPrefix(v, httpName) {
		return fault(BadRequestLine, "no version", Shown(r.Line))
	}
	if is(r.Line[len(r.Line)-1], spaceChar) {
		// RFC 9112, section 3, would let it be. Squid refuses it, or for a GET takes the version for a
		// part of the URL and the fields for another request.
		return fault(BadRequestLine, "space behind the version", Shown(r.Line))
	}
	major, minor, ok := version(v)
	if !ok || major != 1 {
		return fault(BadVersion, "not HTTP/1.x", v)
	}
	r.Major, r.Minor = major, minor
	return nil
}

// endsInVersion says whether a version follows the target without a space. Squid refuses that too: what the client
// meant for HTTP/1.1 would become another URL, and its fields another request.
func endsInVersion(target []byte) bool {
	_, _, ok := version(target[max(0, len(target)-len("HTTP/1.1")):])
	return ok
}

var httpName = []byte("HTTP/")

// version reads HTTP-version, which is case-sensitive: RFC 9112 section 2.3.
func version(v []byte) (major, minor uint8, ok bool) {
	if len(v) != len("HTTP/1.1") || !bytes.HasPrefix(v, httpName) || v[6] != '.' {
		return 0, 0, false
	}
	major, minor = v[5]-'0', v[7]-'0'
	return major, minor, major <= 9 && minor <= 9
}
