package compat

import "exaproxy/compat/conf"

// A LineFate is what becomes of a line of a configuration.
type LineFate string

const (
	Followed      LineFate = "followed"
	WithoutEffect LineFate = "without effect" // there is nothing that it could steer, or not yet
	InTheWay      LineFate = "in the way"     // the configuration cannot be used with it
	NotJudged     LineFate = "not judged"     // what it names is to be defined by a line that stands in the way
)

// A JudgedLine is a line that sets something, and what becomes of it.
type JudgedLine struct {
	Place     string   `json:"place"` // squid.conf(12)
	Directive string   `json:"directive"`
	Text      string   `json:"text"`
	Fate      LineFate `json:"fate"`
	Why       string   `json:"why,omitempty"`  // of one without effect
	Said      []string `json:"said,omitempty"` // about it
}

// judged tells of a line.
func (l *loader) judged(line *conf.Line, became LineFate) {
	if l.o.Judged == nil || line.Type != conf.Setting && line.Broken == nil {
		return
	}
	j := JudgedLine{Place: line.Pos.String(), Directive: line.Name, Text: line.Text, Fate: became, Said: l.said}
	if became == WithoutEffect {
		j.Why = line.Directive.Note
	}
	l.o.Judged(j)
}
