package h1

import "bytes"

// Like says whether bytes that are no request might still be taken for one by a server, or might become one: servers
// differ in what they forgive, and some pass over a line that they do not understand.
func Like(b []byte) bool {
	word, ended := firstWord(b)
	switch {
	case mentionsHTTP(b):
		return true
	case len(word) > 0 && !all(word, tokenChar):
		return false
	}
	return !ended || equalFold(word, "GET") // without a version: HTTP/0.9
}

// Unfinished says whether bytes that are Like a request may turn out to be none.
func Unfinished(b []byte) bool {
	_, ended := firstWord(b)
	return !ended && !mentionsHTTP(b)
}

// firstWord is that of the first line that is not empty, and whether that line is complete.
func firstWord(b []byte) (word []byte, ended bool) {
	word, _, ended = bytes.Cut(bytes.TrimLeft(b, " \t\r\n"), []byte{'\n'})
	if i := indexClass(word, spaceChar); i >= 0 {
		word = word[:i]
	}
	return word, ended
}

// mentionsHTTP says whether the name of the protocol is somewhere in b, in letters of any case.
func mentionsHTTP(b []byte) bool {
	const name = "HTTP/"
	for i := range max(0, len(b)-len(name)+1) {
		if equalFold(b[i:i+len(name)], name) {
			return true
		}
	}
	return false
}
