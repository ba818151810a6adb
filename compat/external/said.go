package external

import (
	"cmp"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/answer"
	"exaproxy/compat/children"
	"exaproxy/engine"
)

// said is what a helper has said to a question. It is not changed, and workers share it.
type said struct {
	outcome acl.Answer
	more    engine.External
	notes   []engine.Note

	until time.Time // while it counts
	renew time.Time // when the helper is asked again, nobody waiting (grace=)
}

// understand reads an answer, which is known now. As in Squid an empty one is ERR. What is neither OK nor ERR tells
// nothing, and does not count.
func (t *Type) understand(line []byte, now time.Time) *said {
	s := &said{outcome: outcomeOf(line)}
	a := answer.Parse(line)
	ttl := time.Duration(0)
	switch s.outcome {
	case acl.Allow:
		ttl = t.TTL
	case acl.Deny:
		ttl = t.NegativeTTL
	}
	a.Each(s.hear)
	s.notes = children.Notes(a.Each)
	s.until = now.Add(ttl)
	s.renew = s.until.Add(-ttl * time.Duration(min(t.Grace, 100)) / 100)
	return s
}

// outcomeOf is what an answer means for an acl: Allow, Deny, or Unknown.
func outcomeOf(line []byte) acl.Answer {
	switch a := answer.Parse(line); {
	case a.Result == answer.OK:
		return acl.Allow
	case a.Result == answer.Err || len(line) == 0:
		return acl.Deny
	}
	return acl.Unknown
}

// Judge says what a helper's answer means for an acl, Allow, Deny or Unknown, and what is wrong with it; "": nothing.
func Judge(line []byte, err error) (outcome acl.Answer, complaint string) {
	if err != nil {
		return acl.Unknown, "is not answered: " + err.Error()
	}
	if outcome = outcomeOf(line); outcome == acl.Unknown {
		complaint = "is answered with what is neither OK nor ERR: " + children.Quote(line)
	}
	return outcome, complaint
}

// hear takes a pair of the answer that is more than a note. The first of a name counts.
func (s *said) hear(name, value []byte) {
	var field *string
	switch string(name) {
	case "user":
		field = &s.more.User
	case "tag":
		field = &s.more.Tag
	case "log":
		field = &s.more.Log
	case "message", "error":
		field = &s.more.Message
	default:
		return
	}
	if *field == "" {
		*field = string(value)
	}
}

// tell has a request know what was said, and returns what that means. A tag that the request has stays.
func (s *said) tell(r *engine.Request) acl.Answer {
	x := &r.External
	x.User = cmp.Or(s.more.User, x.User)
	x.Tag = cmp.Or(x.Tag, s.more.Tag)
	x.Log = cmp.Or(s.more.Log, x.Log)
	x.Message = s.more.Message
	children.Note(r, s.notes)
	return s.outcome
}
