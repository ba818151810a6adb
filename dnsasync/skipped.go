package dnsasync

import (
	"fmt"
	"strings"
)

// maxListed is how many lines a Skipped lists one by one.
const maxListed = 20

// Skipped is the error of ReadHosts and ReadResolvConf when lines, or words of lines, were
// left out and the rest is good. The first 20 are listed.
type Skipped struct {
	Lines []SkippedLine // in the order of the file
	Count int           // of all, listed or not
	what  string        // is read: "hosts file"
}

// A SkippedLine is one line, or one word of it, that was left out.
type SkippedLine struct {
	Number int    // of the line, from 1
	Why    string // "not an address"
	Word   string // the offending one
}

// Error returns everything on one line.
func (s *Skipped) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "read %s: %d left out:", s.what, s.Count)
	for i, line := range s.Lines {
		if i > 0 {
			b.WriteByte(';')
		}
		fmt.Fprintf(&b, " line %d: %s: %q", line.Number, line.Why, line.Word)
	}
	if s.Count > len(s.Lines) {
		b.WriteString("; …")
	}
	return b.String()
}

func (s *Skipped) add(number int, why, word string) {
	s.Count++
	if len(s.Lines) < maxListed {
		s.Lines = append(s.Lines, SkippedLine{number, why, word})
	}
}

// err returns s if anything was left out.
func (s *Skipped) err() error {
	if s.Count == 0 {
		return nil
	}
	return s
}
