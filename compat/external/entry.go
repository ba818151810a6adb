package external

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/answer"
	"exaproxy/engine"
	"exaproxy/engine/loop"
	"exaproxy/helper"
)

// An entry is what a helper has said to a question, or is going to. It is a task of the loop.
type entry struct {
	of  *asked
	key key

	outcome acl.Answer
	said    engine.External
	line    []byte    // the answer, for its notes
	until   time.Time // while it counts
	renew   time.Time // when the helper is asked again, nobody waiting (grace=)

	question *helper.Question // nil: nobody is asked
	waker    *loop.Waker
	asks     []byte
	attempts int // questions that the helper had no answer to (BH)
	waiting  []*attempt

	older, newer *entry
}

// mostAttempts is how often a helper is asked that cannot tell, as in Squid.
const mostAttempts = 3

// An attempt is one request that waits for an entry. It implements acl.Inquiry.
type attempt struct {
	entry   *entry // nil: it is over
	request *engine.Request
	waker   *loop.Waker
	outcome acl.Answer
}

// Outcome implements acl.Inquiry.
func (a *attempt) Outcome() acl.Answer { return a.outcome }

// Cancel implements acl.Inquiry. The answer is worth knowing though nobody waits for it.
func (a *attempt) Cancel() {
	if e := a.entry; e != nil {
		e.waiting = slices.DeleteFunc(e.waiting, func(w *attempt) bool { return w == a })
		a.entry = nil
	}
}

// ask puts the question.
func (e *entry) ask(line []byte) {
	e.attempts, e.asks = 0, bytes.Clone(line)
	e.waker = e.of.loop.NewWaker(e)
	e.question = e.of.pool.Ask(line, e.waker)
}

// join has a request wait.
func (e *entry) join(r *engine.Request, w *loop.Waker) *attempt {
	a := &attempt{entry: e, request: r, waker: w, outcome: acl.Pending}
	e.waiting = append(e.waiting, a)
	return a
}

// Run looks for the answer.
func (e *entry) Run() {
	if e.question == nil {
		return
	}
	line, done, err := e.question.Answer()
	if !done {
		return
	}
	a := answer.Parse(line)
	switch {
	case err != nil:
		e.of.report("is not answered ("+err.Error()+")", e.asks)
		e.settle(acl.Deny, 0, nil)
	case a.Result == answer.OK:
		e.settle(acl.Allow, e.of.TTL, line)
	case a.Result == answer.Err:
		e.settle(acl.Deny, e.of.NegativeTTL, line)
	case a.Result == answer.Broken && e.attempts+1 < mostAttempts:
		e.attempts++
		e.question.Cancel()
		e.question = e.of.pool.Ask(e.asks, e.waker)
	default:
		e.of.report("is answered with nonsense: "+string(line[:min(len(line), 200)]), e.asks)
		e.settle(acl.Deny, 0, line)
	}
}

// settle remembers the answer, and tells all who wait.
func (e *entry) settle(outcome acl.Answer, ttl time.Duration, line []byte) {
	e.outcome, e.line, e.said = outcome, bytes.Clone(line), engine.External{}
	e.until = e.of.loop.Now().Add(ttl)
	e.renew = e.until.Add(-ttl * time.Duration(min(e.of.Grace, 100)) / 100)
	a := answer.Parse(e.line)
	a.Each(e.hear)
	for _, w := range e.waiting {
		w.entry, w.outcome = nil, outcome
		e.tell(w.request)
		w.waker.Wake()
	}
	e.end()
	if ttl == 0 || e.of.Cache == 0 {
		e.of.forget(e)
	}
}

// hear takes a pair of the answer that is more than a note. The first of a name counts.
func (e *entry) hear(name, value []byte) {
	var field *string
	switch string(name) {
	case "user":
		field = &e.said.User
	case "tag":
		field = &e.said.Tag
	case "log":
		field = &e.said.Log
	case "message", "error":
		field = &e.said.Message
	default:
		return
	}
	if *field == "" {
		*field = string(value)
	}
}

// tell has a request know what was said. A tag that it has stays.
func (e *entry) tell(r *engine.Request) {
	x := &r.External
	x.User = cmp.Or(e.said.User, x.User)
	x.Tag = cmp.Or(x.Tag, e.said.Tag)
	x.Log = cmp.Or(e.said.Log, x.Log)
	x.Message = e.said.Message
	a := answer.Parse(e.line)
	a.Each(r.AddNote)
}

// end forgets the question and who waits for it.
func (e *entry) end() {
	e.question.Cancel()
	e.waker.Retire()
	e.question, e.waiting, e.asks = nil, nil, nil
}
