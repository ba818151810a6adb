package dnsasync

import (
	"net/netip"
	"time"
)

// A query is what a question asks name servers: for the records of one type. It goes to
// one server after the other until one knows.
type query struct {
	question *question
	kind     uint16 // of record
	state    queryState
	name     string // asked for: a candidate, or where its aliases lead
	aliases  int    // that were asked for on their own

	id    uint16 // on the wire, while asking
	order uint64 // among all queries
	size  int    // of the message
	sends int
	last  transport // of the sends
	began time.Time
	sent  time.Time // last
	due   time.Time // when to ask the next server
	at    int       // index of the server asked last; -1: none
	waits bool      // for that one's reply
	tries []try     // by server

	addrs   []netip.Addr
	names   []string
	ttl     uint32 // seconds: the smallest of all records that led here
	expires time.Time

	miss        Kind   // why there is nothing; 0: there is
	negativeTTL uint32 // seconds, if a server said it
	missBy      netip.AddrPort
}

// queryState is where a query is.
type queryState uint8

const (
	queryAsking queryState = iota // leads to all others
	queryFound
	queryMissed // there is nothing, or nobody says; miss is why
)

// A try is what a query has had of one server. A late reply to it is welcome as long as
// the query goes on.
type try struct {
	socket *socket // the last by which the server was asked
	stream *stream // likewise
	edns   bool    // was asked with EDNS
	failed bool    // the server is not asked again
}

func newQuery(q *question, kind uint16) *query {
	return &query{question: q, kind: kind, tries: make([]try, len(q.resolver.servers))}
}

// begin makes the query ask for a name, from the start.
func (p *query) begin(name string) {
	now := p.question.resolver.loop.Now()
	p.name, p.aliases, p.state, p.miss = name, 0, queryAsking, 0
	p.ttl, p.negativeTTL = unknownTTL, unknownTTL
	p.began, p.due, p.at, p.sends, p.waits = now, now, -1, 0, false
	clear(p.tries)
}

// advance asks the next server if the last had its time, or failed.
func (p *query) advance(now time.Time) {
	switch {
	case p.state != queryAsking:
	case !now.Before(p.question.deadline):
		p.question.resolver.stats.Timeouts++
		p.silence()
		p.nothing(Timeout, p.lastServer())
	case !now.Before(p.due):
		p.silence()
		p.send(now)
	}
}

// silence blames the server that was waited for.
func (p *query) silence() {
	if p.waits {
		p.waits = false
		p.question.resolver.servers[p.at].silent()
	}
}

// send asks the next server that can be asked.
func (p *query) send(now time.Time) {
	r := p.question.resolver
	if p.sends == 0 && !r.register(p) {
		p.nothing(ServerFailure, netip.AddrPort{})
		return
	}
	for s := p.next(); s != nil; s = p.next() {
		if s.ask(p) {
			if p.sends > 0 {
				r.stats.Retransmits++
			}
			p.due = now.Add(p.interval())
			p.sends++
			p.sent, p.last, p.waits = now, byUDP, true
			return
		}
		p.tries[s.index].failed = true
	}
	p.nothing(ServerFailure, p.lastServer())
}

// next is the server after the one asked last that has not failed; nil: all have.
func (p *query) next() *server {
	servers := p.question.resolver.servers
	for i := 1; i <= len(servers); i++ {
		at := (p.at + i) % len(servers)
		if !p.tries[at].failed {
			p.at = at
			return servers[at]
		}
	}
	return nil
}

// interval is how long the server has that is asked now: dns_retransmit_interval,
// doubled each time that all servers have been asked.
func (p *query) interval() time.Duration {
	const enough = 8 // times doubled
	r := p.question.resolver
	return r.config.retransmit() << min(p.sends/len(r.servers), enough)
}

func (p *query) lastServer() netip.AddrPort {
	if p.at < 0 {
		return netip.AddrPort{}
	}
	return p.question.resolver.servers[p.at].addr
}

// answered hears what a server has to say.
func (p *query) answered(s *server, m *reply, by transport) {
	switch {
	case m.truncated && by == byUDP:
		p.overTCP(s)
	case p.tries[s.index].edns && m.refusesEDNS():
		s.plain = true
		p.again(s)
	case m.truncated || m.broken || m.useless || m.code != codeSuccess && m.code != codeNoSuchName:
		p.failedBy(s)
	case m.code == codeSuccess && m.target != "" && p.aliases < maxFollowed:
		p.follow(s, m)
	default:
		p.take(s, m)
	}
	p.question.waker.Wake()
}

// maxFollowed is how many aliases are asked for on their own, because the answer had
// them without addresses. Servers that ask others for us seldom leave that to us.
const maxFollowed = 8

// follow asks the same server where an alias leads.
func (p *query) follow(s *server, m *reply) {
	p.forget()
	p.aliases++
	p.name, p.ttl = m.target, min(p.ttl, m.ttl)
	p.sends = 0 // and with that a new identifier
	p.again(s)
}

// again lets the same server be asked next, at once.
func (p *query) again(s *server) {
	p.at, p.waits = s.index-1, false
	p.due = p.question.resolver.loop.Now()
}

// overTCP asks the same server again for what it could not send in a datagram.
func (p *query) overTCP(s *server) {
	if !s.askByTCP(p) {
		p.failedBy(s)
		return
	}
	now := p.question.resolver.loop.Now()
	p.sent, p.last, p.at, p.waits = now, byTCP, s.index, true
	p.due = now.Add(p.interval())
}

// failedBy notes that a server is of no use, and turns to the next if it was the one
// that was waited for.
func (p *query) failedBy(s *server) {
	p.tries[s.index].failed = true
	if p.at == s.index {
		p.waits = false
		p.due = p.question.resolver.loop.Now()
	}
	p.question.waker.Wake()
}

// take ends the query with what a server knows.
func (p *query) take(s *server, m *reply) {
	r := p.question.resolver
	p.negativeTTL = m.negativeTTL
	found := m.code == codeSuccess && len(m.addrs)+len(m.names) > 0
	r.stats.count(p.kind, m, found)
	switch {
	case m.code == codeNoSuchName:
		p.nothing(NoSuchName, s.addr)
		return
	case !found:
		p.nothing(NoAddress, s.addr)
		return
	}
	p.addrs, p.names, p.ttl = m.addrs, m.names, min(p.ttl, m.ttl)
	p.expires = r.loop.Now().Add(r.config.keep(p.ttl))
	p.state = queryFound
	p.forget()
	p.question.found(p)
}

// nothing ends the query without records.
func (p *query) nothing(why Kind, by netip.AddrPort) {
	p.state, p.miss, p.missBy = queryMissed, why, by
	p.forget()
}

// missTTL is how long it is remembered that there is nothing.
func (p *query) missTTL() time.Duration {
	c := &p.question.resolver.config
	if p.miss == NoSuchName || p.miss == NoAddress {
		return c.keepNothing(p.negativeTTL)
	}
	return c.keepFailure()
}

// forget gives the identifier back: no reply is expected any more. What the query knows
// of the servers remains.
func (p *query) forget() {
	r := p.question.resolver
	if r.asked[p.id] == p {
		delete(r.asked, p.id)
	}
	for i := range p.tries {
		p.tries[i].leave()
	}
}

// leave says to socket and stream that nothing is expected by them any more.
func (t *try) leave() {
	if t.socket != nil {
		t.socket.leave()
		t.socket = nil
	}
	if t.stream != nil {
		t.stream.waiting--
		t.stream = nil
	}
}
