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
	key      key // of the question
	who      key // of the user
	user     string
	question *children.Shared // nil: nobody is asked

	order uint64    // in which helpers were asked, whichever worker's
	until time.Time // while they are good
	good  bool      // as of the last answer
	line  []byte    // that answer
}

// asking implements entry.
func (l *login) asking() bool { return false }

// over implements entry.
func (l *login) over() bool { return !l.prover.loop.Now().Before(l.until) }

// end implements entry.
func (l *login) end() {}

// Answered implements children.Asker. Credentials that are not good are forgotten: the next who has them is asked
// about again, as the password may have been changed.
func (l *login) Answered(line []byte, err error) {
	l.question, l.line = nil, bytes.Clone(line)
	delete(l.prover.asked, l.key)
	good, complaint := JudgeBasic(line, err)
	if l.good = good; l.good {
		l.until = l.prover.loop.Now().Add(l.prover.TTL)
		l.prover.keep(l)
		return
	}
	if complaint != "" {
		l.prover.policy.report("Basic", l.user, complaint)
	}
}

// Abandoned implements children.Asker.
func (l *login) Abandoned() { delete(l.prover.asked, l.key) }

// JudgeBasic says whether credentials are good by what a helper has answered, and what is wrong with that; "": nothing.
// Some helpers say nothing for no.
func JudgeBasic(line []byte, err error) (good bool, complaint string) {
	switch a := answer.Parse(line); {
	case err != nil:
		return false, err.Error()
	case a.Result == answer.OK:
		return true, ""
	case len(line) > 0 && a.Result != answer.Err:
		return false, "it answered " + children.Quote(line)
	}
	return false, ""
}

// Tell implements children.Asker. What the helper has said beside OK or ERR are notes.
func (l *login) Tell(r *engine.Request) acl.Answer {
	a := answer.Parse(l.line)
	children.Note(r, children.Notes(a.Each))
	if !l.good {
		return acl.Challenge
	}
	r.User = l.user
	return acl.Allow
}
