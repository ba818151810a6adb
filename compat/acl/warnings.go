package acl

import "fmt"

// limitedWarnings are warnings of one kind about the values of one acl. A list of a million values
// may deserve a million of them: the first maxWarnings are kept, the others counted.
type limitedWarnings struct {
	summary string // a format for the number of those that are not kept
	kept    []string
	count   int
}

const maxWarnings = 10

// add adds the lines of one warning.
func (w *limitedWarnings) add(lines ...string) {
	if w.count++; w.count <= maxWarnings {
		w.kept = append(w.kept, lines...)
	}
}

func (w *limitedWarnings) lines() []string {
	if w.count <= maxWarnings {
		return w.kept
	}
	return append(w.kept, fmt.Sprintf(w.summary, w.count-maxWarnings))
}
