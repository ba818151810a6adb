package indirect

import (
	"bytes"
	"errors"
	"log/slog"
	"net/netip"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/engine"
	"exaproxy/engine/canary"
	"exaproxy/engine/loop"
)

// mostHops is how many addresses of X-Forwarded-For are believed at most, as in Squid since 6.6: each may cost
// a lookup.
const mostHops = 64

// A Policy finds out for whom one worker's requests are asked. It belongs to the worker's goroutine.
type Policy struct {
	settings *Settings
	match    acl.Match // waits
	known    acl.Match // does not
	log      *slog.Logger
	now      func() time.Time

	endless loop.Limiter // of what is logged of lists longer than mostHops
	scratch []byte       // to join fields in
}

// NewPolicy makes the policy of one worker. known asks lists that nobody waits for.
func NewPolicy(s *Settings, services engine.Services, match, known acl.Match) *Policy {
	return &Policy{settings: s, match: match, known: known, log: services.Log, now: services.Loop.Now}
}

// MayAnnounce says whether the sender of a connection may say by a PROXY header for whom it has connected, or why not.
// r has of a request nothing but its connection.
func (p *Policy) MayAnnounce(r *engine.Request) error {
	switch list := p.settings.announce; {
	case list.Empty():
		return errDefault
	case p.known(list, r) != acl.Allow:
		return errNotPermitted
	}
	return nil
}

// Squid's words.
var (
	errDefault      = errors.New("PROXY client not permitted by default ACL")
	errNotPermitted = errors.New("PROXY client not permitted by ACLs")
)

// Follows says whether anybody may be believed.
func (p *Policy) Follows() bool { return !p.settings.follow.Empty() }

// A State is where the walk along one request's X-Forwarded-For stands.
type State struct {
	begun bool
	ended bool
	hops  int            // addresses that were believed
	left  []byte         // of the list, behind which all was believed
	at    netip.AddrPort // who asks as far as is known; the port is the sender's
}

// Follow walks along X-Forwarded-For, from its end, for as long as follow_x_forwarded_for allows the client that it
// has come to. What is no address ends the way too, and so does whoever is not believed: he is the client. It says
// Pending while an acl has to be looked up. In a tunnel that is looked into the client is that of the CONNECT:
// what stands inside is his own word.
func (p *Policy) Follow(r *engine.Request, st *State) engine.Action {
	if st.ended || r.TLS != nil || !r.Header.Has("X-Forwarded-For") {
		return engine.Proceed
	}
	if !st.begun {
		*st = State{begun: true, left: p.listed(r), at: r.Connection.Client}
	}
	for {
		r.Client = st.at // whom the list judges
		p.tell(r, st.at)
		switch p.match(p.settings.follow, r) {
		case acl.Pending:
			return engine.Pending
		case acl.Allow:
			if p.step(r, st) {
				continue
			}
		}
		break
	}
	if !p.settings.judged {
		r.Client = r.Connection.Client
	}
	st.ended = true
	return engine.Proceed
}

// step goes one address further back. It returns false at the end of the way.
func (p *Policy) step(r *engine.Request, st *State) bool {
	left, word := last(st.left)
	addr, err := netip.ParseAddr(string(word))
	if err != nil {
		return false
	}
	if st.hops == mostHops {
		if more, ok := p.endless.Allow(p.now(), time.Minute); ok {
			p.log.Warn("ERROR: Ignoring trailing X-Forwarded-For addresses"+loop.SinceLast(more), "client", r.Connection.Client.String(), "accepted", mostHops, "last", st.at.Addr().String())
		}
		return false
	}
	st.hops++
	st.left, st.at = left, netip.AddrPortFrom(addr.Unmap().WithZone(""), st.at.Port())
	return true
}

// tell has logs and helpers be told of a client.
func (p *Policy) tell(r *engine.Request, client netip.AddrPort) {
	r.Told = r.Connection.Client
	if p.settings.told {
		r.Told = client
	}
}

// listed is the list in all fields of that name, in memory that lives as long as the request.
func (p *Policy) listed(r *engine.Request) (list []byte) {
	fields := 0
	r.Header.All("X-Forwarded-For", func(value []byte) bool {
		if fields++; fields == 1 {
			list = value
			return true
		}
		if fields == 2 {
			p.scratch = append(canary.Again(p.scratch, canary.ForwardedLine, 0), list...)
		}
		p.scratch = append(append(p.scratch, ','), value...)
		return true
	})
	if fields < 2 {
		return list
	}
	return r.Keep(p.scratch)
}

// last cuts the last item off a list. As in Squid blanks separate items too.
func last(list []byte) (before, item []byte) {
	list = bytes.TrimRight(list, ", \t")
	at := bytes.LastIndexAny(list, ", \t") + 1
	return list[:at], list[at:]
}
