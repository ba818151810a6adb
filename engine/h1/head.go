package h1

import (
	"bytes"
	"encoding/binary"

	"exaproxy/engine/canary"
)

// Limits bound what a head may be. The zero value is strict, with Squid's default size.
type Limits struct {
	Head       int        // bytes of the whole head, leading empty lines included; 0 means 64 KiB
	Whitespace Whitespace // what to do with whitespace in a URL: uri_whitespace
	ICY        bool       // accept a reply of Shoutcast, which has the name ICY in the place of a version
	Relaxed    bool       // accept bare LF line ends, stray whitespace in first lines, methods in small letters: relaxed_header_parser
}

const defaultHead = 64 << 10

func (l Limits) head() int {
	if l.Head <= 0 {
		return defaultHead
	}
	return l.Head
}

// incomplete returns the error for a head of which only the first n bytes have come.
func (l Limits) incomplete(n int) error {
	if n >= l.head() {
		return ErrTooLarge
	}
	return ErrShort
}

// blankLines returns the length of the empty lines that b begins with. RFC 9112 section 2.2: a
// server "SHOULD ignore at least one empty line (CRLF) received prior to the request-line".
func blankLines(b []byte, relaxed bool) int {
	n := 0
	for {
		switch rest := b[n:]; {
		case len(rest) >= 2 && rest[0] == '\r' && rest[1] == '\n':
			n += 2
		case len(rest) >= 1 && rest[0] == '\n' && relaxed:
			n++
		default:
			return n
		}
	}
}

// cutLine returns the first line of b, without its line end. ended is whether its LF has come; next
// is where the next line begins. The line end is valid if it is CRLF, or a bare LF when relaxed.
func cutLine(b []byte, relaxed bool) (line []byte, next int, ended, valid bool) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		return nil, 0, false, false
	}
	line = b[:i]
	if i > 0 && line[i-1] == '\r' {
		return line[:i-1], i + 1, true, true
	}
	return line, i + 1, true, relaxed
}

// headEnd finds where the head ends, given where its first line does: after the first empty line.
// It is -1 while there is none. Both line ends are always looked for: a bare LF is refused later
// when not relaxed, and does not delay that.
func headEnd(b []byte, next int) int {
	b = b[next-1:] // from the LF of the first line on
	end := bytes.Index(b, lfCRLF)
	if end >= 0 {
		b = b[:end+1]
	}
	if i := bytes.Index(b, lfLF); i >= 0 {
		return next - 1 + i + len(lfLF)
	}
	if end < 0 {
		return -1
	}
	return next - 1 + end + len(lfCRLF)
}

var (
	lfCRLF = []byte("\n\r\n")
	lfLF   = []byte("\n\n")
)

// A fieldReader parses the field lines of one head.
type fieldReader struct {
	relaxed bool   // bare LF ends a line too
	reply   bool   // accept what RFC 9112 allows only in replies
	unfold  []byte // buffer for folded values
}

// shortHead is how many bytes behind a first line are parsed before the end of the head is known.
const shortHead = 2 << 10

// all parses the fields of the head at the beginning of b, whose first line ends at next, and returns
// where the head ends. The end of a short head is found while parsing; that of a long one is searched for
// first, or one that comes byte by byte would be parsed anew each time.
func (p *fieldReader) all(b []byte, next int, h *Header, lim Limits) (end int, err error) {
	if len(b)-next <= shortHead {
		n, err := p.read(b[next:], h)
		if end = next + n; err == nil && end <= lim.head() {
			return end, nil
		}
	}
	if end = headEnd(b, next); end < 0 {
		return 0, lim.incomplete(len(b))
	}
	if end > lim.head() {
		return 0, ErrTooLarge
	}
	h.Reset()
	p.unfold = canary.Again(p.unfold, canary.Unfolded, 0)
	if _, err = p.read(b[next:end], h); err != nil {
		return 0, err
	}
	return end, nil
}

// read adds the fields of b to h and returns how many bytes they and the empty line behind them have.
// b begins after the first line of a head. ErrShort: the empty line has not come.
func (p *fieldReader) read(b []byte, h *Header) (n int, err error) {
	for whole := len(b); ; {
		name, value, next := simpleLine(b)
		if next == 0 {
			if name, value, next, err = p.anyLine(b); err != nil {
				return 0, err
			}
		}
		b = b[next:]
		if name == nil {
			return whole - len(b), nil
		}
		if h.Len() == maxFields {
			return 0, ErrTooLarge
		}
		if folded(b) {
			if value, b, err = p.join(name, value, b); err != nil {
				return 0, err
			}
		}
		h.append(name, value)
	}
}

// simpleLine parses the field line that b begins with, if it is of the usual form: a name, a colon
// behind it, a value, CRLF. Else next is 0.
func simpleLine(b []byte) (name, value []byte, next int) {
	colon := 0
	for colon < len(b) && is(b[colon], tokenChar) {
		colon++
	}
	if colon == 0 || colon == len(b) || b[colon] != ':' {
		return nil, nil, 0
	}
	end := colon + bytes.IndexByte(b[colon:], '\n')
	if end <= colon || b[end-1] != '\r' {
		return nil, nil, 0
	}
	if value = trim(b[colon+1 : end-1]); !validValue(value) {
		return nil, nil, 0
	}
	return b[:colon], value, end + 1
}

// anyLine parses any other line. The name of the empty line is nil.
func (p *fieldReader) anyLine(b []byte) (name, value []byte, next int, err error) {
	line, next, ended, valid := cutLine(b, p.relaxed)
	if !ended {
		return nil, nil, 0, ErrShort
	}
	if !valid {
		return nil, nil, 0, fieldFault("line end without CR", line)
	}
	if len(line) == 0 {
		return nil, nil, next, nil
	}
	name, value, err = p.split(line)
	return name, value, next, err
}

// split parses one field line.
func (p *fieldReader) split(line []byte) (name, value []byte, err error) {
	if folded(line) {
		return nil, nil, fieldFault("whitespace before the name", line)
	}
	colon := bytes.IndexByte(line, ':')
	if colon < 0 {
		return nil, nil, fault(BadField, "no colon", line)
	}
	name = line[:colon]
	if p.reply {
		// RFC 9112 section 5.1: "A proxy MUST remove any such whitespace from a response message".
		name = trimRight(name)
	}
	if !all(name, tokenChar) {
		return nil, nil, fieldFault("not a field name", line)
	}
	value = trim(line[colon+1:])
	if !validValue(value) {
		return nil, nil, fieldFault("CR or NUL", line)
	}
	return name, value, nil
}

// fieldFault is what is wrong with a field line, of which no more than the name is shown: some carry passwords.
func fieldFault(what string, line []byte) error {
	name, _, _ := bytes.Cut(line, colon)
	return fault(BadField, what, name)
}

// folded reports whether a line continues the one before: obs-fold, RFC 9112 section 5.2.
func folded(line []byte) bool { return len(line) > 0 && (line[0] == ' ' || line[0] == '\t') }

// join joins a folded value, with one space for each fold. Requests may not fold, as readers differ
// on what it means.
func (p *fieldReader) join(name, value, b []byte) (whole, rest []byte, err error) {
	if !p.reply {
		return nil, nil, fieldFault("folded line", name)
	}
	start := len(p.unfold)
	p.unfold = append(p.unfold, value...)
	for folded(b) {
		line, next, _, valid := cutLine(b, p.relaxed)
		if !valid {
			return nil, nil, fieldFault("line end without CR", name)
		}
		if !validValue(line) {
			return nil, nil, fieldFault("CR or NUL", name)
		}
		p.unfold = append(p.unfold, ' ')
		p.unfold = append(p.unfold, trim(line)...)
		b = b[next:]
	}
	return trim(p.unfold[start:]), b, nil
}

// validValue refuses what RFC 9110 section 5.5 calls dangerous: "varying ways that implementations
// might parse and interpret" CR, LF and NUL. LF cannot occur in a line.
func validValue(v []byte) bool {
	return !hasControl(v) || bytes.IndexByte(v, '\r') < 0 && bytes.IndexByte(v, 0) < 0
}

// hasControl reports whether v has a byte below 0x10, among which are CR, LF and NUL. It looks at eight
// at a time: a byte is less than n, if n is at most 0x80, when subtracting n sets its top bit and
// that was not set before.
func hasControl(v []byte) bool {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for ; len(v) >= 8; v = v[8:] {
		if x := binary.LittleEndian.Uint64(v); (x-0x10*ones)&^x&tops != 0 {
			return true
		}
	}
	for _, c := range v {
		if c < 0x10 {
			return true
		}
	}
	return false
}
