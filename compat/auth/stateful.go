package auth

import (
	"strings"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/children"
	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/engine"
	"exaproxy/engine/loop"
	"exaproxy/helper"
)

// Stateful is auth_param ntlm and auth_param negotiate (RFC 4559): schemes that prove connections. A helper that has
// begun a handshake has to be asked until its end.
type Stateful struct {
	Program
	Name      string // as clients are told
	Mutual    bool   // the helper has a token for the client when it accepts it too
	KeepAlive bool   // keep_alive; off: the connection ends after a challenge that begins a handshake
}

func newNTLM() *Stateful {
	return &Stateful{Program: newProgram(), Name: "NTLM", KeepAlive: true}
}

func newNegotiate() *Stateful {
	return &Stateful{Program: newProgram(), Name: "Negotiate", Mutual: true, KeepAlive: true}
}

// set implements scheme.
func (s *Stateful) set(_ *directive.Context, args *conf.Args, parameter string) (known bool, err error) {
	if parameter != "keep_alive" {
		return false, nil
	}
	s.KeepAlive, err = args.Bool()
	return true, err
}

const (
	tokenLineMax = 1<<16 - 1        // bytes of a question, as in Squid
	leastSilence = 64 * time.Second // for which a helper may be silent before it is replaced, in the middle of a handshake
)

// shape implements shaper. Squid has no concurrency for such helpers, whatever the configuration says.
func (s *Stateful) shape(hc *helper.Config) {
	hc.Concurrency, hc.Pipeline = 0, 0 // another's line between two of a handshake would be taken for one of it
	hc.LineMax = tokenLineMax
	hc.Reservation = time.Duration(s.Children.Reservation) * time.Second
	hc.Timeout = max(hc.Reservation, leastSilence)
}

// prover implements scheme.
func (s *Stateful) prover(p *Policy, services engine.Services) prover {
	name := PoolName(s.name())
	pool := services.Pools[name]
	return &statefulProver{Stateful: s, policy: p, loop: services.Loop, pool: pool, load: children.NewLoad(name, &s.Children, pool, services)}
}

// name is the scheme's in the configuration.
func (s *Stateful) name() string { return strings.ToLower(s.Name) }

// A statefulProver has a helper judge the tokens of handshakes, each of which is a session.
type statefulProver struct {
	*Stateful
	policy *Policy
	loop   *loop.Loop
	pool   *helper.Pool
	load   *children.Load

	record engine.Record // what a format of key_extras is given; only its Request is set
	line   []byte        // the question that is composed
}

// prove implements prover: it begins a handshake.
func (p *statefulProver) prove(r *engine.Request, st *State, token []byte, w *loop.Waker) (acl.Answer, acl.Inquiry) {
	if !isToken68(token) {
		return acl.Challenge, nil
	}
	if p.load.Full() && p.load.Drops("their clients are asked for other credentials") {
		return acl.Challenge, nil
	}
	h := &handshake{prover: p, talk: p.pool.Converse()}
	h.waker = p.loop.NewWaker(h)
	p.policy.memory.OfConnection(r, true).begin(h)
	return acl.Pending, h.ask("YR ", r, st, token, w)
}

// challenge implements prover.
func (p *statefulProver) challenge(dst []byte) []byte { return append(dst, p.Name...) }

// close implements prover. Handshakes are their connections'.
func (p *statefulProver) close() {}

// question is a line to the helper.
func (p *statefulProver) question(verb string, token []byte, r *engine.Request) []byte {
	p.line = append(append(p.line[:0], verb...), token...)
	p.line = p.appendExtras(p.line, r, &p.record)
	return p.line
}

// isToken68 says whether b is a token68 (RFC 9110, section 11.2). Nothing else is put to a helper: a blank would begin
// what key_extras say.
func isToken68(b []byte) bool {
	for _, c := range b {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && !(c >= '0' && c <= '9') && c != '+' && c != '/' && c != '=' && c != '-' && c != '.' && c != '_' && c != '~' {
			return false
		}
	}
	return len(b) > 0
}
