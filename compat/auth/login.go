package auth

import (
	"bytes"
	"slices"
	"strconv"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/answer"
	"exaproxy/engine"
	"exaproxy/engine/loop"
	"exaproxy/helper"
)

// A login is what is known of some credentials: that a helper is asked, or that they are good for some time. It is
// a task of the loop.
type login struct {
	policy *Policy
	key    key
	user   string

	question *helper.Question // nil: nobody is asked
	waker    *loop.Waker
	asked    []byte
	attempts int // questions that the helper had no answer to (BH)
	waiting  []*attempt

	until time.Time // while they are good
	line  []byte    // the helper's answer, if it has pairs
}

// mostAttempts is how often a helper is asked that cannot tell, as in Squid.
const mostAttempts = 3

// An attempt is one request that waits for a login. It implements acl.Inquiry.
type attempt struct {
	login   *login // nil: cancelled
	request *engine.Request
	waker   *loop.Waker
	outcome acl.Answer
}

// Outcome implements acl.Inquiry.
func (a *attempt) Outcome() acl.Answer { return a.outcome }

// Cancel implements acl.Inquiry. Nobody may be left who waits for the answer: it is worth knowing all the same.
func (a *attempt) Cancel() {
	if l := a.login; l != nil {
		l.waiting = slices.DeleteFunc(l.waiting, func(w *attempt) bool { return w == a })
		a.login = nil
	}
}

// asking reports whether a helper is asked.
func (l *login) asking() bool { return l.question != nil }

// proved reports whether the credentials are known to be good.
func (l *login) proved() bool { return !l.asking() && l.policy.loop.Now().Before(l.until) }

// join has a request wait for the answer.
func (l *login) join(r *engine.Request, w *loop.Waker) *attempt {
	a := &attempt{login: l, request: r, waker: w, outcome: acl.Pending}
	l.waiting = append(l.waiting, a)
	return a
}

// Run looks for the answer.
func (l *login) Run() {
	if l.question == nil {
		return
	}
	line, done, err := l.question.Answer()
	if !done {
		return
	}
	switch a := answer.Parse(line); {
	case err != nil:
		l.policy.report(l.user, err.Error())
		l.settle(acl.Challenge, nil)
	case a.Result == answer.OK:
		l.until = l.policy.loop.Now().Add(l.policy.settings.Basic.TTL)
		l.settle(acl.Allow, line)
	case a.Result == answer.Err || len(line) == 0: // some helpers say nothing for no
		l.settle(acl.Challenge, line)
	case a.Result == answer.Broken && l.attempts+1 < mostAttempts:
		l.again()
	default:
		l.policy.report(l.user, "it answered "+strconv.Quote(string(line[:min(len(line), mostQuoted)])))
		l.settle(acl.Challenge, line)
	}
}

// mostQuoted is how much of an answer that makes no sense is logged.
const mostQuoted = 200

// again asks once more.
func (l *login) again() {
	l.attempts++
	l.question.Cancel()
	l.question = l.policy.pool.Ask(l.asked, l.waker)
}

// settle tells all who wait. Credentials that are not good are forgotten: the next who has them is asked about again,
// as the password may have been changed.
func (l *login) settle(outcome acl.Answer, line []byte) {
	if outcome == acl.Allow {
		l.line = bytes.Clone(line)
	} else if l.policy.logins[l.key] == l {
		delete(l.policy.logins, l.key)
	}
	for _, a := range l.waiting {
		a.login, a.outcome = nil, outcome
		if outcome == acl.Allow {
			a.request.User = l.user
		}
		addNotes(a.request, line)
		a.waker.Wake()
	}
	l.end()
}

// end forgets the question and who waits for it.
func (l *login) end() {
	l.question.Cancel()
	l.waker.Retire()
	clear(l.asked)
	l.question, l.asked, l.waiting = nil, nil, nil
}

// addNotes has a request keep what the helper has said beside OK or ERR.
func addNotes(r *engine.Request, line []byte) {
	a := answer.Parse(line)
	a.Each(r.AddNote)
}
