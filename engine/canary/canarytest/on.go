//go:build canary

package canarytest

import (
	"fmt"
	"testing"

	"exaproxy/engine/canary"
)

// A Watch looks for marks in one stream of bytes, however it is cut, also where they are escaped as in URLs
// (%fa) and in logs (\xfa).
type Watch struct {
	Least  int // bytes of a mark that are one; 0 is InText
	run    []byte
	told   bool // of this run
	escape int  // how much of an escape there is: 1 after % or \x, 2 after its f, 3 after \
}

// See says whose mark is in what has come; "" for none.
func (w *Watch) See(p []byte) (whose string) {
	if w.Least == 0 {
		w.Least = InText
	}
	for _, c := range p {
		ended := w.run
		switch mark, text := w.next(c); {
		case mark != 0 && len(w.run) < 2*canary.Size:
			w.run = append(w.run, mark)
		case text && len(w.run) > 0:
			w.run = nil
			if whose == "" {
				whose = w.tell(ended)
			}
			w.told = false
		}
	}
	if whose == "" {
		whose = w.tell(w.run)
	}
	return whose
}

// next takes a byte: it is one of a mark, or text, or a part of an escape.
func (w *Watch) next(c byte) (mark byte, text bool) {
	before := w.escape
	w.escape = 0
	lower := c | 0x20
	switch {
	case c >= canary.First:
		return c, false
	case c == '%':
		w.escape = 1
	case c == '\\':
		w.escape = 3
	case before == 3 && c == 'x':
		w.escape = 1
	case before == 1 && lower == 'f':
		w.escape = 2
	case before == 2 && (c == '8' || c == '9'):
		return 0xf0 | (c - '0'), false
	case before == 2 && 'a' <= lower && lower <= 'f':
		return 0xf0 | (lower - 'a' + 10), false
	default:
		return 0, true
	}
	return 0, false
}

// tell describes a run that is long enough, once.
func (w *Watch) tell(run []byte) string {
	if len(run) < w.Least || w.told {
		return ""
	}
	w.told = true
	return fmt.Sprintf("memory of another: %s (% x)", canary.Whose(run), run)
}

// SkipReuse skips a test that is about memory being used again, which it is not here.
func SkipReuse(tb testing.TB) {
	tb.Helper()
	tb.Skip("in a canary build no memory is used again")
}
