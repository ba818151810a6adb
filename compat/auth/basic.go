package auth

import (
	"bytes"
	"crypto/sha256"
	"sync/atomic"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/children"
	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/compat/logformat"
	"exaproxy/engine"
	"exaproxy/engine/loop"
	"exaproxy/helper"
)

// Basic is auth_param basic (RFC 7617).
type Basic struct {
	Program
	TTL           time.Duration // credentialsttl
	CaseSensitive bool

	workers   workers[*basicProver]
	questions atomic.Uint64 // that helpers were asked so far
}

func newBasic() *Basic { return &Basic{Program: newProgram(), TTL: 2 * time.Hour} }

// set implements scheme.
func (b *Basic) set(_ *directive.Context, args *conf.Args, parameter string) (known bool, err error) {
	switch parameter {
	case "credentialsttl":
		b.TTL, err = args.Time(0)
	case "casesensitive":
		b.CaseSensitive, err = args.Bool()
	default:
		return false, nil
	}
	return true, err
}

// prover implements scheme.
func (b *Basic) prover(p *Policy, services engine.Services) prover {
	name := PoolName("basic")
	pool := services.Pools[name]
	mine := &basicProver{Basic: b, policy: p, pool: pool, load: children.NewLoad(name, &b.Children, pool, services), loop: services.Loop,
		logins: newKnown[*login](services.Loop, p.settings.GarbageInterval), asked: make(map[key]*login)}
	b.workers.join(mine)
	return mine
}

// A basicProver has a helper judge user and password, and remembers what it said.
type basicProver struct {
	*Basic
	policy *Policy
	pool   *helper.Pool
	load   *children.Load
	loop   *loop.Loop

	logins known[*login]  // that are good, by who it is
	asked  map[key]*login // that a helper is asked about, by the question
	record engine.Record  // what a format of key_extras is given; only its Request is set
	line   []byte         // the question that is composed
}

// prove implements prover.
func (p *basicProver) prove(r *engine.Request, _ *State, value []byte, w *loop.Waker) (acl.Answer, acl.Inquiry) {
	c, memory, ok := p.parse(value, p.line)
	p.line = memory
	if !ok {
		return acl.Challenge, nil
	}
	if !c.complete {
		r.Claimed = string(c.user)
		return acl.Challenge, nil
	}
	line := p.question(c, r)
	k, who := key(sha256.Sum256(line)), p.who(c, line)
	if l := p.logins.byKey[who]; l != nil && l.key == k && !l.over() {
		r.Claimed = l.user
		return l.Tell(r), nil
	}
	l := p.asked[k]
	if l == nil {
		if p.load.Full() && p.load.Drops("their clients are asked for other credentials") {
			r.Claimed = string(c.user)
			return acl.Challenge, nil
		}
		l = p.ask(k, who, string(c.user), line)
	}
	r.Claimed = l.user
	return acl.Pending, l.question.Join(r, w)
}

// challenge implements prover.
func (p *basicProver) challenge(dst []byte) []byte {
	dst = append(append(append(dst, `Basic realm="`...), quoted(p.Realm)...), '"')
	if p.UTF8 {
		dst = append(dst, `, charset="UTF-8"`...)
	}
	return dst
}

// question is the line to the helper. It stands behind the credentials, in their memory.
func (p *basicProver) question(c credentials, r *engine.Request) []byte {
	start := len(p.line)
	p.line = logformat.AppendEscaped(p.line, string(c.user))
	p.line = append(p.line, ' ')
	p.line = logformat.AppendEscaped(p.line, string(c.password))
	p.line = p.appendExtras(p.line, r, &p.record)
	return p.line[start:]
}

// who is a user, with what key_extras say of him, and without his password: a new password takes the old one's place.
func (p *basicProver) who(c credentials, line []byte) key {
	_, rest, _ := bytes.Cut(line, blank)
	_, extras, _ := bytes.Cut(rest, blank)
	start := len(p.line)
	p.line = append(append(logformat.AppendEscaped(p.line, string(c.user)), ' '), extras...)
	return sha256.Sum256(p.line[start:])
}

var blank = []byte{' '}

// ask begins a login.
func (p *basicProver) ask(k, who key, user string, line []byte) *login {
	l := &login{prover: p, key: k, who: who, user: user, order: p.questions.Add(1)}
	p.asked[k] = l
	l.question = children.Ask(l, p.loop, p.pool, line)
	return l
}

// keep remembers a login that is good, and has the other workers do so.
func (p *basicProver) keep(l *login) {
	p.remember(l)
	p.workers.tell(p, func(other *basicProver) {
		copied := *l
		copied.prover = other
		other.remember(&copied)
	})
}

// remember remembers a login, unless the helper was asked about another of the user later: an old password whose answer was
// slow takes no new one's place.
func (p *basicProver) remember(l *login) {
	if other := p.logins.byKey[l.who]; other == nil || other.order < l.order {
		p.logins.add(l.who, l)
	}
}

// mailbox implements worker.
func (p *basicProver) mailbox() *loop.Loop { return p.loop }

// close implements prover.
func (p *basicProver) close() {
	p.workers.leave(p)
	for _, l := range p.asked {
		l.question.Close()
	}
	clear(p.asked)
}

// eachKnown implements knower.
func (p *basicProver) eachKnown(f func(user string, until time.Time)) {
	for _, l := range p.logins.byKey {
		f(l.user, l.until)
	}
}
