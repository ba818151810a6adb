package peers

import (
	"errors"
	"log/slog"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/engine"
	"exaproxy/engine/h1"
	"exaproxy/engine/loop"
)

// A Policy says which way one worker's requests go. It belongs to the worker's goroutine.
type Policy struct {
	settings *Settings
	shared   *Shared
	log      *slog.Logger
	loop     *loop.Loop
	probe    func(*engine.Hop) *engine.Probe
	match    acl.Match // may wait
	known    acl.Match // does not
	direct   func(*engine.Request) engine.Route

	links  []*link // of the settings' peers
	hashes hashes
	usable []bool // of links, for the request at hand
}

// Config is what a Policy is made of.
type Config struct {
	Settings *Settings
	Shared   *Shared
	Services engine.Services
	Match    acl.Match                          // asks an access list that may have to wait
	Known    acl.Match                          // asks one that nobody waits for
	Direct   func(*engine.Request) engine.Route // is the way to the request's server
}

// NewPolicy makes the policy of one worker; nil if every request goes to the server that its URL names.
func NewPolicy(c Config) *Policy {
	if !c.Settings.Enabled() {
		return nil
	}
	p := &Policy{
		settings: c.Settings, shared: c.Shared, log: c.Services.Log, loop: c.Services.Loop, probe: c.Services.Probe,
		match: c.Match, known: c.Known, direct: c.Direct, hashes: newHashes(c.Settings.peers),
	}
	for i, peer := range c.Settings.peers {
		l := &link{peer: peer, state: &c.Shared.states[i], policy: p, hostname: []byte(peer.host), identity: "cache_peer " + peer.name}
		l.standby = (peer.standing + c.Services.Workers - 1) / max(c.Services.Workers, 1)
		if l.connect = peer.timeout; l.connect <= 0 {
			l.connect = c.Settings.connectTimeout
		}
		p.links = append(p.links, l)
	}
	return p
}

func (p *Policy) now() time.Time { return p.loop.Now() }

// A State is what is known of one request: the ways that it may go. The zero State knows nothing.
type State struct {
	chosen bool
	ways   []way
	gone   int // how many of them were tried, the present one too
}

// Reset makes the State ready for another request.
func (st *State) Reset() {
	clear(st.ways)
	*st = State{ways: st.ways[:0]}
}

var errNoWay = errors.New("it may not go to its server directly, and there is no parent that it may go to and that is there")

// Route gives the ways of a request, one after the other. Of one that a helper has steered to a server (steered) there is
// none but to that.
func (p *Policy) Route(r *engine.Request, st *State, steered bool) engine.Route {
	if !st.chosen {
		if st.chosen = p.choose(r, st, steered); !st.chosen {
			return engine.Route{Action: engine.Pending}
		}
	}
	if len(st.ways) == 0 {
		return engine.Route{Action: engine.Refuse, Failure: &engine.Failure{
			Kind: engine.NoRoute, Side: engine.UpstreamSide, Err: errNoWay}}
	}
	for st.gone < len(st.ways) {
		w := st.ways[st.gone]
		st.gone++
		last := st.gone == len(st.ways)
		route := engine.Route{}
		if w.to == nil {
			route = p.direct(r)
		} else {
			route.Hop = w.to.hop(w.code)
			w.to.state.fetches.Add(1)
		}
		if route.Action == engine.Refuse && !last && (route.Failure == nil || route.Failure.Kind != engine.Refused) {
			continue // its name leads nowhere; a parent may know better
		}
		route.Hop.Elsewhere = !last
		return route
	}
	return engine.Route{Action: engine.Refuse} // for what the last attempt came to
}

// Edit makes the head of a request say to its peer, if it goes to one, what that is to know. What goes on in a tunnel that
// the peer has opened is for the server.
func (p *Policy) Edit(r *engine.Request, h *h1.Header, st *State, d engine.Direction) {
	if st.gone == 0 {
		return
	}
	l := st.ways[st.gone-1].to
	if l == nil || d == engine.Upstream && !l.origin && r.TLS != nil && r.TLS.Bumped {
		return
	}
	l.edit(r, h)
}

// Passes says whether the peer that a request goes to is given the client's own credentials. A nil Policy gives them nobody.
func (p *Policy) Passes(st *State) bool {
	if p == nil || st.gone == 0 {
		return false
	}
	l := st.ways[st.gone-1].to
	return l != nil && l.login.passes
}

// Close ends what was begun. On a nil Policy it does nothing.
func (p *Policy) Close() {
	if p == nil {
		return
	}
	for _, l := range p.links {
		l.close()
	}
}
