package external

import (
	"exaproxy/compat/acl"
	"exaproxy/compat/children"
	"exaproxy/engine"
)

// A question is put to a helper, and some requests wait for the answer, or none. It implements children.Asker.
type question struct {
	of     *asked
	key    key
	shared *children.Shared
	said   *said // in the end
}

// ask puts a question, unless it waits for its answer already. It returns nil if too many do.
func (t *asked) ask(k key, line []byte) *question {
	if q := t.questions[k]; q != nil {
		return q
	}
	if t.load.Full() {
		t.load.Warn()
		return nil
	}
	q := &question{of: t, key: k}
	t.questions[k] = q
	q.shared = children.Ask(q, t.loop, t.pool, line)
	return q
}

// Abandoned implements children.Asker.
func (q *question) Abandoned() { delete(q.of.questions, q.key) }

// Answered implements children.Asker. The other workers hear of it too.
func (q *question) Answered(line []byte, err error) {
	t, now := q.of, q.of.loop.Now()
	delete(t.questions, q.key)
	if q.said = t.understand(line, now); err != nil {
		q.said = &said{outcome: acl.Unknown}
	}
	if _, complaint := Judge(line, err); complaint != "" {
		t.report(complaint)
	}
	if q.said.until.After(now) && t.Cache > 0 {
		t.known.Put(q.key, q.said)
		t.policy.exchange.tell(t.policy, t.Name, q.key, q.said)
	} else {
		t.known.Delete(q.key)
	}
}

// Tell implements children.Asker.
func (q *question) Tell(r *engine.Request) acl.Answer { return q.said.tell(r) }
