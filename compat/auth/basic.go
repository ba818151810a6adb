package auth

import (
	"crypto/sha256"
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
	return &basicProver{Basic: b, policy: p, pool: pool, load: children.NewLoad(name, &b.Children, pool, services), loop: services.Loop,
		logins: newKnown[*login](services.Loop, p.settings.GarbageInterval)}
}

// A basicProver has a helper judge user and password, and remembers what it said.
type basicProver struct {
	*Basic
	policy *Policy
	pool   *helper.Pool
	load   *children.Load
	loop   *loop.Loop

	logins known[*login]
	record engine.Record // what a format of key_extras is given; only its Request is set
	line   []byte        // the question that is composed
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
	k := key(sha256.Sum256(line))
	l := p.logins.byKey[k]
	if l != nil && l.proved() {
		r.Claimed = l.user
		return l.Tell(r), nil
	}
	if l == nil || l.question == nil {
		if p.load.Full() && p.load.Drops("their clients are asked for other credentials") {
			r.Claimed = string(c.user)
			return acl.Challenge, nil
		}
		l = p.ask(k, string(c.user), line)
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

// ask begins a login.
func (p *basicProver) ask(k key, user string, line []byte) *login {
	l := &login{prover: p, key: k, user: user}
	l.question = children.Ask(l, p.loop, p.pool, line)
	p.logins.add(k, l)
	return l
}

// forget forgets a login, unless another has its place.
func (p *basicProver) forget(l *login) {
	if p.logins.byKey[l.key] == l {
		delete(p.logins.byKey, l.key)
	}
}

// close implements prover.
func (p *basicProver) close() { p.logins.close() }
