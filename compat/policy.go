package compat

import (
	"bytes"
	"log/slog"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/errpage"
	"exaproxy/compat/rewrite"
	"exaproxy/engine"
)

// A policy answers one worker's engine by the settings. It belongs to the worker's goroutine;
// what it shares with other workers, the settings and the log files, is not changed or guards
// itself.
type policy struct {
	engine.DefaultPolicy
	s       *Settings
	worker  engine.Services
	log     *slog.Logger
	logs    *Logs
	journal []journal

	words    words         // texts that many messages carry
	overload *overload     // nil if nobody is asked
	line     []byte        // memory for what is composed and copied on
	asking   engine.Record // what a format of extras is given; only its Request is set
	free     []*visit
}

// newPolicy makes the policy of one worker.
func newPolicy(s *Settings, services engine.Services, logs *Logs, journals []journal) *policy {
	p := &policy{s: s, worker: services, log: services.Log, logs: logs, journal: journals, words: newWords(s)}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	if services.Helpers != nil {
		p.overload = newOverload(p)
	}
	for _, j := range journals {
		if j.file != nil {
			logs.hold(j.file)
		}
	}
	return p
}

// Close gives up the log files.
func (p *policy) Close() {
	for _, j := range p.journal {
		if j.file != nil {
			p.logs.release(j.file)
		}
	}
}

// Route sends a request to the server that its URL names, or to the one that a helper named in
// its place.
func (p *policy) Route(r *engine.Request, failed []engine.Attempt) engine.Route {
	if len(failed) > 0 {
		return engine.Route{Action: engine.Refuse} // there is one way to a server
	}
	hop := engine.Direct(r)
	if v := visited(r); v != nil && v.verdict.Action == rewrite.Intercept {
		hop.Host = v.verdict.Host
		if v.verdict.Port != 0 {
			hop.Port = v.verdict.Port
		}
	}
	if len(r.Judged) > 0 && bytes.Equal(hop.Host, r.Target.Host) {
		hop.Addrs = r.Judged // what was judged is what is dialled
	}
	return engine.Route{Hop: hop}
}

// A visit is what the policy remembers of a request between the engine's questions. Ordinary
// requests need none. It is used again for other requests.
type visit struct {
	place acl.Place

	verdict rewrite.Answer // of the helpers
	failure engine.Failure
	denial  *Denial
	reply   engine.LocalReply
	fields  []byte
	body    []byte
}

// visited returns what is remembered of r, nil if nothing is.
func visited(r *engine.Request) *visit {
	v, _ := r.State.(*visit)
	return v
}

// remember returns what is remembered of r, beginning to.
func (p *policy) remember(r *engine.Request) *visit {
	if v := visited(r); v != nil {
		return v
	}
	var v *visit
	if last := len(p.free) - 1; last >= 0 {
		v = p.free[last]
		p.free = p.free[:last]
	} else {
		v = &visit{}
	}
	v.place.Resolver, v.place.Waker = p.worker.Resolver, r.Waker
	r.State = v
	return v
}

const (
	keptVisits = 256
	keptMemory = 64 << 10 // of each
)

// forget is the opposite of remember.
func (p *policy) forget(r *engine.Request) {
	v := visited(r)
	if v == nil {
		return
	}
	r.State = nil
	v.place.Release()
	if len(p.free) == keptVisits || cap(v.body) > keptMemory || cap(v.fields) > keptMemory {
		return
	}
	*v = visit{place: v.place, fields: v.fields[:0], body: v.body[:0]}
	p.free = append(p.free, v)
}

// now is the loop's time.
func (p *policy) now() time.Time { return p.worker.Loop.Now() }

// dateForm is the form of a Date field (RFC 9110, section 5.6.7).
const dateForm = errpage.TimeFormat
