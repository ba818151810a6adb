package acl

import "fmt"

// notices are warnings of one kind about the values of one acl. A list of a million values may
// deserve a million of them: ten are told, and how many there would be more.
type notices struct {
	rest  string // how to tell the number of those left out
	kept  []string
	count int
}

const noticesKept = 10

// add takes the lines of one warning.
func (n *notices) add(lines ...string) {
	if n.count++; n.count <= noticesKept {
		n.kept = append(n.kept, lines...)
	}
}

func (n *notices) lines() []string {
	if n.count <= noticesKept {
		return n.kept
	}
	return append(n.kept, fmt.Sprintf(n.rest, n.count-noticesKept))
}
