package acl

import (
	"errors"
	"fmt"
	"strings"

	"exaproxy/engine"
	"exaproxy/engine/loop"
)

// Externals are the helpers that decide acls of the type external (external_acl_type).
type Externals interface {
	// Question is what the helper is asked about an acl and a request, as it is known now; valid until the next call.
	Question(a *ExternalACL, r *engine.Request) []byte
	// Decide asks the helper whether the acl matches: Allow if it does, Deny if it does not, Unknown if the helper cannot
	// tell, or Pending: then w is to be woken when the Inquiry is done. If w is nil nobody waits: the helper is not
	// asked, and what it has said before is all that is known: Unknown if that is nothing.
	Decide(a *ExternalACL, question []byte, r *engine.Request, w *loop.Waker) (Answer, Inquiry)
}

// An ExternalACL is an acl of the type external.
type ExternalACL struct {
	Type string // the name of its external_acl_type
	Name string
	Data []string // its values, as written
}

// externalTest is an acl of the type external.
type externalTest struct {
	ExternalACL
	user bool // the helper is told who the client is
}

func newExternal() tester { return &externalTest{} }

func (t *externalTest) add(v *values) error {
	if len(v.items) == 0 {
		return errors.New("ERROR: an acl of the type external names an external_acl_type")
	}
	name := v.items[0].Text
	user, ok := false, false
	if v.set.External != nil {
		user, ok = v.set.External(name)
	}
	switch {
	case !ok:
		return fmt.Errorf("ERROR: acl '%s': there is no external_acl_type '%s' before it", v.acl, name)
	case t.Type != "" && t.Type != name:
		return fmt.Errorf("ERROR: acl '%s' is one of external_acl_type '%s'", v.acl, t.Type)
	}
	if user {
		if err := v.haveSchemes(); err != nil {
			return err
		}
	}
	t.Type, t.Name, t.user = name, v.acl, user
	for _, item := range v.items[1:] {
		t.Data = append(t.Data, item.Text)
	}
	return nil
}

func (t *externalTest) finish(string) []string { return nil }

func (t *externalTest) empty() bool { return t.Type == "" }

func (t *externalTest) slow() bool { return true }

// ofUser: see userACL.
func (t *externalTest) ofUser() bool { return t.user }

// ask implements source.
func (t *externalTest) ask(p *Place, question []byte) inquiry {
	known, wait := p.Externals.Decide(&t.ExternalACL, question, p.request, p.Waker)
	return inquiry{wait, known}
}

// match asks the same once for a request.
func (t *externalTest) match(p *Place) outcome {
	if t.user {
		if _, result := p.user(); result != match {
			return result
		}
	}
	if p.Externals == nil {
		return mismatch
	}
	switch p.decided(t) {
	case Pending:
		return wait
	case Allow:
		return match
	case Unknown:
		return unknown
	case Deny, Challenge:
	}
	return mismatch
}

// decided is what a helper says of the request, which is asked the same once.
func (p *Place) decided(t *externalTest) Answer {
	if p.Known {
		answer, _ := p.Externals.Decide(&t.ExternalACL, p.Externals.Question(&t.ExternalACL, p.request), p.request, nil)
		return answer
	}
	asked := p.open.inquiry
	if p.open.test != t { // else it is the answer that is waited for: with what it says the question would be another
		asked, _ = ask(p, t, p.Externals.Question(&t.ExternalACL, p.request))
	}
	answer := asked.outcome()
	p.open = openInquiry{}
	if answer == Pending {
		p.open = openInquiry{t, asked}
	}
	return answer
}

// An openInquiry is what a list waits for.
type openInquiry struct {
	test    *externalTest
	inquiry inquiry
}

// extUser are the texts for the acls of what a helper has called the client: ext_user.
type extUser struct{ userTest }

func newExtUser() tester {
	return &extUser{userTest{exact: make(map[string]bool), folded: make(map[string]bool)}}
}

func (t *extUser) add(v *values) error { return t.names(v) }

func (t *extUser) slow() bool { return false }

func (t *extUser) ofUser() bool { return false }

func (t *extUser) match(p *Place) outcome { return outcomeOf(t.has(p.request.External.User)) }

// newExtUserPattern makes the type ext_user_regex.
func newExtUserPattern() tester {
	return &textTest{of: func(p *Place) ([]byte, bool) {
		p.text = append(p.text[:0], p.request.External.User...)
		return p.text, len(p.text) > 0
	}}
}

// tagTest is an acl of the type tag: what a helper has put a request under.
type tagTest struct {
	simple
	tags []string
}

func newTag() tester { return &tagTest{} }

func (t *tagTest) add(v *values) error {
	for _, item := range v.items {
		t.tags = append(t.tags, item.Text)
	}
	return nil
}

func (t *tagTest) empty() bool { return len(t.tags) == 0 }

func (t *tagTest) match(p *Place) outcome {
	tag := p.request.External.Tag
	for _, want := range t.tags {
		if tag != "" && strings.EqualFold(tag, want) {
			return match
		}
	}
	return mismatch
}

// Externals are the acls of an external_acl_type, in the order in which they came.
func (s *Set) Externals(typeName string) (all []ExternalACL) {
	for _, a := range s.order {
		if t, ok := a.test.(*externalTest); ok && t.Type == typeName {
			all = append(all, t.ExternalACL)
		}
	}
	return all
}
