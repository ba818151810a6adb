package external

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"log/slog"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/children"
	"exaproxy/compat/lru"
	"exaproxy/engine"
	"exaproxy/engine/loop"
	"exaproxy/helper"
)

// A Policy has helpers decide acls for one worker's requests. It belongs to the worker's goroutine.
type Policy struct {
	asked    map[string]*asked // by the names of their types
	loop     *loop.Loop
	exchange *Exchange
	closed   bool

	record engine.Record // what a format is given; only its Request is set
	line   []byte        // the question that is composed
}

// asked is one type's helpers, and what they have said.
type asked struct {
	*Type
	policy *Policy
	pool   *helper.Pool
	load   *children.Load
	loop   *loop.Loop
	log    *slog.Logger

	known     lru.Cache[key, *said]
	questions map[key]*question // that wait for an answer
	alone     uint64            // of those the number that nothing is remembered of (cache=0)
	told      loop.Limiter
}

// A key is the hash of a question.
type key [sha256.Size]byte

// NewPolicy makes the policy of one worker, which hears by the exchange what helpers say to others.
func NewPolicy(s *Settings, services engine.Services, x *Exchange) *Policy {
	p := &Policy{asked: make(map[string]*asked), loop: services.Loop, exchange: x}
	for _, t := range s.types {
		pool := services.Pools[PoolName(t.Name)]
		p.asked[t.Name] = &asked{Type: t, policy: p, pool: pool, load: children.NewLoad("external_acl_type", &t.Children, pool, services),
			loop: services.Loop, log: services.Log, known: lru.Cache[key, *said]{Most: t.Cache}, questions: make(map[key]*question)}
	}
	x.join(p)
	return p
}

// Question implements acl.Externals.
func (p *Policy) Question(a *acl.ExternalACL, r *engine.Request) []byte {
	p.record.Request, p.record.ReplyHead = r, r.ReplyHead
	p.line = p.asked[a.Type].append(p.line[:0], a, &p.record)
	return p.line
}

// Decide implements acl.Externals. While what was said counts nobody waits, and if the helpers are too busy to be asked
// what was said before counts still.
func (p *Policy) Decide(a *acl.ExternalACL, line []byte, r *engine.Request, w *loop.Waker) (acl.Answer, acl.Inquiry) {
	t := p.asked[a.Type]
	k, now := t.key(line), t.loop.Now()
	s, ok := t.known.Get(k)
	fresh := ok && now.Before(s.until)
	if w != nil && !(fresh && now.Before(s.renew)) {
		q := t.ask(k, line)
		switch {
		case q != nil && !fresh:
			return acl.Pending, q.shared.Join(r, w)
		case q == nil && !ok:
			t.report("is not asked: too many questions wait (queue-size)")
			r.External.Message = "SYSTEM TOO BUSY, TRY AGAIN LATER"
		}
	}
	if !ok || w == nil && !fresh {
		return acl.Unknown, nil
	}
	return s.tell(r), nil
}

// key is what the answer to a question is remembered by. With cache=0 each is a question of its own.
func (t *asked) key(line []byte) key {
	k := key(sha256.Sum256(line))
	if t.Cache == 0 {
		t.alone++
		binary.BigEndian.PutUint64(k[:], t.alone)
	}
	return k
}

// Remembered is how many answers of a type are remembered.
func (p *Policy) Remembered(name string) int {
	if t := p.asked[name]; t != nil {
		return t.known.Len()
	}
	return 0
}

// report tells, not too often, what went wrong.
func (t *asked) report(what string) {
	more, ok := t.told.Allow(t.loop.Now(), time.Second)
	if !ok {
		return
	}
	t.log.Warn(fmt.Sprintf("external ACL '%s' %s. Access that depends on it is refused%s", t.Name, what, loop.SinceLast(more)))
}

// Close ends what is asked.
func (p *Policy) Close() {
	p.closed = true
	p.exchange.leave(p)
	for _, t := range p.asked {
		for _, q := range t.questions {
			q.shared.Close()
		}
		clear(t.questions)
	}
}
