package acl

// lower is the lower case of an ASCII letter, and c itself if it is none. Squid compares in the
// C locale: bytes beyond ASCII have no case.
func lower(c byte) byte {
	if c-'A' < 26 {
		c += 'a' - 'A'
	}
	return c
}

func letter(c byte) bool { return (c|0x20)-'a' < 26 }

func digit(c byte) bool { return c-'0' < 10 }

// isSpace is isspace(3).
func isSpace(c byte) bool { return c == ' ' || c-'\t' < 5 }

// equalFold compares a, which is in lower case, with b in any case.
func equalFold[A, B string | []byte](a A, b B) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(b) {
		if a[i] != lower(b[i]) {
			return false
		}
	}
	return true
}

// unescape undoes URL escapes in text, in place: %41 becomes A, %% becomes %. What is no escape
// stays, and so does %00. Squid looks at URLs in this form (rfc1738_unescape).
func unescape(text []byte) []byte {
	out := 0
	for in := 0; in < len(text); in++ {
		c := text[in]
		if c == '%' && in+1 < len(text) {
			if text[in+1] == '%' {
				in++
			} else if v, ok := hexPair(text[in+1:]); ok && v != 0 {
				c = v
				in += 2
			}
		}
		text[out] = c
		out++
	}
	return text[:out]
}

// hexPair is the value of the two hexadecimal digits that text begins with.
func hexPair(text []byte) (v byte, ok bool) {
	if len(text) < 2 {
		return 0, false
	}
	high, ok1 := hex(text[0])
	low, ok2 := hex(text[1])
	return high<<4 | low, ok1 && ok2
}

func hex(c byte) (v byte, ok bool) {
	switch {
	case digit(c):
		return c - '0', true
	case lower(c)-'a' < 6:
		return lower(c) - 'a' + 10, true
	}
	return 0, false
}
