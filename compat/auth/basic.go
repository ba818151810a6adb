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
	return &basicProver{Basic: b, policy: p, pool: services.Pools[PoolName("basic")], loop: services.Loop, logins: make(map[key]*login)}
}

// A basicProver has a helper judge user and password, and remembers what it said.
type basicProver struct {
	*Basic
	policy *Policy
	pool   *helper.Pool
	loop   *loop.Loop

	logins map[key]*login
	swept  time.Time     // when those were looked for that are over
	record engine.Record // what a format of key_extras is given; only its Request is set
	line   []byte        // the question that is composed
}

// A key is the hash of a line to the helper: who has it cannot tell the password.
type key [sha256.Size]byte

const (
	mostLogins = 1 << 15     // that are remembered
	sweepEvery = time.Minute // how often those that are over are forgotten
)

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
	l := p.logins[k]
	if l != nil && l.proved() {
		r.Claimed = l.user
		return l.Tell(r), nil
	}
	if l == nil || l.question == nil {
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
	p.sweep()
	l := &login{prover: p, key: k, user: user}
	l.question = children.Ask(l, p.loop, p.pool, line)
	p.logins[k] = l
	return l
}

// forget forgets a login, unless another has its place.
func (p *basicProver) forget(l *login) {
	if p.logins[l.key] == l {
		delete(p.logins, l.key)
	}
}

// sweep forgets the logins that are over. Where there are too many all the same, some other goes: that one
// is asked about again.
func (p *basicProver) sweep() {
	now := p.loop.Now()
	if len(p.logins) < mostLogins && now.Sub(p.swept) < sweepEvery {
		return
	}
	p.swept = now
	for k, l := range p.logins {
		if l.question == nil && !l.proved() {
			delete(p.logins, k)
		}
	}
	for k, l := range p.logins {
		if len(p.logins) < mostLogins {
			break
		}
		if l.question == nil {
			delete(p.logins, k)
		}
	}
}

// close implements prover.
func (p *basicProver) close() {
	for _, l := range p.logins {
		l.question.Close()
	}
	clear(p.logins)
}
