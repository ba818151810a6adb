package rewrite

import (
	"strings"

	"exaproxy/compat/answer"
)

// EachNote calls f with every annotation of the answer in its order: its pairs, decoded, and
// what Squid makes annotations of (message, token, urlgroup).
func (a *Answer) EachNote(f func(key, value string)) {
	for rest := a.pairs; ; {
		p, next, ok := answer.Next(rest)
		if !ok {
			break
		}
		f(string(p.Key), string(p.Text()))
		rest = next
	}
	switch {
	case len(a.group) > 0:
		f("urlgroup", string(a.group))
	case len(a.message) == 0:
	case a.result == "TT":
		f("token", string(a.message))
	default:
		f("message", string(a.message))
	}
}

// String is the answer as Squid does in cache.log: {result=BH, notes={message: internal; }}.
func (a *Answer) String() string {
	var notes strings.Builder
	a.EachNote(func(key, value string) {
		notes.WriteString(printable([]byte(key + ": " + value + "; ")))
	})
	if notes.Len() == 0 {
		return "{result=" + a.result + "}"
	}
	return "{result=" + a.result + ", notes={" + notes.String() + "}}"
}
