package rewrite

import (
	"slices"
	"strings"

	"exaproxy/compat/answer"
)

// HasNotes reports whether the answer may have annotations.
func (a *Answer) HasNotes() bool { return len(a.pairs)+len(a.group)+len(a.message) > 0 }

// EachNote calls f with every annotation of the answer in its order: its pairs, decoded, and
// what Squid makes annotations of (message, token, urlgroup).
func (a *Answer) EachNote(f func(key, value []byte)) {
	for rest := a.pairs; ; {
		p, next, ok := answer.Next(rest)
		if !ok {
			break
		}
		f(p.Key, p.Text())
		rest = next
	}
	switch {
	case len(a.group) > 0:
		f([]byte("urlgroup"), a.group)
	case len(a.message) == 0:
	case a.result == "TT":
		f([]byte("token"), a.message)
	default:
		f([]byte("message"), a.message)
	}
}

// String is the answer as Squid does in cache.log: {result=BH, notes={message: internal; }}.
func (a *Answer) String() string {
	var notes strings.Builder
	a.EachNote(func(key, value []byte) {
		notes.WriteString(printable(slices.Concat(key, []byte(": "), value, []byte("; "))))
	})
	if notes.Len() == 0 {
		return "{result=" + a.result + "}"
	}
	return "{result=" + a.result + ", notes={" + notes.String() + "}}"
}
