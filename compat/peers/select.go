package peers

import (
	"exaproxy/compat/acl"
	"exaproxy/engine"
	"exaproxy/engine/h1"
)

// A way is one that a request may go: to a peer, or directly.
type way struct {
	to   *link // nil: directly
	code string
}

// direct says whether a request may, or must, go to its server itself.
type directness uint8

const (
	maybe directness = iota
	yes
	no
)

// choose lists the ways of a request, in Squid's order. ok is false if access lists have to wait.
func (p *Policy) choose(r *engine.Request, st *State, steered bool) (ok bool) {
	d, ok := p.directness(r)
	if !ok {
		return false
	}
	if d == maybe && r.Bound() && !steered {
		d = no
	}
	p.shared.clearInTime(p.now())
	hierarchical := !p.settings.nonHierarchy || hierarchical(r)
	switch {
	case steered && d == no:
	case d == yes || steered:
		st.add(nil, "HIER_DIRECT")
	case d == no:
		p.parents(r, st)
	default:
		if p.settings.preferDirect {
			st.add(nil, "HIER_DIRECT")
		}
		if hierarchical {
			p.parents(r, st)
		}
		st.add(nil, "HIER_DIRECT")
	}
	return true
}

// directness follows always_direct and never_direct.
func (p *Policy) directness(r *engine.Request) (d directness, ok bool) {
	for _, list := range []struct {
		rules *acl.List
		means directness
	}{{p.settings.always, yes}, {p.settings.never, no}} {
		if list.rules.Empty() {
			continue
		}
		switch p.match(list.rules, r) {
		case acl.Pending:
			return maybe, false
		case acl.Allow:
			return list.means, true
		case acl.Deny, acl.Challenge, acl.Unknown:
		}
	}
	return maybe, true
}

// hierarchical says whether a cache could have what is asked for. Others go directly, if they may.
func hierarchical(r *engine.Request) bool {
	switch {
	case r.Header.Has("Authorization") || len(r.Effective().Userinfo) > 0:
		return false
	}
	return r.Method == "GET" || r.Method == "TRACE"
}

// add adds a way, unless it is there already.
func (st *State) add(to *link, code string) {
	for _, w := range st.ways {
		if w.to == to {
			return
		}
	}
	st.ways = append(st.ways, way{to, code})
}

// parents adds the peer that is chosen for the request, and then all others that it may go to.
func (p *Policy) parents(r *engine.Request, st *State) {
	p.usable = p.usable[:0]
	for _, l := range p.links {
		p.usable = append(p.usable, p.usableFor(r, l))
	}
	if to, code := p.best(r); to != nil {
		st.add(to, code)
	}
	for i, l := range p.links {
		if p.usable[i] {
			st.add(l, "ANY_OLD_PARENT")
		}
	}
}

// usableFor says whether a request may go to a peer now.
func (p *Policy) usableFor(r *engine.Request, l *link) bool {
	t := r.Effective()
	switch {
	case l.kindFor(t.Host) != parent:
		return false
	case l.origin && r.IsConnect() && t.Port != l.port:
		return false // it is a server, and no way to others
	case l.tls != nil && l.origin && r.IsConnect():
		return false // the client speaks TLS itself
	case l.access != nil && p.known(l.access, r) != acl.Allow:
		return false
	}
	return l.up() && l.hasRoom()
}

// best is the peer that the request goes to first, by the method that comes first in Squid; nil if there is none.
func (p *Policy) best(r *engine.Request) (to *link, code string) {
	usable := func(place int) bool { return p.usable[place] }
	for _, by := range []struct {
		place int
		code  string
	}{
		{p.hashes.bySource(r, usable), "SOURCEHASH_PARENT"},
		{p.hashes.byUser(r, usable), "USERHASH_PARENT"},
		{p.hashes.byURL(r, p.settings.peers, usable), "CARP"},
	} {
		if by.place >= 0 {
			return p.links[by.place], by.code
		}
	}
	if l := p.roundRobin(); l != nil {
		return l, "ROUNDROBIN_PARENT"
	}
	if l := p.weightedRoundRobin(); l != nil {
		return l, "ROUNDROBIN_PARENT"
	}
	for i, l := range p.links {
		if p.usable[i] {
			return l, "FIRSTUP_PARENT"
		}
	}
	return nil, ""
}

// roundRobin is whose turn it is among peers with round-robin: the one that had the fewest for its weight, and among
// such the last.
func (p *Policy) roundRobin() *link {
	var chosen *link
	var fewest float64
	for i, l := range p.links {
		if !l.peer.roundRobin || !p.usable[i] || l.weight == 0 {
			continue
		}
		turns := float64(l.state.turns.Load()) / float64(l.weight)
		if chosen == nil || turns <= fewest {
			chosen, fewest = l, turns
		}
	}
	if chosen != nil {
		chosen.state.turns.Add(1)
	}
	return chosen
}

// weightedRoundRobin is the same among peers with weighted-round-robin. Squid weighs them by how long they take to answer
// ICP, less basetime=; where that is not asked, as here, each has as many turns as the others.
func (p *Policy) weightedRoundRobin() *link {
	var chosen *link
	for i, l := range p.links {
		if !l.weighted || !p.usable[i] {
			continue
		}
		if chosen == nil || l.state.turns.Load() <= chosen.state.turns.Load() {
			chosen = l
		}
	}
	if chosen != nil {
		chosen.state.turns.Add(1)
	}
	return chosen
}

// edit makes the head of a request for a peer say what the peer is to know.
func (l *link) edit(r *engine.Request, h *h1.Header) {
	if l.domain != "" {
		h.Set("Host", []byte(l.domain))
	}
	if l.origin && !l.login.passes && r.Header.Has("Authorization") {
		h.Del("Authorization") // the client's own, which is for whom it has named
	}
	l.login.give(r, h, l.origin)
	if l.frontEnd == always || l.frontEnd == ofHTTPS && r.Effective().Scheme == "https" {
		h.Set("Front-End-Https", []byte("On"))
	}
}
