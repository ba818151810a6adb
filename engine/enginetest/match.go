package enginetest

import "strings"

// anything matches any text within a line.
const anything = "…"

// matches says whether a line fits a pattern, in which … stands for any text.
func matches(pattern, line string) bool {
	parts := strings.Split(pattern, anything)
	if len(parts) == 1 {
		return pattern == line
	}
	rest, ok := strings.CutPrefix(line, parts[0])
	if !ok {
		return false
	}
	last := parts[len(parts)-1]
	for _, part := range parts[1 : len(parts)-1] {
		at := strings.Index(rest, part)
		if at < 0 {
			return false
		}
		rest = rest[at+len(part):]
	}
	return strings.HasSuffix(rest, last)
}

// matchLines says which pattern does not fit its line; a pattern that is … alone stands for
// any number of lines.
func matchLines(patterns, lines []string) (unmatched string, ok bool) {
	for i, p := range patterns {
		if p == anything {
			for skip := 0; skip <= len(lines); skip++ {
				if _, ok := matchLines(patterns[i+1:], lines[skip:]); ok {
					return "", true
				}
			}
			return strings.Join(patterns[i+1:], " / "), false
		}
		if len(lines) == 0 || !matches(p, lines[0]) {
			return p, false
		}
		lines = lines[1:]
	}
	if len(lines) > 0 {
		return "the end, before " + lines[0], false
	}
	return "", true
}
