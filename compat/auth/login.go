package auth

import (
	"bytes"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/answer"
	"exaproxy/compat/children"
	"exaproxy/engine"
)

// A login is what is known of some credentials: that a helper is asked, or that they are good for some time. It
// implements children.Asker.
type login struct {
	policy   *Policy
	key      key
	user     string
	question *children.Shared // nil: nobody is asked

	until time.Time // while they are good
	good  bool      // as of the last answer
	line  []byte    // that answer
}

// proved reports whether the credentials are known to be good.
func (l *login) proved() bool { return l.question == nil && l.policy.loop.Now().Before(l.until) }

// Answered implements children.Asker. Credentials that are not good are forgotten: the next who has them is asked
// about again, as the password may have been changed.
func (l *login) Answered(line []byte, err error) acl.Answer {
	l.question, l.line = nil, bytes.Clone(line)
	if l.good = err == nil && answer.Parse(line).Result == answer.OK; l.good {
		l.until = l.policy.loop.Now().Add(l.policy.settings.Basic.TTL)
		return acl.Allow
	}
	l.policy.forget(l)
	l.report(line, err)
	return acl.Challenge
}

// Tell implements children.Asker. What the helper has said beside OK or ERR are notes.
func (l *login) Tell(r *engine.Request) {
	if l.good {
		r.User = l.user
	}
	a := answer.Parse(l.line)
	a.Each(r.AddNote)
}

// report tells of what is no answer. Some helpers say nothing for no.
func (l *login) report(line []byte, err error) {
	switch {
	case err != nil:
		l.policy.report(l.user, err.Error())
	case len(line) > 0 && answer.Parse(line).Result != answer.Err:
		l.policy.report(l.user, "it answered "+children.Quote(line))
	}
}
