package h1

import "bytes"

// A class is a set of grammar rules that a byte may be part of.
type class uint8

const (
	tokenChar  class = 1 << iota // tchar, RFC 9110 section 5.6.2
	uriChar                      // reserved, unreserved or "%", RFC 3986 section 2
	hostChar                     // reg-name without "%", or part of a UTF-8 name
	spaceChar                    // whitespace that may stray into a request line, RFC 9112 section 3
	ctlChar                      // CTL, RFC 5234 appendix B.1
	hexChar                      // HEXDIG of either case
	endChar                      // what ends an authority, RFC 3986 section 3.2
	unsafeChar                   // what uri_whitespace encode encodes, in a path that has whitespace
)

const (
	digits     = "0123456789"
	letters    = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	unreserved = digits + letters + "-._~"
	subDelims  = "!$&'()*+,;="
)

var (
	classes = classify()
	lower   = lowerCase()
)

func classify() (t [256]class) {
	mark := func(set string, c class) {
		for i := range len(set) {
			t[set[i]] |= c
		}
	}
	mark(digits+letters+"!#$%&'*+-.^_`|~", tokenChar)
	mark(unreserved+subDelims+":/?#[]@%", uriChar)
	mark(unreserved+subDelims, hostChar)
	mark(" \t\v\f", spaceChar)
	mark(digits+"abcdefABCDEF", hexChar)
	mark("/?#", endChar)
	mark(" <>\"#{}|\\^~[]`'", unsafeChar)
	for c := range 0x20 {
		t[c] |= ctlChar | unsafeChar
	}
	t[0x7f] |= ctlChar | unsafeChar
	for c := 0x80; c <= 0xff; c++ {
		t[c] |= hostChar | unsafeChar
	}
	return t
}

func lowerCase() (t [256]byte) {
	for c := range t {
		t[c] = byte(c)
		if 'A' <= c && c <= 'Z' {
			t[c] += 'a' - 'A'
		}
	}
	return t
}

func is(c byte, k class) bool { return classes[c]&k != 0 }

// all reports whether s is not empty and made of bytes of class k.
func all(s []byte, k class) bool {
	for _, c := range s {
		if !is(c, k) {
			return false
		}
	}
	return len(s) > 0
}

// indexClass finds the first byte of class k, or -1.
func indexClass(s []byte, k class) int {
	for i, c := range s {
		if is(c, k) {
			return i
		}
	}
	return -1
}

// IsToken reports whether b is a token (RFC 9110, section 5.6.2), as names of fields are.
func IsToken(b []byte) bool { return len(b) > 0 && all(b, tokenChar) }

// EqualFold compares without regard to ASCII case.
func EqualFold(b []byte, s string) bool { return equalFold(b, s) }

// equalFold compares without regard to ASCII case.
func equalFold(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i, c := range b {
		if lower[c] != lower[s[i]] {
			return false
		}
	}
	return true
}

// trim removes optional whitespace (OWS, RFC 9110 section 5.6.3) at both ends.
func trim(s []byte) []byte {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	return trimRight(s)
}

func trimRight(s []byte) []byte {
	for len(s) > 0 && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// element cuts the first element off a comma-separated list.
func element(list []byte) (first, rest []byte, more bool) {
	if i := bytes.IndexByte(list, ','); i >= 0 {
		return trim(list[:i]), list[i+1:], true
	}
	return trim(list), nil, false
}

// appendLower appends s to dst, its letters in lower case.
func appendLower(dst, s []byte) []byte {
	for _, c := range s {
		dst = append(dst, lower[c])
	}
	return dst
}
