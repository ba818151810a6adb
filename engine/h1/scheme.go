package h1

import "strings"

const httpsPort = 443

const cacheObject = "cache_object"

// schemes are those that Squid knows, with their default ports. urn has none, and no authority.
var schemes = [...]struct {
	name string
	port uint16
}{
	{"http", 80}, {"https", httpsPort}, {"ftp", 21}, {cacheObject, 3128}, {"urn", 0},
	{"wais", 210}, {"whois", 43}, {"coap", 5683}, {"coaps", 5684},
}

// knownScheme returns the scheme in lower case and its default port, 0 if none is known.
func knownScheme(s []byte) (name string, port uint16) {
	for i := range schemes {
		if equalFold(s, schemes[i].name) {
			return schemes[i].name, schemes[i].port
		}
	}
	return strings.ToLower(string(s)), 0
}

func schemePort(name string) uint16 {
	for i := range schemes {
		if schemes[i].name == name {
			return schemes[i].port
		}
	}
	return 0
}

// validScheme checks RFC 3986 section 3.1, and allows the underscore of cache_object.
func validScheme(s []byte) bool {
	if len(s) == 0 || !isLetter(s[0]) {
		return false
	}
	for _, c := range s {
		if !isLetter(c) && !isDigit(c) && c != '+' && c != '-' && c != '.' && c != '_' {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return 'a' <= lower[c] && lower[c] <= 'z' }

// validUserinfo checks RFC 3986 section 3.2.1 without counting hex digits: the bytes are passed on escaped.
func validUserinfo(s []byte) bool {
	for _, c := range s {
		if !is(c, hostChar) && c != '%' && c != ':' {
			return false
		}
	}
	return true
}

// parsePort reads a port from 1 to 65535; anything else is 0.
func parsePort(s []byte) uint16 {
	if len(s) == 0 || len(s) > 5 {
		return 0
	}
	n := 0
	for _, c := range s {
		if !isDigit(c) {
			return 0
		}
		n = n*10 + int(c-'0')
	}
	if n > 65535 {
		return 0
	}
	return uint16(n)
}
