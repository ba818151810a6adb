package acl

import (
	"fmt"
	"strings"

	"exaproxy/compat/conf"
)

// term is an acl as a rule or a group names it.
type term struct {
	acl *namedTest
	not bool // written !name
}

func (t term) match(p *Place) outcome {
	p.last, p.lastTest = t.acl.name, t.acl.test
	before := len(p.matched)
	result := t.acl.match(p)
	if !t.not {
		return result
	}
	p.matched = p.matched[:before] // what it matched is no reason for the rule
	switch result {
	case match:
		return mismatch
	case mismatch:
		return match
	case wait, challenge, unknown:
		return result
	}
	panic("BUG: a test without an outcome")
}

// match tests the request, and tells who wants to know.
func (a *namedTest) match(p *Place) outcome {
	if p.trace == nil {
		return p.test(a.test)
	}
	return p.trace.test(a, p)
}

// matchAll is whether all terms match: the first that does not decides.
func matchAll(terms []term, p *Place) outcome {
	before := len(p.matched)
	for _, t := range terms {
		if result := t.match(p); result != match {
			p.matched = p.matched[:before]
			return result
		}
	}
	return match
}

// terms finds the acls that are named.
func (s *Set) terms(names []conf.Item) ([]term, error) {
	var found []term
	for _, item := range names {
		name, not := strings.CutPrefix(item.Text, "!")
		a := s.lookup(name)
		if a == nil {
			return nil, conf.Invalid{"ACL not found: " + name}
		}
		if _, ok := a.test.(*unserved); ok {
			return nil, conf.Invalid{fmt.Sprintf("ERROR: acl '%s': acl type '%s' is not served yet", a.name, a.typeName)}
		}
		found = append(found, term{a, not})
	}
	return found, nil
}

// group is an acl of other acls.
type group struct {
	lines [][]term
	all   bool // all-of: all of any line; else any-of: any of any line
}

func newAnyOf() tester { return &group{} }

func newAllOf() tester { return &group{all: true} }

func (g *group) add(v *values) error {
	terms, err := v.set.terms(v.items)
	if err != nil {
		return err
	}
	for _, t := range terms {
		if way := t.acl.leadsTo(g); way != nil {
			return fmt.Errorf("ERROR: acl '%s' would contain itself: %s -> %s", v.acl, v.acl, strings.Join(way, " -> "))
		}
	}
	g.lines = append(g.lines, terms)
	return nil
}

// leadsTo names the acls on a way from a to a group, a first; nil if there is none.
func (a *namedTest) leadsTo(g *group) []string {
	own, ok := a.test.(*group)
	if !ok {
		return nil
	}
	if own == g {
		return []string{a.name}
	}
	for _, line := range own.lines {
		for _, t := range line {
			if way := t.acl.leadsTo(g); way != nil {
				return append([]string{a.name}, way...)
			}
		}
	}
	return nil
}

func (g *group) finish(string) []string { return nil }

// empty is about lines: a line without names matches nothing in an any-of, everything in an
// all-of.
func (g *group) empty() bool {
	for _, line := range g.lines {
		if g.all || len(line) > 0 {
			return false
		}
	}
	return true
}

func (g *group) slow() bool {
	for _, line := range g.lines {
		if slow(line) {
			return true
		}
	}
	return false
}

func slow(terms []term) bool {
	for _, t := range terms {
		if t.acl.test.slow() {
			return true
		}
	}
	return false
}

func (g *group) match(p *Place) outcome {
	for _, line := range g.lines {
		result := mismatch
		if g.all {
			result = matchAll(line, p)
		} else {
			result = matchAny(line, p)
		}
		if result != mismatch {
			return result
		}
	}
	return mismatch
}

// matchAny is whether any term matches: the first that does decides, or wants to wait.
func matchAny(terms []term, p *Place) outcome {
	for _, t := range terms {
		if result := t.match(p); result != mismatch {
			return result
		}
	}
	return mismatch
}
