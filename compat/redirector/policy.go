package redirector

import (
	"bytes"
	"log/slog"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/errpage"
	"exaproxy/compat/reqmod"
	"exaproxy/compat/rewrite"
	"exaproxy/engine"
	"exaproxy/engine/canary"
	"exaproxy/engine/h1"
	"exaproxy/engine/loop"
)

// A Policy has one worker's requests judged by redirectors. It belongs to the worker's goroutine.
type Policy struct {
	settings   *Settings
	whitespace h1.Whitespace
	inTunnel   func(*engine.Request) bool
	identity   *errpage.Identity
	match      acl.Match
	spare      func(r *engine.Request, verdict string)
	log        *slog.Logger
	now        func() time.Time

	overload *overload // nil if nobody is asked
	told     [troubles]loop.Limiter
	record   engine.Record // what a format of extras is given; only its Request is set
	scratch  []byte        // what is composed and copied on
}

// A Config is what a Policy is made from.
type Config struct {
	Settings   *Settings
	Services   engine.Services
	Whitespace h1.Whitespace              // uri_whitespace, which is for URLs of helpers too
	InTunnel   func(*engine.Request) bool // whether the client of a CONNECT is told inside its tunnel, where it shows a page
	Identity   *errpage.Identity
	Match      acl.Match // asks an access list about a request
	// Spare has what the helpers say only be reported: it is told of every verdict that is not followed. nil: they are
	// followed.
	Spare func(r *engine.Request, verdict string)
}

// NewPolicy makes the policy of one worker. Without helpers among the services nobody is asked.
func NewPolicy(c Config) *Policy {
	p := &Policy{settings: c.Settings, whitespace: c.Whitespace, inTunnel: c.InTunnel, identity: c.Identity,
		match: c.Match, spare: c.Spare, log: c.Services.Log, now: c.Services.Loop.Now}
	if c.Services.Helpers != nil {
		p.overload = newOverload(c.Settings, c.Services)
	}
	return p
}

// A State is what is known of one request. The zero State knows nothing.
type State struct {
	answer  rewrite.Answer   // of the helpers
	fields  *h1.Header       // that they want in the place of the request's; nil: those stay
	changes []rewrite.Change // that they want made to them
}

// Steers says whether the helpers chose the server for a request.
func (s *State) Steers() bool { return len(s.answer.Host) > 0 }

// Matters says whether the State of a request that goes on as it is matters after Interpret.
func (s *State) Matters() bool { return s.Steers() || s.fields != nil || len(s.changes) > 0 }

// Complaint is what is wrong with the answer; "": nothing.
func (s *State) Complaint() string { return s.answer.Complaint }

// Question puts the URL to the helpers, unless url_rewrite_access or an overload says otherwise.
func (p *Policy) Question(r *engine.Request) (line []byte, a engine.Action) {
	if p.overload == nil {
		return nil, engine.Proceed
	}
	if r.Asked == 0 { // who is to be asked once more was allowed to be asked
		switch p.match(p.settings.Access, r) {
		case acl.Pending:
			return nil, engine.Pending
		case acl.Deny:
			return nil, engine.Proceed
		case acl.Allow:
		}
		if p.overload.skip() {
			return nil, engine.Proceed
		}
	}
	return p.Compose(r), engine.Ask
}

// Compose makes the question about r, a line or a block, which is good until the next one.
func (p *Policy) Compose(r *engine.Request) []byte {
	if p.settings.Kind == Blocks {
		p.scratch = reqmod.Append(p.blank(), p.settings.URI, p.settings.uriHost, r)
		return p.scratch
	}
	p.record.Request = r
	p.scratch = rewrite.Append(p.blank(), p.settings.Extras, &p.record)
	return p.scratch
}

// blank is memory to compose in. What was composed there before was copied.
func (p *Policy) blank() []byte { return canary.Again(p.scratch, canary.RewriteLine, 0) }

// Steer has a request go to the server that the helpers named in the place of its URL's.
func (p *Policy) Steer(st *State, hop *engine.Hop) {
	if !st.Steers() {
		return
	}
	hop.Host = st.answer.Host
	if st.answer.Port != 0 {
		hop.Port = st.answer.Port
	}
}

// Edit makes the changes to the head of a request that the helpers asked for, and restores the client's Host field in a
// rewritten one, if url_rewrite_host_header is off. st is nil if nothing is kept of the request.
func (p *Policy) Edit(r *engine.Request, h *h1.Header, st *State) {
	if r.WasRewritten && p.settings.KeepHost {
		h.Set("Host", hostAsSent(r))
	}
	if st == nil {
		return
	}
	if st.fields != nil {
		replaceFields(h, st.fields, r.Header.Has("Authorization"))
	}
	for i := range st.changes {
		st.changes[i].Apply(h)
	}
}

// replaceFields puts fields in the place of those of h, but for those that are no helper's business, and for an identity
// that is the URL's (sent says that it is not).
func replaceFields(h, fields *h1.Header, sent bool) {
	var kept h1.Header
	h.Each(func(name, value []byte) bool {
		if rewrite.Reserved(name) || !sent && bytes.EqualFold(name, []byte("Authorization")) && !fields.Has("Authorization") {
			kept.Add(string(name), value)
		}
		return true
	})
	fields.Each(func(name, value []byte) bool {
		if !rewrite.Reserved(name) {
			kept.Add(string(name), value)
		}
		return true
	})
	h.CopyFrom(&kept)
}

// hostAsSent is the client's Host field, or what it ought to have been.
func hostAsSent(r *engine.Request) []byte {
	if host := r.Header.Get("Host"); len(host) > 0 {
		return host
	}
	return r.Keep(r.Target.AppendHost(nil))
}
