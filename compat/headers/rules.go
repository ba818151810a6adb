package headers

import (
	"slices"
	"strings"

	"exaproxy/compat/acl"
	"exaproxy/compat/logformat"
	"exaproxy/engine"
	"exaproxy/engine/h1"
)

// rules say which fields messages of one direction keep, with which values, and what is added to them:
// request_header_access, request_header_replace and request_header_add, or the same of replies. The zero rules
// change nothing.
type rules struct {
	fields []fieldRule // few
	other  fieldRule   // of names that Squid does not know
	all    fieldRule   // of all that have no other
	added  []addition

	beforeReply bool // they are rules for requests
}

// A fieldRule is what is said of the fields of one name.
type fieldRule struct {
	name        string
	access      *acl.List // nil: nothing is said
	replacement []byte    // takes the place of a value that is denied; nil: the field is removed
}

// An addition is a field that is added.
type addition struct {
	name   string
	text   []byte            // as written
	format *logformat.Format // nil: text
	when   *acl.List
}

// none says whether the rules change nothing.
func (s *rules) none() bool {
	return len(s.fields) == 0 && s.other.access == nil && s.all.access == nil && len(s.added) == 0
}

// nameClients reports whether a field that is added has the name of the client.
func (s *rules) nameClients() bool {
	return slices.ContainsFunc(s.added, func(a addition) bool { return a.format.NamesClients() })
}

// of returns the rule of a name, which begins if there is none.
func (s *rules) of(name string) *fieldRule {
	if name == "All" { // and not all, in Squid
		return &s.all
	}
	if strings.EqualFold(name, "Other") {
		return &s.other
	}
	for i := range s.fields {
		if strings.EqualFold(s.fields[i].name, name) {
			return &s.fields[i]
		}
	}
	s.fields = append(s.fields, fieldRule{name: name})
	return &s.fields[len(s.fields)-1]
}

// decides returns the rule that a field is kept by; nil: it is kept. As in Squid a name that is known counts among all
// if its own rule says nothing but a replacement, and any other does not.
func (s *rules) decides(name []byte) *fieldRule {
	known := isRegistered(name)
	for i := range s.fields {
		switch rule := &s.fields[i]; {
		case !h1.EqualFold(name, rule.name):
		case rule.access != nil:
			return rule
		case !known:
			return nil
		}
	}
	switch {
	case !known && s.other.access != nil:
		return &s.other
	case s.all.access != nil:
		return &s.all
	}
	return nil
}

// apply changes a head by the rules. Fields without which the message could not be read are kept: Squid removes them too.
func (p *Policy) apply(s *rules, r *engine.Request, h *h1.Header) {
	if len(s.fields) > 0 || s.other.access != nil || s.all.access != nil {
		h.Revise(func(name, value []byte) ([]byte, bool) {
			rule := s.decides(name)
			switch {
			case rule == nil || isIndispensable(name) || p.Match(rule.access, r) == acl.Allow:
				return value, true
			case rule.replacement != nil:
				return rule.replacement, true
			}
			return nil, false
		})
	}
	for i := range s.added {
		if a := &s.added[i]; p.Match(a.when, r) == acl.Allow {
			h.Add(a.name, p.added(a, r))
		}
	}
}

// added is the value of a field that is added.
func (p *Policy) added(a *addition, r *engine.Request) []byte {
	if a.format == nil {
		return a.text
	}
	p.scratch = a.format.Append(p.blank(), &engine.Record{Request: r, ReplyHead: r.ReplyHead, Ended: p.Now()})
	return r.Keep(p.scratch)
}
