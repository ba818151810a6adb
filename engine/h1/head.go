package h1

import "bytes"

// Limits bound what a head may be. The zero value is strict, with Squid's default size.
type Limits struct {
	Head       int        // bytes of the whole head, leading empty lines included; 0 means 64 KiB
	Whitespace Whitespace // what to do with whitespace in a URL: uri_whitespace
	Relaxed    bool       // accept bare LF line ends, stray whitespace in first lines, methods in small letters: relaxed_header_parser
}

const defaultHead = 64 << 10

func (l Limits) head() int {
	if l.Head <= 0 {
		return defaultHead
	}
	return l.Head
}

// short is the verdict on a head of which only the first n bytes have come.
func (l Limits) short(n int) error {
	if n >= l.head() {
		return ErrTooLarge
	}
	return ErrShort
}

// blankLines gives the length of the empty lines that b begins with. RFC 9112 section 2.2: a
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

// cutLine takes the first line off b. ended says whether its LF has come; next is what follows
// the LF. The line is without its line end, which is right if it is CRLF, or a bare LF when relaxed.
func cutLine(b []byte, relaxed bool) (line []byte, next int, ended, right bool) {
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
// It is -1 while there is none. Both line ends are looked for always: a lone LF is refused
// afterwards when not relaxed, and not waited out.
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

// A fieldReader takes the field lines of one head apart.
type fieldReader struct {
	relaxed bool   // bare LF ends a line too
	reply   bool   // leniences that RFC 9112 grants for what servers send
	unfold  []byte // where folded values are put together
}

// read adds the fields of b to h. b begins after the first line and ends with the empty line.
func (p *fieldReader) read(b []byte, h *Header) error {
	for {
		line, next, _, right := cutLine(b, p.relaxed)
		if !right {
			return fault(BadField, "line end without CR", line)
		}
		if len(line) == 0 {
			return nil
		}
		if h.Len() == maxFields {
			return ErrTooLarge
		}
		name, value, err := p.split(line)
		if err != nil {
			return err
		}
		if b = b[next:]; folded(b) {
			if value, b, err = p.join(value, b); err != nil {
				return err
			}
		}
		h.fields = append(h.fields, field{name, value})
	}
}

// split takes one field line apart.
func (p *fieldReader) split(line []byte) (name, value []byte, err error) {
	if folded(line) {
		return nil, nil, fault(BadField, "whitespace before the name", line)
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
		return nil, nil, fault(BadField, "not a field name", line)
	}
	value = trim(line[colon+1:])
	if !validValue(value) {
		return nil, nil, fault(BadField, "CR or NUL", line)
	}
	return name, value, nil
}

// folded says whether a line continues the one before: obs-fold, RFC 9112 section 5.2.
func folded(line []byte) bool { return len(line) > 0 && (line[0] == ' ' || line[0] == '\t') }

// join puts a folded value together, one space for each fold. Requests may not fold:
// it is the oldest way to have two readers see two headers.
func (p *fieldReader) join(value, b []byte) (whole, rest []byte, err error) {
	if !p.reply {
		return nil, nil, fault(BadField, "folded line", value)
	}
	start := len(p.unfold)
	p.unfold = append(p.unfold, value...)
	for folded(b) {
		line, next, _, right := cutLine(b, p.relaxed)
		if !right {
			return nil, nil, fault(BadField, "line end without CR", line)
		}
		if !validValue(line) {
			return nil, nil, fault(BadField, "CR or NUL", line)
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
	return bytes.IndexByte(v, '\r') < 0 && bytes.IndexByte(v, 0) < 0
}
