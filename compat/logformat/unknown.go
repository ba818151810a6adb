package logformat

import (
	"fmt"
	"slices"
	"strings"

	"exaproxy/compat/spelling"
)

// units are what may stand right behind a code in small letters: %trms is %tr and "ms".
var units = []string{"s", "ms", "us", "ns", "sec", "msec", "usec", "nsec", "seconds", "milliseconds", "b", "byte", "bytes"}

// goesOn says whether the text behind a code makes a longer name of it, which no Squid knows. Squid 5.7 takes %transport for
// %tr and "ansport", which nobody has meant. What begins with anything but a small letter is text.
func goesOn(rest string) bool {
	if rest == "" || !isLower(rest[0]) {
		return false
	}
	return !slices.Contains(units, rest[:nameEnd(rest)])
}

// nameEnd is where a name that s begins with ends.
func nameEnd(s string) int {
	i := 0
	for i < len(s) {
		switch c := s[i]; {
		case isLower(c) || isAlphanumeric(c) || c == '_':
			i++
		case strings.HasPrefix(s[i:], "::"):
			i += 2
		case (c == '<' || c == '>') && (i == 0 || strings.HasSuffix(s[:i], "::")):
			i++
		default:
			return i
		}
	}
	return i
}

func isLower(c byte) bool { return c >= 'a' && c <= 'z' }

// unsupported words that what stands at written, in spec, is no code. found is the one that it begins with; nil: there is none.
func unsupported(spec, written string, found *code) error {
	name := written[:nameEnd(written)]
	text := fmt.Sprintf("Unsupported %%code: '%s'", spec)
	if meant := nearest(name); meant != "" {
		text += fmt.Sprintf(": is '%%%s' meant?", meant)
	}
	if found != nil && strings.HasPrefix(name, found.name) {
		text += fmt.Sprintf(" (%%%s with text behind it is written %%%s{}%s)", found.name, found.name, strings.TrimPrefix(name, found.name))
	}
	return fmt.Errorf("%s", text)
}

// nearest is the code whose name differs least from one that is none; "" if all are far.
func nearest(name string) (found string) {
	best := min(len(name)/4+1, 5)
	consider := func(known string) {
		if far := spelling.Slips(name, known); far < best {
			best, found = far, known
		}
	}
	for i := range codes {
		consider(codes[i].name)
	}
	for _, known := range unavailable {
		consider(known)
	}
	return found
}
