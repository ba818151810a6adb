package auth

import (
	"bytes"
	"encoding/base64"
	"unicode/utf8"
)

// credentials are what a client says of itself (RFC 7617, section 2).
type credentials struct {
	user, password []byte // views of the memory that they were decoded into
	complete       bool   // there are both, and neither is empty
}

// parse decodes what a client says into memory, which it returns with what it needed. ok is false if it is nothing
// that a helper could be asked.
func (b *Basic) parse(encoded, memory []byte) (c credentials, used []byte, ok bool) {
	if len(encoded) == 0 {
		return credentials{}, memory, false
	}
	memory, err := base64.StdEncoding.AppendDecode(memory[:0], encoded)
	if err != nil || bytes.ContainsAny(memory, "\x00\r\n") {
		return credentials{}, memory, false
	}
	if b.UTF8 && !utf8.Valid(memory) {
		memory = appendLatin1(memory, len(memory))
	}
	var found bool
	c.user, c.password, found = bytes.Cut(memory, []byte(":"))
	c.complete = found && len(c.user) > 0 && len(c.password) > 0
	if !b.CaseSensitive {
		lower(c.user)
	}
	return c, memory, true
}

// appendLatin1 appends the first n bytes of b, which are in ISO 8859-1, in UTF-8, and returns those.
func appendLatin1(b []byte, n int) []byte {
	for i := range n {
		b = utf8.AppendRune(b, rune(b[i]))
	}
	return b[n:]
}

// lower makes the letters of ASCII small.
func lower(b []byte) {
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
}
