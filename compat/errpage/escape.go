package errpage

// An escaping is what is done to values that others supply.
type escaping uint8

const (
	forHTML escaping = iota
	forURL
)

// escape escapes dst[start:] in place.
func (e escaping) escape(dst []byte, start int) []byte {
	end := len(dst)
	for i := start; i < end; i++ {
		if e == forHTML {
			dst = appendHTML(dst, dst[i])
		} else {
			dst = appendURLByte(dst, dst[i])
		}
	}
	return append(dst[:start], dst[end:]...)
}

// appendHTML appends c so that it is text within an element or a quoted attribute. Control
// characters other than those of a line are left out.
func appendHTML(dst []byte, c byte) []byte {
	switch {
	case c == '<':
		return append(dst, "&lt;"...)
	case c == '>':
		return append(dst, "&gt;"...)
	case c == '&':
		return append(dst, "&amp;"...)
	case c == '"':
		return append(dst, "&quot;"...)
	case c == '\'':
		return append(dst, "&#39;"...)
	case c < ' ' && c != '\n' && c != '\t', c == 0x7f:
		return dst
	}
	return append(dst, c)
}

// appendURLByte appends c so that it is part of one component of a URL: RFC 3986 section 2.4.
func appendURLByte(dst []byte, c byte) []byte {
	const hex = "0123456789ABCDEF"
	switch {
	case c >= '0' && c <= '9', c|0x20 >= 'a' && c|0x20 <= 'z', c == '-', c == '.', c == '_', c == '*', c == '!':
		return append(dst, c)
	}
	return append(dst, '%', hex[c>>4], hex[c&15])
}
