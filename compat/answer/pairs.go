package answer

import "bytes"

// A Pair is one key=value of an answer. The value is as written.
type Pair struct{ Key, Value []byte }

// Next reads the pair at the beginning of b, leading blanks skipped. When there is none,
// rest is what stands there instead.
func Next(b []byte) (p Pair, rest []byte, ok bool) {
	b = SkipBlanks(b)
	end := 0
	for end < len(b) && isKey(b[end]) {
		end++
	}
	if end == len(b) || b[end] != '=' {
		return Pair{}, b, false
	}
	value := b[end+1:]
	if len(value) > 0 && IsBlank(value[0]) {
		return Pair{}, b, false // Squid takes "key= value" for no pair
	}
	stop := WordEnd(value)
	return Pair{b[:end], value[:stop]}, value[stop:], true
}

// WordEnd returns where the word at the beginning of b ends: at a blank that is not between
// quotation marks. A mark that is never closed reaches to the end.
func WordEnd(b []byte) int {
	quoted := false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			i++
		case IsBlank(c) && !quoted:
			return i
		}
	}
	return len(b)
}

// Text returns what the value stands for. Between quotation marks a backslash makes \n and
// \r control characters and protects any other; a value that does not begin with a mark may
// have %XX. The value itself is returned if there is nothing to undo.
func (p Pair) Text() []byte {
	v := p.Value
	if len(v) > 1 && v[0] == '"' && bytes.IndexByte(v, '\\') < 0 && bytes.IndexByte(v[1:], '"') == len(v)-2 {
		return v[1 : len(v)-1]
	}
	if bytes.IndexByte(v, '"') >= 0 {
		v = unquote(v)
	}
	if bytes.IndexByte(p.Value, '%') >= 0 && p.Value[0] != '"' {
		v = Unescape(v)
	}
	return v
}

// Word returns the word at the beginning of b, leading blanks skipped, without its quotation marks: what stands where
// a pair has no name. %XX stays as it is.
func Word(b []byte) (text, rest []byte, ok bool) {
	b = SkipBlanks(b)
	end := WordEnd(b)
	return unquote(b[:end]), b[end:], end > 0
}

func unquote(v []byte) []byte {
	out, quoted := make([]byte, 0, len(v)), false
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted && i+1 < len(v):
			i++
			out = append(out, unslash(v[i]))
		default:
			out = append(out, c)
		}
	}
	return out
}

func unslash(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	}
	return c
}

// Unescape decodes %XX; %00 stays, as in Squid.
func Unescape(v []byte) []byte {
	out := make([]byte, 0, len(v))
	for i := 0; i < len(v); i++ {
		if v[i] == '%' && i+2 < len(v) {
			high, low := hexValue(v[i+1]), hexValue(v[i+2])
			if c := high<<4 | low; high >= 0 && low >= 0 && c > 0 {
				out = append(out, byte(c))
				i += 2
				continue
			}
		}
		out = append(out, v[i])
	}
	return out
}

// hexValue returns the value of a hexadecimal digit, -1 if c is none.
func hexValue(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

func isKey(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '-' || c == '_'
}

// IsBlank says whether Squid takes c for white space between words.
func IsBlank(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// SkipBlanks returns b without the white space at its beginning.
func SkipBlanks(b []byte) []byte {
	for len(b) > 0 && IsBlank(b[0]) {
		b = b[1:]
	}
	return b
}
