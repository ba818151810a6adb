package acl

import (
	"fmt"
	"slices"

	"exaproxy/compat/conf"
	"exaproxy/engine"
	"exaproxy/engine/h1"
)

// A Match asks a list about a request, as the policy that is given it wants it asked: one that may wait has the answer
// Pending, and is asked again; one that nobody waits for has what is known.
type Match func(*List, *engine.Request) Answer

// An Answer is what a List says of a request.
type Answer uint8

const (
	Deny      Answer = iota
	Allow            // for lists of conditions: they hold
	Pending          // something is being looked up: Match again when the Place's waker was woken
	Challenge        // the client has to prove first who it is
	Unknown          // of an acl: a helper cannot tell; a List says Deny then, or what it has for that
)

// A List is the rules of one directive, such as http_access: lines of "allow" or "deny" and acls.
// The first line of which all acls match decides. If there is none, the opposite of the last
// line's action is the answer.
//
// A List is filled while its Set is; then it does not change and may be used by any goroutine.
type List struct {
	// Unknown is what the list says when a helper cannot tell whether an acl matches. As in Squid that ends the check,
	// whatever the line says: it is not allowed. It is set before the first Match.
	Unknown Answer

	set       *Set
	directive string
	unset     Answer
	rules     []rule
}

// rule is one line.
type rule struct {
	action Answer
	terms  []term
	at     conf.Pos
	text   string // of the line

	reports bool // it matches nothing, and that is told: see ReportOnly
}

// NewList begins the list of a directive. unset is its answer as long as it has no rules.
func (s *Set) NewList(directive string, unset Answer) *List {
	return &List{set: s, directive: directive, unset: unset}
}

// Add takes a line of which token number from is "allow" or "deny", and acls follow. Squid leaves
// out a line that has no such action or no acl, with a warning. The error, of an acl that
// is not there, is a conf.Report.
func (l *List) Add(line *conf.Line, from int) (warnings []string, err error) {
	context := "aclParseAccessLine: " + lineContext(line)
	if from >= len(line.Tokens) {
		return []string{context, "aclParseAccessLine: missing 'allow' or 'deny'.", leftOut(line)}, nil
	}
	r := rule{at: line.Pos, text: line.Text}
	switch action := line.Tokens[from].Text; action {
	case "allow":
		r.action = Allow
	case "deny":
		r.action = Deny
	default:
		return []string{context, fmt.Sprintf("aclParseAccessLine: expecting 'allow' or 'deny', got '%s'.", action), leftOut(line)}, nil
	}
	if r.terms, warnings, err = l.terms(line, from+1); err != nil {
		return warnings, err
	}
	if len(r.terms) == 0 {
		return append(warnings, context, "aclParseAccessLine: Access line contains no ACL's, skipping", leftOut(line)), nil
	}
	l.rules = append(l.rules, r)
	return warnings, nil
}

// leftOut warns of a line that has no effect. Squid goes on without it too.
func leftOut(line *conf.Line) string {
	return fmt.Sprintf("WARNING: %s: this line of %s has no effect", line.Pos, line.Name)
}

// AddConditions takes a line of which the tokens from number from on are acls, without an action,
// such as that of tcp_outgoing_address. If all match, or there are none, the answer is Allow;
// if no line's do, it is Deny.
func (l *List) AddConditions(line *conf.Line, from int) (warnings []string, err error) {
	r := rule{action: Allow, at: line.Pos, text: line.Text}
	if r.terms, warnings, err = l.terms(line, from); err != nil {
		return warnings, err
	}
	l.rules = append(l.rules, r)
	return warnings, nil
}

func (l *List) terms(line *conf.Line, from int) (terms []term, warnings []string, err error) {
	items, warnings, err := line.Items(from, l.set.Open)
	if err == nil {
		terms, err = l.set.terms(items)
	}
	if err != nil {
		return nil, warnings, line.Bungle(err)
	}
	return terms, warnings, nil
}

// Empty reports whether the list has no rules.
func (l *List) Empty() bool { return len(l.rules) == 0 }

// Slow reports whether Match may answer Pending, given a Place with a resolver. Squid calls
// directives fast that cannot wait; in their lists such acls do not match unless the answer
// is known.
func (l *List) Slow() bool {
	for _, r := range l.rules {
		if slow(r.terms) {
			return true
		}
	}
	return false
}

// AsksHelpers reports whether there are acls in the list that helpers decide (external_acl_type).
func (l *List) AsksHelpers() bool {
	return l.has(func(t tester) bool { _, ok := t.(*externalTest); return ok })
}

// has reports whether there is such an acl in the list, or in a group of it.
func (l *List) has(such func(tester) bool) bool {
	return slices.ContainsFunc(l.rules, func(r rule) bool { return slices.ContainsFunc(r.terms, func(t term) bool { return t.has(such) }) })
}

func (t term) has(such func(tester) bool) bool {
	if own, ok := t.acl.test.(*group); ok {
		return slices.ContainsFunc(own.lines, func(line []term) bool {
			return slices.ContainsFunc(line, func(t term) bool { return t.has(such) })
		})
	}
	return such(t.acl.test)
}

// Match says what the rules say of a request that asks for target: r.Target, or what it was
// rewritten to. p keeps what is looked up; after Pending the same p is to be given again. Match
// does not allocate but where something is looked up.
//
// It panics if the Set is not finished.
func (l *List) Match(r *engine.Request, target *h1.Target, p *Place) Answer {
	if !l.set.finished {
		panic("BUG: " + l.directive + " is matched before its acls are finished")
	}
	p.begin(r, target)
	p.resume(l)
	if p.Observe != nil {
		return l.observed(p)
	}
	return l.match(p)
}

func (l *List) match(p *Place) Answer {
	for i := range l.rules {
		if p.trace != nil {
			p.trace.begin(&l.rules[i])
		}
		switch matchAll(l.rules[i].terms, p) {
		case match:
			if l.rules[i].reports {
				p.report(&l.rules[i])
				continue
			}
			if p.trace != nil {
				p.trace.decides()
			}
			p.narrow()
			return l.rules[i].action
		case wait:
			p.waiting = l
			return Pending
		case challenge:
			return Challenge
		case unknown:
			if p.trace != nil {
				p.trace.unknown()
			}
			return l.Unknown
		case mismatch:
		}
	}
	if len(p.reported) > 0 {
		return Deny // nobody is let in for it but by a line that says so
	}
	return l.implied()
}

// implied is the answer when no line matches.
func (l *List) implied() Answer {
	switch {
	case len(l.rules) == 0:
		return l.unset
	case l.rules[len(l.rules)-1].action == Allow:
		return Deny
	}
	return Allow
}
