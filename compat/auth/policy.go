package auth

import (
	"bytes"
	"log/slog"
	"strings"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/engine"
	"exaproxy/engine/h1"
	"exaproxy/engine/loop"
)

// A Policy looks at the credentials of one worker's requests. It belongs to the worker's goroutine.
type Policy struct {
	settings *Settings
	memory   Memory
	loop     *loop.Loop
	log      *slog.Logger
	schemes  []offered                // in the order in which clients are offered them
	told     map[string]*loop.Limiter // of what goes wrong with helpers, by scheme and kind: what clients can bring about hides nothing else

	addresses *addresses // nil: nobody wants to know from where users come
}

// offered is a scheme that clients may use.
type offered struct {
	name string // in small letters
	prover
}

// NewPolicy makes the policy of one worker; nil if nobody can prove who he is.
func NewPolicy(s *Settings, services engine.Services, memory Memory) *Policy {
	if !s.Enabled() {
		return nil
	}
	p := &Policy{settings: s, memory: memory, loop: services.Loop, log: services.Log, told: make(map[string]*loop.Limiter)}
	for _, n := range s.schemes {
		if n.common().Whole() {
			p.schemes = append(p.schemes, offered{n.name, n.prover(p, services)})
		}
	}
	if s.counters != nil {
		p.addresses = newAddresses(s, services, memory)
	}
	return p
}

// EachKnown calls f for the users whose credentials are good by what their scheme remembers, and for how long they are.
func (p *Policy) EachKnown(f func(scheme, user string, left time.Duration)) {
	for _, s := range p.schemes {
		if k, ok := s.prover.(knower); ok {
			k.eachKnown(func(user string, until time.Time) {
				if left := until.Sub(p.loop.Now()); left > 0 {
					f(s.name, user, left)
				}
			})
		}
	}
}

// Addresses counts from where users come; nil if nobody wants to know.
func (p *Policy) Addresses() *addresses { return p.addresses }

// Prove implements acl.Users. A session of the connection is asked first, then the scheme that the credentials are of.
func (p *Policy) Prove(r *engine.Request, w *loop.Waker) (acl.Answer, acl.Inquiry) {
	st, field := p.memory.OfRequest(r), credentialsOf(r)
	if c := p.memory.OfConnection(r, false); c != nil && c.session != nil {
		if answer, inquiry, over := c.session.prove(r, st, field, w); !over {
			return answer, inquiry
		}
		c.end()
	}
	if by, credentials := p.of(field); by != nil {
		return by.prove(r, st, credentials, w)
	}
	return acl.Challenge, nil
}

// credentialsOf is the field with a client's credentials: where it takes the proxy for the server, that for a server
// (RFC 9110, section 11.6).
func credentialsOf(r *engine.Request) []byte {
	if r.Accelerated() {
		return r.Header.Get("Authorization")
	}
	return r.Header.Get("Proxy-Authorization")
}

// Spent takes credentials that have proved to an accelerator who the client is out of what goes to the server. On a nil
// Policy it does nothing.
func (p *Policy) Spent(r *engine.Request, h *h1.Header) {
	if p != nil && r.User != "" && r.Accelerated() {
		h.Del("Authorization")
	}
}

// of finds the scheme that a field with credentials is of, nil if it is not offered, and what stands behind its name.
func (p *Policy) of(field []byte) (by prover, credentials []byte) {
	name, credentials, _ := bytes.Cut(field, []byte(" "))
	for _, s := range p.schemes {
		if strings.EqualFold(string(name), s.name) {
			return s.prover, bytes.Trim(credentials, " \t")
		}
	}
	return nil, nil
}

// Edit edits the head of the reply to a request. On a nil Policy it does nothing.
func (p *Policy) Edit(r *engine.Request, h *h1.Header) {
	if p == nil || r.User == "" || r.TLS != nil {
		return
	}
	by, credentials := p.of(credentialsOf(r))
	if by, ok := by.(informer); ok {
		by.inform(r, credentials, h)
	}
}

// Challenge appends the fields of a 407, or of a 401 on an accelerator's port, that ask for credentials, each with its CRLF, and says whether the connection
// is to end after it.
func (p *Policy) Challenge(dst []byte, r *engine.Request) (fields []byte, last bool) {
	st := p.memory.OfRequest(r)
	for _, s := range p.schemes {
		mine := s.prover == st.by
		kept, ofConnection := s.prover.(*statefulProver)
		if st.only && !mine || st.unkept && ofConnection {
			continue
		}
		dst = append(dst, fieldFor(r, "Proxy-Authenticate: ", "WWW-Authenticate: ")...)
		if mine && st.challenge != nil {
			dst = append(dst, st.challenge...)
		} else {
			dst = s.challenge(dst)
			last = last || ofConnection && !kept.KeepAlive
		}
		dst = append(dst, "\r\n"...)
	}
	return dst, last
}

// fieldFor is a field of ours, as a proxy or as what the client takes for the server.
func fieldFor(r *engine.Request, proxy, server string) string {
	if r.Accelerated() {
		return server
	}
	return proxy
}

// Disconnected ends what was kept of a connection.
func (p *Policy) Disconnected(c *Connection) { c.end() }

// mostKinds is of how many kinds complaints are told apart. They begin in different ways; of those that quote a helper any
// number.
const mostKinds, beginning = 64, 20

// limiter is the limit for complaints of a kind.
func (p *Policy) limiter(scheme, what string) *loop.Limiter {
	kind := scheme + " " + what[:min(beginning, len(what))]
	if p.told[kind] == nil {
		if len(p.told) >= mostKinds {
			kind = ""
		}
		if p.told[kind] == nil {
			p.told[kind] = new(loop.Limiter)
		}
	}
	return p.told[kind]
}

// report tells, not too often, what went wrong with a helper of a scheme.
func (p *Policy) report(scheme, user, what string) {
	more, ok := p.limiter(scheme, what).Allow(p.loop.Now(), time.Second)
	if !ok {
		return
	}
	what += loop.SinceLast(more)
	log := p.log
	if user != "" {
		log = log.With("user", user)
	}
	log.Error(scheme + " authentication helper: " + what + ". Where clients are asked for credentials they are asked for others")
}

// Close ends what is asked. On a nil Policy it does nothing.
func (p *Policy) Close() {
	if p == nil {
		return
	}
	for _, s := range p.schemes {
		s.close()
	}
	p.addresses.close()
}
