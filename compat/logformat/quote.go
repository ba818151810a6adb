package logformat

import "slices"

// quoting is how a value is protected from being mistaken for something else.
type quoting uint8

const (
	none          quoting = iota // not specified: the code's own way
	raw                          // as it is
	inQuotes                     // for between quotation marks
	mimeBlob                     // Squid's way for header fields in brackets
	urlEscape                    // as in a URL, the percent sign too
	shell                        // as a word of a shell
	urlEscapeOnce                // as in a URL, but an existing %41 stays
)

// quotings are the modifiers that ask for a quoting.
var quotings = map[byte]quoting{'"': inQuotes, '\'': raw, '[': mimeBlob, '#': urlEscape, '/': shell}

// requote quotes dst[start:] in place.
func requote(dst []byte, start int, q quoting) []byte {
	if q == none || q == raw {
		return dst
	}
	end := len(dst)
	dst = appendQuoted(dst, dst[start:end], q)
	return append(dst[:start], dst[end:]...)
}

// appendQuoted appends value in the quoting q. dst may be the array that value lies in, but
// behind it.
func appendQuoted(dst, value []byte, q quoting) []byte {
	switch q {
	case inQuotes:
		return appendBackslashed(dst, value, true)
	case shell:
		return appendWord(dst, value)
	case mimeBlob:
		return appendBlob(dst, value)
	case urlEscape:
		return appendEscaped(dst, value, false)
	case urlEscapeOnce:
		return appendEscaped(dst, value, true)
	case none, raw:
		return append(dst, value...)
	}
	panic("BUG: unknown quoting")
}

// appendBackslashed puts a backslash before quotation marks and backslashes and writes line
// ends, and tabs if wanted, as letters.
func appendBackslashed(dst, value []byte, tabs bool) []byte {
	for _, c := range value {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\r':
			dst = append(dst, `\r`...)
		case c == '\n':
			dst = append(dst, `\n`...)
		case c == '\t' && tabs:
			dst = append(dst, `\t`...)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// escapeControls writes the control characters in dst[start:] as \xHH, but for tabs: a log is read
// on terminals, which obey them. Squid 5 leaves them as they are wherever it does not escape as in a
// URL, between quotation marks too.
func escapeControls(dst []byte, start int) []byte {
	first := slices.IndexFunc(dst[start:], isControl)
	if first < 0 {
		return dst
	}
	const hex = "0123456789abcdef"
	start += first
	end := len(dst)
	for _, c := range dst[start:end] {
		if isControl(c) {
			dst = append(dst, '\\', 'x', hex[c>>4], hex[c&15])
		} else {
			dst = append(dst, c)
		}
	}
	return append(dst[:start], dst[end:]...)
}

func isControl(c byte) bool { return c < ' ' && c != '\t' || c == 0x7f }

// appendWord quotes value for a shell: between quotation marks if it has spaces.
func appendWord(dst, value []byte) []byte {
	spaces := false
	for _, c := range value {
		spaces = spaces || c == ' '
	}
	if !spaces {
		return appendBackslashed(dst, value, false)
	}
	dst = append(dst, '"')
	dst = appendBackslashed(dst, value, false)
	return append(dst, '"')
}

// appendBlob quotes header fields as Squid does for log_mime_hdrs and user names.
func appendBlob(dst, value []byte) []byte {
	const hex = "0123456789abcdef"
	for _, c := range value {
		switch {
		case c == '\r':
			dst = append(dst, `\r`...)
		case c == '\n':
			dst = append(dst, `\n`...)
		case c == '\\':
			dst = append(dst, `\\`...)
		case c < ' ' || c >= 0x7f || c == '%' || c == '[' || c == ']':
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// appendEscaped writes what RFC 1738 section 2.2 calls unsafe as %XX; with keep, percent signs
// stay as they are.
func appendEscaped[text string | []byte](dst []byte, value text, keep bool) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(value) {
		c := value[i]
		if unsafe[c] && (c != '%' || !keep) {
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}

// AppendEscaped appends value with everything escaped that RFC 1738 calls unsafe, among it
// spaces and percent signs: "j doe" becomes "j%20doe".
func AppendEscaped(dst []byte, value string) []byte { return appendEscaped(dst, value, false) }

// AppendWord appends value as a word of a shell: between quotation marks if it has spaces.
func AppendWord(dst []byte, value string) []byte { return appendWord(dst, []byte(value)) }

// unsafe are the characters that a URL may not have as they are.
var unsafe = func() (t [256]bool) {
	for c := range t {
		t[c] = c <= ' ' || c >= 0x7f
	}
	for _, c := range []byte("<>\"#%{}|\\^~[]`'") {
		t[c] = true
	}
	return t
}()

// OneLine makes b one line, and returns it: whatever a value has brought in, a helper must not read it as a question of its
// own.
func OneLine(b []byte) []byte {
	for i, c := range b {
		if c == '\n' || c == '\r' || c == 0 {
			b[i] = ' '
		}
	}
	return b
}
