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
	// Challenge if the client has to come with other credentials, or Pending: then w is to be woken when the Inquiry
	// is done, and with Allow User is set by then. It is called again for each acl that wants to know, but not after Pending.
	Prove(r *engine.Request, w *loop.Waker) (Answer, Inquiry)
}

// An Inquiry is what is being found out about one request, and has to be waited for.
type Inquiry interface {
	// Outcome is Pending until it is known.
	Outcome() Answer
	// Cancel says that nobody wants to know any more.
	Cancel()
}

// inquiry is an Inquiry as a question; nil: what there was to know was known at once.
type inquiry struct {
	Inquiry
	known Answer
}

func (q inquiry) outcome() Answer {
	if q.Inquiry == nil {
		return q.known
	}
	return q.Outcome()
}

func (q inquiry) settled() bool { return q.outcome() != Pending }

func (q inquiry) cancel() {
	if q.Inquiry != nil {
		q.Cancel()
	}
}

// credentials is whom the question is put to.
type credentials struct{}

// user is who the client has proved to be. The outcome is a mismatch if it cannot be asked, and challenge if it
// has not proved it: the check of the list ends there.
func (p *Place) user() (name string, result outcome) {
	if p.request.User == "" {
		if p.Users == nil || p.request.TLS != nil && p.request.TLS.Bumped || p.request.Original().IsValid() {
			return "", mismatch
		}
		switch p.prove() {
		case Pending:
			return "", wait
		case Challenge:
			if p.Unasked {
				return "", mismatch
			}
			return "", challenge
		case Allow, Deny, Unknown:
		}
	}
	if p.Addresses != nil {
		p.Addresses.Seen(p.request)
	}
	return p.request.User, match
}

// prove has the credentials looked at, once if that has to wait.
func (p *Place) prove() Answer {
	if asked := p.questions.find(credentials{}, nil); asked != nil {
		return asked.(inquiry).outcome()
	}
	known, asked := p.Users.Prove(p.request, p.Waker)
	if known == Pending {
		p.questions.add(credentials{}, nil, inquiry{asked, known})
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
	return t.names(v)
}

// names adds the names of one line.
func (t *userTest) names(v *values) error {
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
	return outcomeOf(t.has(name))
}

// has reports whether a name is among the acl's; nobody's is not.
func (t *userTest) has(name string) bool {
	return name != "" && (t.required || t.exact[name] || len(t.folded) > 0 && t.folded[strings.ToLower(name)])
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

// A userACL may match another if its client comes again as somebody else.
type userACL interface{ ofUser() bool }

func (t *userTest) ofUser() bool     { return true }
func (t *userPatterns) ofUser() bool { return true }

// OfUser reports whether the acl that was looked at last is one of users: to be refused by it is to be asked who
// else one is.
func (p *Place) OfUser() bool {
	return ofUser(p.lastTest)
}

func ofUser(test tester) bool {
	t, ok := test.(userACL)
	return ok && t.ofUser()
}
