package acl

import (
	"errors"
	"strings"

	"exaproxy/engine"
	"exaproxy/engine/loop"
)

// Users are who clients prove to be (auth_param).
type Users interface {
	// Prove looks at the credentials of a request whose User is not known. It answers Allow and sets User, or
	// Challenge if the client has to come with other credentials, or Pending: then w is to be woken when the proof
	// is done. It is called again for each acl that wants to know, but not after Pending.
	Prove(r *engine.Request, w *loop.Waker) (Answer, Proof)
}

// A Proof is the look at one request's credentials that has to wait.
type Proof interface {
	// Outcome is Pending until it is known, then Allow or Challenge. With Allow the request's User is set.
	Outcome() Answer
	// Cancel says that nobody wants to know any more.
	Cancel()
}

// proof is a Proof as a question.
type proof struct{ Proof }

func (q proof) settled() bool { return q.Outcome() != Pending }
func (q proof) cancel()       { q.Cancel() }

// credentials is whom the question is put to.
type credentials struct{}

// user is who the client has proved to be. The outcome is a mismatch if it cannot be asked, and challenge if it
// has not proved it: the check of the list ends there.
func (p *Place) user() (name string, result outcome) {
	if p.request.User == "" {
		if p.Users == nil || p.request.TLS != nil && p.request.TLS.Bumped {
			return "", mismatch
		}
		switch p.prove() {
		case Pending:
			return "", wait
		case Challenge:
			return "", challenge
		case Allow, Deny:
		}
	}
	return p.request.User, match
}

// prove has the credentials looked at, once if that has to wait.
func (p *Place) prove() Answer {
	if asked := p.questions.find(credentials{}, nil); asked != nil {
		if !asked.settled() {
			return Pending
		}
		return asked.(proof).Outcome()
	}
	known, asked := p.Users.Prove(p.request, p.Waker)
	if known == Pending {
		p.questions.add(credentials{}, nil, proof{asked})
	}
	return known
}

// errNoScheme is why there may be no acl of users.
var errNoScheme = errors.New("Can't use proxy auth because no authentication schemes are fully configured.")

// haveSchemes says whether clients can prove who they are.
func (v *values) haveSchemes() error {
	if v.set.Schemes == nil || !v.set.Schemes() {
		return errNoScheme
	}
	return nil
}

// userTest is an acl of the type proxy_auth: names, or REQUIRED, which is anybody.
type userTest struct {
	required bool
	fold     bool // from now on names match whatever their case
	exact    map[string]bool
	folded   map[string]bool // in lower case
}

func newUser() tester { return &userTest{exact: make(map[string]bool), folded: make(map[string]bool)} }

func (t *userTest) add(v *values) error {
	if err := v.haveSchemes(); err != nil {
		return err
	}
	for _, item := range v.items {
		switch {
		case item.Text == "-i" || item.Text == "+i":
			t.fold = item.Text == "-i"
		case item.Text == "REQUIRED":
			t.required = true
		case t.fold:
			t.folded[strings.ToLower(item.Text)] = true
		default:
			t.exact[item.Text] = true
		}
	}
	if t.required && len(t.exact)+len(t.folded) > 0 {
		v.warn("WARNING: detected attempt to add usernames to an acl of type REQUIRED")
	}
	return nil
}

func (t *userTest) finish(string) []string { return nil }

func (t *userTest) empty() bool { return !t.required && len(t.exact)+len(t.folded) == 0 }

func (t *userTest) slow() bool { return true }

func (t *userTest) match(p *Place) outcome {
	name, result := p.user()
	if result != match {
		return result
	}
	return outcomeOf(t.required || t.exact[name] || len(t.folded) > 0 && t.folded[strings.ToLower(name)])
}

// userPatterns is an acl of the type proxy_auth_regex.
type userPatterns struct{ textPatterns }

func newUserPattern() tester { return &userPatterns{} }

func (t *userPatterns) add(v *values) error {
	if err := v.haveSchemes(); err != nil {
		return err
	}
	return t.textPatterns.add(v)
}

func (t *userPatterns) slow() bool { return true }

func (t *userPatterns) match(p *Place) outcome {
	name, result := p.user()
	if result != match {
		return result
	}
	p.text = append(p.text[:0], name...)
	return outcomeOf(t.has(p.text, p))
}

// userACL marks the tests of which a client may match another if it comes again as somebody else.
type userACL interface{ ofUser() }

func (t *userTest) ofUser()     {}
func (t *userPatterns) ofUser() {}

// OfUser reports whether the acl that was looked at last is one of users: to be refused by it is to be asked who
// else one is.
func (p *Place) OfUser() bool {
	_, ok := p.lastTest.(userACL)
	return ok
}
