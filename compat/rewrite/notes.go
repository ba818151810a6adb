package rewrite

import "strings"

// EachNote calls f with every annotation of the answer in its order: its pairs, decoded, and
// what Squid makes annotations of (message, token, urlgroup).
func (a *Answer) EachNote(f func(key, value string)) {
	for rest := a.pairs; ; {
		p, next, ok := nextPair(rest)
		if !ok {
			break
		}
		f(string(p.key), string(p.unquoted()))
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
