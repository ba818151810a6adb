// Package notes notes what the configuration has to say of transactions when they are over, for the log (note).
//
// Package compat takes Settings from a configuration, and asks a worker's Policy before a record is logged. The package
// asks nobody, and what it notes others do not see but the log.
package notes

import (
	"fmt"
	"slices"

	"exaproxy/compat/acl"
	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/engine"
)

// Settings are the notes of a configuration.
type Settings struct {
	notes []*note // in the order of their first lines
}

// A note is all lines of one name. The first that matches counts.
type note struct {
	key    []byte
	values []value
}

type value struct {
	text []byte // as written: as in Squid 5.7 codes of logformat in it mean nothing
	when *acl.List
}

// Directives are the setters.
func (s *Settings) Directives() directive.Set { return directive.Set{"note": s.set} }

// set takes a name, a value, and acls.
func (s *Settings) set(c *directive.Context, l *conf.Line) error {
	if len(l.Tokens) < 2 {
		return conf.Invalid{"FATAL: Missing note key or value"}
	}
	key := l.Tokens[0].Text
	if acl.ReservedNote(key) {
		return conf.Invalid{fmt.Sprintf("FATAL: cannot use a reserved note name: %s", key)}
	}
	when, err := c.KnownConditions(l, 2)
	if err != nil {
		return err
	}
	if when.NeedsError() {
		return conf.Invalid{"ERROR: note cannot have an acl of the type squid_error yet: acls are not told how a transaction ended"}
	}
	if when.Slow() {
		c.Say(1, "WARNING: a note line has an acl that may need a lookup; it matches what is known by the time of logging")
	}
	n := s.find(key)
	n.values = append(n.values, value{[]byte(l.Tokens[1].Text), when})
	return nil
}

// find returns the note of a name, which begins if there is none.
func (s *Settings) find(key string) *note {
	for _, n := range s.notes {
		if string(n.key) == key {
			return n
		}
	}
	n := &note{key: []byte(key)}
	s.notes = append(s.notes, n)
	return n
}

// NeedReply says whether acls of notes are about the reply.
func (s *Settings) NeedReply() bool {
	return slices.ContainsFunc(s.notes, func(n *note) bool {
		return slices.ContainsFunc(n.values, func(v value) bool { return v.when.NeedsReply() })
	})
}

// A Policy notes of one worker's transactions. It belongs to the worker's goroutine.
type Policy struct {
	Settings *Settings
	Match    acl.Match // asks an access list about a request
}

// Annotate notes of a transaction that is over.
func (p *Policy) Annotate(r *engine.Request) {
	for _, n := range p.Settings.notes {
		for _, v := range n.values {
			if p.Match(v.when, r) == acl.Allow {
				r.AddNote(n.key, v.text)
				break
			}
		}
	}
}
