package external

import (
	"crypto/sha256"
	"fmt"
	"log/slog"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/children"
	"exaproxy/engine"
	"exaproxy/engine/loop"
	"exaproxy/helper"
)

// A Policy has helpers decide acls for one worker's requests. It belongs to the worker's goroutine.
type Policy struct {
	asked  map[string]*asked // by the names of their types
	record engine.Record     // what a format is given; only its Request is set
	line   []byte            // the question that is composed
}

// asked is one type's helpers, and what they have said.
type asked struct {
	*Type
	pool *helper.Pool
	loop *loop.Loop
	log  *slog.Logger

	known          map[key]*entry
	newest, oldest *entry // by their last use
	most           int    // that are remembered, this worker's share
	told           loop.Limiter
}

// A key is the hash of a question.
type key [sha256.Size]byte

// NewPolicy makes the policy of one worker.
func NewPolicy(s *Settings, services engine.Services) *Policy {
	p := &Policy{asked: make(map[string]*asked)}
	for _, t := range s.types {
		p.asked[t.Name] = &asked{Type: t, pool: services.Pools[PoolName(t.Name)], loop: services.Loop, log: services.Log,
			known: make(map[key]*entry), most: t.Cache / max(services.Workers, 1)}
	}
	return p
}

// Question implements acl.Externals.
func (p *Policy) Question(a *acl.ExternalACL, r *engine.Request) []byte {
	p.record.Request = r
	p.line = p.asked[a.Type].append(p.line[:0], a, &p.record)
	return p.line
}

// Decide implements acl.Externals.
func (p *Policy) Decide(a *acl.ExternalACL, question []byte, r *engine.Request, w *loop.Waker) (acl.Answer, acl.Inquiry) {
	t := p.asked[a.Type]
	k := key(sha256.Sum256(question))
	e, now := t.known[k], t.loop.Now()
	if e != nil && now.Before(e.until) {
		t.use(e)
		if e.question == nil && !now.Before(e.renew) && !t.full() {
			t.ask(e, question)
		}
		return e.Tell(r), nil
	}
	if (e == nil || e.question == nil) && t.full() {
		t.report("is not asked: too many questions wait (queue-size)")
		return acl.Deny, nil
	}
	if e == nil {
		e = t.remember(k)
	}
	if e.question == nil {
		t.ask(e, question)
	}
	return acl.Pending, e.question.Join(r, w)
}

// ask puts the question of an entry.
func (t *asked) ask(e *entry, question []byte) {
	e.question = children.Ask(e, t.loop, t.pool, question)
}

// full reports whether no more questions may wait (queue-size).
func (t *asked) full() bool { return t.pool.Busy() && t.pool.Queue() >= t.Children.QueueSize }

// report tells, not too often, what went wrong.
func (t *asked) report(what string) {
	more, ok := t.told.Allow(t.loop.Now(), time.Second)
	if !ok {
		return
	}
	since := ""
	if more > 0 {
		since = fmt.Sprintf(" (%d more since the last message)", more)
	}
	t.log.Warn(fmt.Sprintf("external ACL '%s' %s. The acl does not match%s", t.Name, what, since))
}

// Close ends what is asked.
func (p *Policy) Close() {
	for _, t := range p.asked {
		for _, e := range t.known {
			e.question.Close()
		}
		clear(t.known)
	}
}
