package h1

import "bytes"

// Like says whether bytes that are no request might still be taken for one by a server, or might become one: servers
// differ in what they forgive, and some pass over a line that they do not understand.
func Like(b []byte) bool {
	word, ended := firstWord(b)
	switch {
	case mentionsHTTP(b), asks(b):
		return true
	case len(word) > 0 && !all(word, tokenChar):
		return false
	}
	return !ended || equalFold(word, "GET") // without a version: HTTP/0.9
}

// Unfinished says whether bytes that are Like a request may turn out to be none.
func Unfinished(b []byte) bool {
	_, ended := firstWord(b)
	return !ended && !mentionsHTTP(b) && !asks(b)
}

// asks says whether a line of b begins as a request's may, whatever version it names, if any, and whatever stands before it
// and between its words that some server takes for blanks: a method that is known, or any word and a target.
func asks(b []byte) bool {
	for line := range bytes.Lines(b) {
		start := 0
		for start < len(line) && !isLetter(line[start]) {
			start++
		}
		end := start
		for end < len(line) && (isLetter(line[end]) || line[end] == '-' || line[end] == '_') {
			end++
		}
		if end < len(line) && (isMethod(line[start:end]) || beginsTarget(line[end:])) {
			return true
		}
	}
	return false
}

// isMethod says whether a word is a method, in letters of any case, that some server knows.
func isMethod(word []byte) bool {
	for _, methods := range [][]string{knownMethods[:], withBody[:], otherMethods[:]} {
		for _, m := range methods {
			if equalFold(word, m) {
				return true
			}
		}
	}
	return false
}

// otherMethods are those that servers read beside (RFC 2068, 3744, 5842, 7826, 9113, and Icecast).
var otherMethods = [...]string{"BIND", "REBIND", "UNBIND", "LINK", "UNLINK", "NOTIFY", "UNSUBSCRIBE", "M-SEARCH", "SOURCE", "PRI",
	"DESCRIBE", "ANNOUNCE", "SETUP", "PLAY", "PAUSE", "TEARDOWN", "RECORD", "REDIRECT", "FLUSH", "GET_PARAMETER", "SET_PARAMETER"}

// beginsTarget says whether a target follows what stands between words: a path, * or a URL.
func beginsTarget(rest []byte) bool {
	target := bytes.TrimLeftFunc(rest, func(c rune) bool { return c <= ' ' || c >= 0x7f })
	if len(target) == len(rest) || len(target) == 0 {
		return false
	}
	scheme, _, ok := bytes.Cut(target, schemeEnd)
	return target[0] == '/' || target[0] == '*' || ok && validScheme(scheme)
}

// firstWord is that of the first line that is not empty, and whether that line is complete.
func firstWord(b []byte) (word []byte, ended bool) {
	for len(b) > 0 && isBlank(b[0]) {
		b = b[1:]
	}
	word, _, ended = bytes.Cut(b, []byte{'\n'})
	if i := indexClass(word, spaceChar); i >= 0 {
		word = word[:i]
	}
	return word, ended
}

// isBlank says whether some server takes a byte for white space: Python's do, of Latin-1.
func isBlank(c byte) bool {
	return c == ' ' || '\t' <= c && c <= '\r' || 0x1c <= c && c <= 0x1f || c == 0x85 || c == 0xa0
}

// mentionsHTTP says whether the name of the protocol is somewhere in b, in letters of any case.
func mentionsHTTP(b []byte) bool { return indexFold(b, "HTTP/") >= 0 }

// indexFold is where a text begins in b, in letters of any case; -1: nowhere.
func indexFold(b []byte, text string) int {
	for i := range max(0, len(b)-len(text)+1) {
		if equalFold(b[i:i+len(text)], text) {
			return i
		}
	}
	return -1
}
