package reqmod

import (
	"bytes"
	"errors"
	"strconv"
)

// A block is an answer taken apart. Its slices are views of the answer.
type block struct {
	status    int
	intercept bool   // X-Intercept: active
	comment   []byte // Pragma: comment:TEXT
	parts     []part
	chunks    []byte // what follows the parts, if a body does

	payload []byte // all parts
}

// A part is one of those that Encapsulated lists: where it begins within the payload.
type part struct {
	name   string
	offset int
}

const (
	mostHead   = 64 << 10 // bytes of the head of a block
	mostParts  = 8        // that Encapsulated may list
	mostOffset = 1 << 20  // within the payload, and of a chunk
	mostChunks = 1 << 12  // of a body; who looks for its end passes them all
)

var (
	errFirstLine = errors.New("it does not begin with ICAP/1.0 and a status")
	errHead      = errors.New("its head has no end")
	errField     = errors.New("a line of its head has no colon")
	errParts     = errors.New("its Encapsulated makes no sense")
	errChunk     = errors.New("the size of a chunk makes no sense")
)

// A Framing finds the end of an answer. It implements helper.Framing.
type Framing struct{}

// Length implements helper.Framing.
func (Framing) Length(b []byte) (n int, err error) {
	_, n, err = split(b)
	return n, err
}

// split takes the answer apart that b begins with, and returns its length: 0 if not all of it has come.
func split(b []byte) (m block, n int, err error) {
	head, n, err := cutHead(b)
	if n == 0 || err != nil {
		return m, 0, err
	}
	if err = m.readHead(head); err != nil {
		return m, 0, err
	}
	if len(m.parts) == 0 {
		return m, n, nil
	}
	last := m.parts[len(m.parts)-1]
	if len(b) < n+last.offset {
		return m, 0, nil
	}
	m.payload = b[n : n+last.offset]
	n += last.offset
	if last.name == nullBody {
		return m, n, nil
	}
	length, err := eachChunk(b[n:], func([]byte) {})
	if length == 0 || err != nil {
		return m, 0, err
	}
	m.chunks = b[n : n+length]
	return m, n + length, nil
}

const nullBody = "null-body"

var firstWord = []byte("ICAP/1.0 ")

// cutHead returns the head of an answer without the blank line behind it, and where the payload begins: 0 if that
// line has not come.
func cutHead(b []byte) (head []byte, n int, err error) {
	if common := min(len(b), len(firstWord)); !bytes.Equal(b[:common], firstWord[:common]) {
		return nil, 0, errFirstLine
	}
	head, n = cutBlank(b[:min(len(b), mostHead)])
	if n == 0 && len(b) >= mostHead {
		return nil, 0, errHead
	}
	return head, n, nil
}

// cutBlank returns what stands before the first blank line of b, and what is the length of both: 0 if there is none.
func cutBlank(b []byte) (before []byte, n int) {
	for at := 0; ; {
		i := bytes.IndexByte(b[at:], '\n')
		if i < 0 {
			return nil, 0
		}
		if next := at + i + 1; len(bytes.TrimSpace(b[at:next])) == 0 {
			return b[:at], next
		}
		at += i + 1
	}
}

// readHead reads the head of an answer: its status, and of its fields those that matter.
func (m *block) readHead(head []byte) error {
	first, fields, _ := bytes.Cut(head, lineFeed)
	code, _, _ := bytes.Cut(bytes.TrimSpace(first[len(firstWord):]), space)
	status, err := strconv.Atoi(string(code))
	if err != nil || len(code) != 3 {
		return errFirstLine
	}
	m.status = status
	for line := range bytes.Lines(fields) {
		name, value, ok := bytes.Cut(line, colon)
		if !ok {
			return errField
		}
		if err := m.readField(bytes.TrimSpace(name), bytes.TrimSpace(value)); err != nil {
			return err
		}
	}
	return nil
}

var lineFeed, space, colon, comma = []byte("\n"), []byte(" "), []byte(":"), []byte(",")

func (m *block) readField(name, value []byte) error {
	switch {
	case isName(name, "Encapsulated"):
		return m.readParts(value)
	case isName(name, "X-Intercept"):
		m.intercept = string(value) == "active"
	case isName(name, "Pragma"):
		if key, text, ok := bytes.Cut(value, colon); ok && isName(bytes.TrimSpace(key), "comment") {
			m.comment = bytes.TrimSpace(text)
		}
	}
	return nil
}

// isName compares the name of a field.
func isName(b []byte, name string) bool { return bytes.EqualFold(b, []byte(name)) }

// readParts reads the list of an Encapsulated field (RFC 3507, section 4.4.1).
func (m *block) readParts(list []byte) error {
	if m.parts != nil {
		return errParts // which of the two?
	}
	for element := range bytes.SplitSeq(list, comma) {
		name, digits, _ := bytes.Cut(bytes.TrimSpace(element), []byte("="))
		offset, err := strconv.ParseUint(string(digits), 10, 32)
		if err != nil || offset > mostOffset || len(m.parts) == mostParts {
			return errParts
		}
		if n := len(m.parts); n > 0 && int(offset) < m.parts[n-1].offset || n == 0 && offset != 0 && string(name) != nullBody {
			return errParts
		}
		m.parts = append(m.parts, part{string(name), int(offset)})
	}
	return nil
}

// part returns the part of that name, and whether it is listed.
func (m *block) part(name string) (content []byte, listed bool) {
	for i, p := range m.parts {
		if p.name == name {
			end := len(m.payload)
			if i+1 < len(m.parts) {
				end = m.parts[i+1].offset
			}
			return m.payload[p.offset:end], true
		}
	}
	return nil, false
}

// eachChunk calls f with each chunk of the body that b begins with, and returns the body's length: 0 if not all of it
// has come. Some helpers end no chunk with a line end, and no body with an empty line. (That line is cut off before
// the next answer.)
func eachChunk(b []byte, f func(data []byte)) (n int, err error) {
	for range mostChunks {
		line := b[n:min(len(b), n+mostSize)]
		i := bytes.IndexByte(line, '\n')
		switch {
		case i >= 0:
			line = line[:i]
		case len(line) == mostSize:
			return 0, errChunk
		default:
			return 0, nil
		}
		digits, _, _ := bytes.Cut(line, []byte(";"))
		size, err := strconv.ParseUint(string(bytes.TrimSpace(digits)), 16, 32)
		if err != nil || size > mostOffset {
			return 0, errChunk
		}
		n += i + 1
		if size == 0 {
			return n, nil
		}
		data := n
		if n += int(size); n+len("\r\n") > len(b) {
			return 0, nil
		}
		f(b[data:n])
		n += lineEnd(b[n:])
	}
	return 0, errChunk
}

// mostSize is how long the line may be that has the size of a chunk.
const mostSize = 64

// lineEnd is the length of the line end that b begins with.
func lineEnd(b []byte) int {
	switch {
	case b[0] == '\n':
		return 1
	case b[0] == '\r' && b[1] == '\n':
		return 2
	}
	return 0
}
