package external

import (
	"bytes"
	"cmp"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/answer"
	"exaproxy/compat/children"
	"exaproxy/engine"
)

// An entry is what a helper has said to a question, or is going to. It implements children.Asker.
type entry struct {
	of       *asked
	key      key
	question *children.Shared // nil: nobody is asked

	outcome acl.Answer
	said    engine.External
	line    []byte    // the answer, for its notes
	until   time.Time // while it counts
	renew   time.Time // when the helper is asked again, nobody waiting (grace=)

	older, newer *entry
}

// Answered implements children.Asker.
func (e *entry) Answered(line []byte, err error) {
	ttl := time.Duration(0)
	e.question, e.line, e.said = nil, bytes.Clone(line), engine.External{}
	outcome, complaint := Judge(line, err)
	switch e.outcome = outcome; {
	case complaint != "":
		e.of.report(complaint)
	case outcome == acl.Allow:
		ttl = e.of.TTL
	default:
		ttl = e.of.NegativeTTL
	}
	a := answer.Parse(e.line)
	a.Each(e.hear)
	e.until = e.of.loop.Now().Add(ttl)
	e.renew = e.until.Add(-ttl * time.Duration(min(e.of.Grace, 100)) / 100)
	if ttl == 0 || e.of.Cache == 0 {
		e.of.forget(e)
	}
}

// Judge says what a helper's answer means for an acl, Allow or Deny, and what is wrong with it; "": nothing.
func Judge(line []byte, err error) (outcome acl.Answer, complaint string) {
	switch a := answer.Parse(line); {
	case err != nil:
		return acl.Deny, "is not answered: " + err.Error()
	case a.Result == answer.OK:
		return acl.Allow, ""
	case a.Result == answer.Err:
		return acl.Deny, ""
	}
	return acl.Deny, "is answered with what is neither OK nor ERR: " + children.Quote(line)
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

// Tell implements children.Asker. A tag that the request has stays.
func (e *entry) Tell(r *engine.Request) acl.Answer {
	x := &r.External
	x.User = cmp.Or(e.said.User, x.User)
	x.Tag = cmp.Or(x.Tag, e.said.Tag)
	x.Log = cmp.Or(e.said.Log, x.Log)
	x.Message = e.said.Message
	a := answer.Parse(e.line)
	children.Note(r, children.Notes(a.Each))
	return e.outcome
}
