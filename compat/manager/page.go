package manager

import (
	"fmt"
	"strings"
	"unicode"

	"exaproxy/engine"
)

// A page is one that the manager has.
type page struct {
	name, title string
	private     bool               // it is not to be seen unless cachemgr_passwd names it
	when        func(*Policy) bool // whether there is anything to tell of; nil: always

	collect func(*Policy) any    // what a worker has to tell, on its goroutine; nothing of it is the worker's afterwards
	write   func(*report, []any) // the page, of what all have told
}

// A report is a page that is being written.
type report struct {
	p       *Policy
	request *engine.Request
	out     []byte
}

func (r *report) printf(format string, args ...any) { r.out = fmt.Appendf(r.out, format, args...) }

// print appends lines as they are.
func (r *report) print(text string) { r.out = append(r.out, text...) }

// shown is a name that somebody has given himself, so that it cannot look like another line of a page.
func shown(name string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return '?'
		}
		return c
	}, name)
}

// about makes the two halves of a page fit: what a worker tells, and how what all have told is written.
func about[T any](pg page, collect func(*Policy) T, write func(*report, []T)) page {
	pg.collect = func(p *Policy) any { return collect(p) }
	pg.write = func(r *report, parts []any) {
		all := make([]T, 0, len(parts))
		for _, part := range parts {
			all = append(all, part.(T))
		}
		write(r, all)
	}
	return pg
}

// alone is a page that needs no other worker.
func alone(pg page, write func(*report)) page {
	return about(pg, func(*Policy) struct{} { return struct{}{} }, func(r *report, _ []struct{}) { write(r) })
}
