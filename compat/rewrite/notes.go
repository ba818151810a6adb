package rewrite

import "strings"

// EachNote calls f with every annotation of the answer in its order: its pairs, decoded, and
// what Squid makes annotations of (message, token, urlgroup).
func (r *Reply) EachNote(f func(key, value string)) {
	for rest := r.pairs; ; {
		p, next, ok := nextPair(rest)
		if !ok {
			break
		}
		f(string(p.key), string(p.unquoted()))
		rest = next
	}
	switch {
	case len(r.group) > 0:
		f("urlgroup", string(r.group))
	case len(r.message) == 0:
	case r.result == "TT":
		f("token", string(r.message))
	default:
		f("message", string(r.message))
	}
}

// String tells the answer as Squid does in cache.log: {result=BH, notes={message: internal; }}.
func (r *Reply) String() string {
	var notes strings.Builder
	r.EachNote(func(key, value string) {
		notes.WriteString(printable([]byte(key + ": " + value + "; ")))
	})
	if notes.Len() == 0 {
		return "{result=" + r.result + "}"
	}
	return "{result=" + r.result + ", notes={" + notes.String() + "}}"
}
