package errpage

import (
	"strings"

	"exaproxy/engine"
)

// A Lookup is what Squid would have done about its cache for a reply: X-Cache-Lookup and Cache-Status say it.
type Lookup uint8

const (
	NotLooked Lookup = iota // it had not got so far
	NotFound                // it looked, and there was nothing
	NotAsked                // the client wanted nothing out of a cache
)

// AppendStatus appends the value of Cache-Status: name is our own. A build of Squid with delay pools, as Debian's, does not
// say fwd=miss.
func (l Lookup) AppendStatus(dst []byte, name string) []byte {
	dst = append(dst, name...)
	switch l {
	case NotFound:
		return append(dst, ";detail=mismatch"...)
	case NotAsked:
		return append(dst, ";detail=no-cache"...)
	}
	return dst
}

// LookupFor is the one for a request that is let through.
func LookupFor(r *engine.Request) Lookup {
	name := "Cache-Control"
	if !r.Header.Has(name) {
		name = "Pragma"
	}
	l := NotFound
	r.Header.Elements(name, func(e []byte) {
		if word, _, _ := strings.Cut(string(e), "="); strings.EqualFold(word, "no-cache") {
			l = NotAsked
		}
	})
	return l
}

// LookupOf is the one of a request that f has happened to.
func LookupOf(r *engine.Request, f *engine.Failure) Lookup {
	if !lookedUp(f) {
		return NotLooked
	}
	return LookupFor(r)
}
