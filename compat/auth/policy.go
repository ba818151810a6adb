package auth

import (
	"crypto/sha256"
	"fmt"
	"log/slog"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/children"
	"exaproxy/compat/logformat"
	"exaproxy/engine"
	"exaproxy/engine/loop"
	"exaproxy/helper"
)

// A Policy looks at the credentials of one worker's requests. It belongs to the worker's goroutine.
type Policy struct {
	settings *Settings
	pool     *helper.Pool
	loop     *loop.Loop
	log      *slog.Logger

	logins map[key]*login
	swept  time.Time     // when those were looked for that are over
	record engine.Record // what a format of key_extras is given; only its Request is set
	line   []byte        // the question that is composed
	told   loop.Limiter  // of what goes wrong with helpers
}

// A key is the hash of a line to the helper: who has it cannot tell the password.
type key [sha256.Size]byte

const (
	mostLogins = 1 << 15     // that are remembered
	sweepEvery = time.Minute // how often those that are over are forgotten
)

// NewPolicy makes the policy of one worker; nil if nobody can prove who he is.
func NewPolicy(s *Settings, services engine.Services) *Policy {
	if !s.Enabled() {
		return nil
	}
	return &Policy{settings: s, pool: services.Pools[poolName], loop: services.Loop, log: services.Log, logins: make(map[key]*login)}
}

// Prove implements acl.Users.
func (p *Policy) Prove(r *engine.Request, w *loop.Waker) (acl.Answer, acl.Inquiry) {
	c, memory, ok := p.settings.Basic.parse(r.Header.Get("Proxy-Authorization"), p.line)
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
		l.Tell(r)
		return acl.Allow, nil
	}
	if l == nil || l.question == nil {
		l = p.ask(k, string(c.user), line)
	}
	r.Claimed = l.user
	return acl.Pending, l.question.Join(r, w)
}

// question is the line to the helper. It stands behind the credentials, in their memory.
func (p *Policy) question(c credentials, r *engine.Request) []byte {
	start := len(p.line)
	p.line = logformat.AppendEscaped(p.line, string(c.user))
	p.line = append(p.line, ' ')
	p.line = logformat.AppendEscaped(p.line, string(c.password))
	if extras := p.settings.Basic.Extras; extras != nil {
		p.record.Request = r
		p.line = append(p.line, ' ')
		p.line = extras.Append(p.line, &p.record)
	}
	return p.line[start:]
}

// ask begins a login.
func (p *Policy) ask(k key, user string, line []byte) *login {
	p.sweep()
	l := &login{policy: p, key: k, user: user}
	l.question = children.Ask(l, p.loop, p.pool, line)
	p.logins[k] = l
	return l
}

// forget forgets a login, unless another has its place.
func (p *Policy) forget(l *login) {
	if p.logins[l.key] == l {
		delete(p.logins, l.key)
	}
}

// sweep forgets the logins that are over. Where there are too many all the same, some other goes: that one
// is asked about again.
func (p *Policy) sweep() {
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

// report tells, not too often, what went wrong with a helper.
func (p *Policy) report(user, what string) {
	const every = time.Second
	more, ok := p.told.Allow(p.loop.Now(), every)
	if !ok {
		return
	}
	if more > 0 {
		what += fmt.Sprintf(" (%d more since the last message)", more)
	}
	p.log.Error("Basic authentication helper: "+what+". The client is asked for other credentials", "user", user)
}

// Close ends what is asked.
func (p *Policy) Close() {
	if p == nil {
		return
	}
	for _, l := range p.logins {
		l.question.Close()
	}
	clear(p.logins)
}
