package conf

import (
	"slices"
	"strings"
)

// Treatment is what becomes of a directive.
type Treatment uint8

const (
	Done     Treatment = iota + 1 // followed as Squid follows it
	Accepted                      // there is nothing to configure; ignoring it loses nothing
	NotYet                        // there would be something to configure, which is not there yet
	Obsolete                      // Squid 5.7 itself ignores it, and says so
)

// Words is how what follows a directive's name is lexed into Line.Tokens. Setters meet no other
// words.
type Words uint8

const (
	Plain       Words = iota // blanks separate, quotes are characters
	Strings                  // "…" and '…' are one word each
	OneString                // one word, or "…" or '…'; what follows it is ignored
	ToEnd                    // everything is one word, a # too
	NameToEnd                // one plain word, then everything else as one
	NameStrings              // one plain word, one that may be quoted, then plain words
	ACL                      // as the acl type in the second word wants it
	AuthParam                // two plain words, then as the parameter that is the second wants it
)

// A Directive is a row of Table.
type Directive struct {
	Name    string
	Aliases []string
	Type    string // of the value, in Squid's words: onoff, time_t, acl_access
	Words   Words
	Treat   Treatment
	Default string // when the configuration does not set it

	// Note is for the administrator. For Done: what to know, often nothing. For Accepted: why
	// nothing is lost. For NotYet: what is missing. For Obsolete: what to write instead.
	Note string

	// Harmful says that a proxy that ignored the directive could let through what the
	// configuration stops, show what it hides, or lose what it keeps. Such a line is refused.
	Harmful bool

	// NoOp are values, words joined by single blanks, that ask for what happens anyway. A line
	// with one of them is accepted without a message, whatever Treat is.
	NoOp []string

	Cache  bool    // Accepted: configures nothing but a cache; all such share one notice
	OnlyIn string  // versions of Squid that know it, if 5.7 does not; "" if 5.7 does
	Own    bool    // not of Squid's
	Since  Version // the first that knows it; Squid5 if older ones do
}

// index finds the rows by name and alias.
var index = func() map[string]*Directive {
	m := make(map[string]*Directive, 2*len(Table))
	for i := range Table {
		d := &Table[i]
		for _, name := range append([]string{d.Name}, d.Aliases...) {
			if m[name] != nil {
				panic("BUG: two rows for directive " + name)
			}
			m[name] = d
		}
	}
	return m
}()

// lookup finds the row of a directive by its name or one of its aliases; nil if there is none.
// Case matters.
func lookup(name string) *Directive { return index[name] }

// AsksNothing reports whether the line asks for what happens anyway, so that nothing has to follow it.
func (l *Line) AsksNothing() bool { return l.Directive != nil && l.Directive.isNoOp(l) }

// isNoOp reports whether the words after the directive's name ask for nothing.
func (d *Directive) isNoOp(l *Line) bool {
	words := make([]string, len(l.Tokens))
	for i, t := range l.Tokens {
		words[i] = t.Text
	}
	value := strings.Join(words, " ")
	return slices.Contains(d.NoOp, value)
}
