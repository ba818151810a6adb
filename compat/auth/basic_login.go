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
	prover   *basicProver
	key      key
	user     string
	question *children.Shared // nil: nobody is asked

	until time.Time // while they are good
	good  bool      // as of the last answer
	line  []byte    // that answer
}

// proved reports whether the credentials are known to be good.
func (l *login) proved() bool { return l.question == nil && l.prover.loop.Now().Before(l.until) }

// Answered implements children.Asker. Credentials that are not good are forgotten: the next who has them is asked
// about again, as the password may have been changed.
func (l *login) Answered(line []byte, err error) {
	l.question, l.line = nil, bytes.Clone(line)
	if l.good = err == nil && answer.Parse(line).Result == answer.OK; l.good {
		l.until = l.prover.loop.Now().Add(l.prover.TTL)
		return
	}
	l.prover.forget(l)
	l.report(line, err)
}

// Tell implements children.Asker. What the helper has said beside OK or ERR are notes.
func (l *login) Tell(r *engine.Request) acl.Answer {
	a := answer.Parse(l.line)
	a.Each(r.AddNote)
	if !l.good {
		return acl.Challenge
	}
	r.User = l.user
	return acl.Allow
}

// report tells of what is no answer. Some helpers say nothing for no.
func (l *login) report(line []byte, err error) {
	switch {
	case err != nil:
		l.prover.policy.report("Basic", l.user, err.Error())
	case len(line) > 0 && answer.Parse(line).Result != answer.Err:
		l.prover.policy.report("Basic", l.user, "it answered "+children.Quote(line))
	}
}
