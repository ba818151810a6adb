package h1

import (
	"bytes"
	"strconv"

	"exaproxy/engine/canary"
)

// A Reply is the head of a reply. The zero value is ready for ParseReply, and may be used
// for one reply after the other. Its slices are views of the bytes parsed; see the package comment.
type Reply struct {
	Major, Minor uint8
	ICY          bool // of Shoutcast: there is no version, and the client is to see the same first line
	Status       int  // 100 to 999
	Reason       []byte
	Header       Header

	unfold []byte // values that were folded over several lines
}

// Reset forgets the message and keeps the memory.
func (r *Reply) Reset() {
	r.Header.Reset()
	*r = Reply{Header: r.Header, unfold: canary.Again(r.unfold, canary.Unfolded, 0)}
}

// ParseReply reads the head of a reply at the beginning of b into r and returns how many bytes it has.
// It does for replies what ParseRequest does for requests.
//
// ErrNotHTTP is returned as soon as b cannot be the beginning of "HTTP/" (or, where that is accepted, of "ICY "): no empty lines are skipped
// before it, as they could be the body of an HTTP/0.9 reply. Whitespace before a field's colon is
// removed and folded fields are joined (RFC 9112 sections 5.1 and 5.2).
func ParseReply(b []byte, r *Reply, lim Limits) (n int, err error) {
	r.Reset()
	if r.ICY = lim.ICY && bytes.HasPrefix(b, icyName[:min(len(b), len(icyName))]); !r.ICY && !bytes.HasPrefix(b, httpName[:min(len(b), len(httpName))]) {
		return 0, ErrNotHTTP
	}
	if len(b) < len(icyName) || !r.ICY && len(b) < len(httpName) {
		return 0, ErrShort
	}
	line, next, ended, valid := cutLine(b, lim.Relaxed)
	if !ended {
		return 0, lim.incomplete(len(b))
	}
	if next > lim.head() {
		return 0, ErrTooLarge
	}
	if !valid {
		return 0, fault(BadStatusLine, "line end without CR", line)
	}
	if err := r.parseLine(line, lim.Relaxed); err != nil {
		return 0, err
	}
	fields := fieldReader{relaxed: lim.Relaxed, reply: true, unfold: r.unfold}
	n, err = fields.all(b, next, &r.Header, lim)
	r.unfold = fields.unfold
	return n, err
}

var icyName = []byte("ICY ")

// AppendStatusLine appends the first line that a client is given. The reason is that of StatusText.
func (r *Reply) AppendStatusLine(dst []byte) []byte {
	if !r.ICY {
		return AppendStatusLine(dst, r.Status, "")
	}
	dst = strconv.AppendInt(append(dst, icyName...), int64(r.Status), 10)
	return append(append(append(dst, ' '), StatusText(r.Status)...), '\r', '\n')
}

// parseLine reads `version SP status [SP reason]`.
func (r *Reply) parseLine(line []byte, relaxed bool) error {
	v, rest, _ := bytes.Cut(line, space)
	major, minor, ok := version(v)
	if !r.ICY && (!ok || major != 1) {
		return fault(BadVersion, "not HTTP/1.x", line)
	}
	r.Major, r.Minor = major, minor
	for relaxed && !r.ICY && len(rest) > 0 && rest[0] == ' ' {
		rest = rest[1:]
	}
	code, reason, _ := bytes.Cut(rest, space)
	if len(code) != 3 || code[0] < '1' || code[0] > '9' || !isDigit(code[1]) || !isDigit(code[2]) {
		return fault(BadStatusLine, "no status code", line)
	}
	if !validValue(reason) {
		return fault(BadStatusLine, "CR or NUL", line)
	}
	r.Status = int(code[0]-'0')*100 + int(code[1]-'0')*10 + int(code[2]-'0')
	r.Reason = reason
	return nil
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
