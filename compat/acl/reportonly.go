package acl

import (
	"fmt"
	"slices"
	"strings"
)

// contentTypes are the types that judge what is asked for, and not who asks by which way.
var contentTypes = map[string]bool{
	"dst": true, "dstdomain": true, "dstdom_regex": true, "url_regex": true, "urlpath_regex": true, "browser": true, "referer_regex": true,
	"req_header": true, "req_mime_type": true, "time": true, "external": true, "ssl::server_name": true, "ssl::server_name_regex": true,
}

// ReportOnly has those lines only report that deny and end in an acl: from then on such a line counts as one that does
// not match, but that Place.Reported tells of it. It returns how many there are. What is let pass must be allowed by a
// line behind: that no line matches, which otherwise means the opposite of the last one's action, denies it.
//
// Lines that say who may use the proxy, and how, are none that may only report; the error says which that is. They are
// those that end in an acl of other types than contentTypes, or have anywhere a negated acl that is of another type
// or external: "deny !clients".
func (l *List) ReportOnly(name string) (lines int, err error) {
	a := l.set.lookup(name)
	if why := a.unsparing(); why != "" {
		return 0, fmt.Errorf("acl '%s' %s: what denies by it keeps people out who may not use the proxy", a.name, why)
	}
	for i := range l.rules {
		r := &l.rules[i]
		if r.action != Deny || r.terms[len(r.terms)-1].acl != a {
			continue
		}
		if n := negated(r.terms); n != "" {
			return 0, fmt.Errorf("%s: '%s': '!%s' keeps people out who may not use the proxy", r.at, r.text, n)
		}
		r.reports = true
		lines++
	}
	return lines, nil
}

// unsparing says why an acl may not be the last of a line that only reports; "": it may.
func (a *namedTest) unsparing() string {
	if g, ok := a.test.(*group); ok {
		for _, line := range g.lines {
			for _, t := range line {
				if why := t.acl.unsparing(); why != "" {
					return fmt.Sprintf("has acl '%s', which %s", t.acl.name, why)
				}
			}
		}
		return ""
	}
	switch {
	case ofUser(a.test):
		return "judges who the client is"
	case !contentTypes[a.typeName]:
		return fmt.Sprintf("is of type %s, which does not judge what is asked for", a.typeName)
	case slices.ContainsFunc(predefined[:], func(text string) bool { return strings.HasPrefix(text, a.name+" ") }):
		return "is one of the proxy's own"
	}
	return ""
}

// negated names an acl that is negated in a line, or in a group in it, and lets people in; "": there is none.
func negated(terms []term) string {
	for _, t := range terms {
		g, isGroup := t.acl.test.(*group)
		switch {
		case t.not && (t.acl.typeName == "external" || t.acl.unsparing() != "" || isGroup && g.has("external")):
			return t.acl.name
		case isGroup:
			for _, line := range g.lines {
				if n := negated(line); n != "" {
					return n
				}
			}
		}
	}
	return ""
}

// has says whether an acl of a type is in the group, however deep.
func (g *group) has(typeName string) bool {
	for _, line := range g.lines {
		for _, t := range line {
			if other, ok := t.acl.test.(*group); t.acl.typeName == typeName || ok && other.has(typeName) {
				return true
			}
		}
	}
	return false
}

// Reported names the last acl of each line that matched in the last Match, and only reports.
func (p *Place) Reported() []string { return p.reported }

// report notes a line that matched. What it matched is no reason for another.
func (p *Place) report(r *rule) {
	p.matched, p.reported = p.matched[:0], append(p.reported, r.terms[len(r.terms)-1].acl.name)
	if p.trace != nil {
		p.trace.Rules[len(p.trace.Rules)-1].Reports = true
	}
}
