package dnsasync

import (
	"net/netip"
	"time"

	"exaproxy/engine/loop"
)

// A query asks name servers for the records of one type. It goes to one server after the
// other until one has an answer.
type query struct {
	question *question
	qtype    uint16
	state    queryState
	name     string // asked for: a candidate, or where its aliases lead; as messages are read
	aliases  int    // that were asked for on their own
	guessed  int    // times that somebody guessed at the identifier

	id          uint16 // on the wire, while asking
	order       uint64 // among all queries
	size        int    // of the message
	sends       int
	last        transport // of the sends
	began       time.Time
	sent        time.Time // last
	due         time.Time // when to ask the next server
	current     int       // index of the server asked last; -1: none
	again       *server   // that is to be asked next; nil: the first in order
	awaitsReply bool      // of that server
	tries       []try     // by server

	addrs   []netip.Addr
	names   []string
	ttl     uint32 // seconds: the smallest of all records that led here
	expires time.Time

	miss        ErrorKind // why there is nothing; 0: there is
	negativeTTL uint32    // seconds, if a server said it
	missBy      netip.AddrPort
}

// queryState is where a query is.
type queryState uint8

const (
	queryAsking queryState = iota // leads to all others
	queryFound
	queryMissed // no records; miss is why
)

// A try is the state of a query with one server. A late reply is accepted as long as the
// query goes on.
type try struct {
	socket *socket // the last by which the server was asked
	stream *stream // likewise
	asked  int     // times that it was this server's turn
	edns   bool    // was asked with EDNS
	failed bool    // the server is not asked again
}

func newQuery(q *question, qtype uint16) *query {
	return &query{question: q, qtype: qtype, tries: make([]try, len(q.resolver.servers))}
}

// start makes the query ask for a name, from the start.
func (p *query) start(name string) {
	now := p.question.resolver.loop.Now()
	p.name, p.aliases, p.guessed, p.state, p.miss = presented(name), 0, 0, queryAsking, 0
	p.ttl, p.negativeTTL = unknownTTL, unknownTTL
	p.began, p.due, p.current, p.again, p.sends, p.awaitsReply = now, now, -1, nil, 0, false
	clear(p.tries)
}

// advance asks the next server if the last had its time, or failed.
func (p *query) advance(now time.Time) {
	switch {
	case p.state != queryAsking:
	case !now.Before(p.question.deadline):
		p.question.resolver.stats.Timeouts++
		p.blameSilentServer()
		p.finishMissed(Timeout, p.lastServer())
	case !now.Before(p.due):
		p.blameSilentServer()
		p.send(now)
	}
}

// blameSilentServer records that the server that was waited for has not answered.
func (p *query) blameSilentServer() {
	if p.awaitsReply {
		p.awaitsReply = false
		p.question.resolver.servers[p.current].recordSilence()
	}
}

// send asks the next server that can be asked.
func (p *query) send(now time.Time) {
	r := p.question.resolver
	if p.sends == 0 && !r.register(p) {
		p.due = now.Add(retryAfter)
		return
	}
	for s := p.next(); s != nil; s = p.next() {
		err := s.ask(p)
		if loop.OutOfDescriptors(err) { // which is not the server's fault
			if p.sends == 0 {
				p.unregister()
			}
			p.due = now.Add(retryAfter)
			return
		}
		if err == nil {
			if p.sends > 0 {
				r.stats.Retransmits++
			} else {
				p.probe(now)
			}
			p.due = now.Add(p.interval())
			p.sends++
			p.sent, p.last, p.awaitsReply = now, byUDP, true
			return
		}
		p.tries[s.index].failed = true
	}
	p.finishMissed(ServerFailure, p.lastServer())
}

// interval is how long to wait for the server that is asked now: dns_retransmit_interval,
// doubled each time that all servers have been asked.
func (p *query) interval() time.Duration {
	const enough = 8 // times doubled
	r := p.question.resolver
	return r.config.retransmit() << min(p.sends/len(r.servers), enough)
}

func (p *query) lastServer() netip.AddrPort {
	if p.current < 0 {
		return netip.AddrPort{}
	}
	return p.question.resolver.servers[p.current].addr
}

// handleReply acts on a server's reply.
func (p *query) handleReply(s *server, m *reply, by transport) {
	switch {
	case m.truncated && by == byUDP:
		p.retryByTCP(s)
	case p.tries[s.index].edns && m.refusesEDNS():
		s.noEDNS = true
		p.askAgain(s)
	case m.truncated || m.malformed || m.referral || m.code != codeSuccess && m.code != codeNoSuchName:
		p.serverFailed(s)
	case m.code == codeSuccess && m.target != "" && p.aliases < maxFollowed:
		p.follow(s, m)
	default:
		p.finish(s, m)
	}
	p.question.waker.Wake()
}

// maxFollowed is how many aliases are asked for on their own, because the answer had
// them without addresses. Recursive servers seldom leave that to us.
const maxFollowed = 8

// follow asks the same server where an alias leads.
func (p *query) follow(s *server, m *reply) {
	p.aliases++
	p.name, p.ttl = m.target, min(p.ttl, m.ttl)
	p.askAnew(s)
}

// askAnew asks the same server once more, with another identifier.
func (p *query) askAnew(s *server) {
	p.unregister()
	p.sends = 0
	p.askAgain(s)
}

// maxGuessed is how often a query is asked anew by UDP because somebody has guessed at its identifier.
const maxGuessed = 3

// evade has a query whose port has become known be asked by another, with another identifier, and in the end by TCP.
func (p *query) evade(s *server) {
	p.guessed++
	if p.guessed <= maxGuessed {
		p.askAnew(s)
	} else {
		p.retryByTCP(s)
	}
	p.question.waker.Wake()
}

// askAgain makes the same server the next one, at once.
func (p *query) askAgain(s *server) {
	p.again, p.awaitsReply = s, false
	p.due = p.question.resolver.loop.Now()
}

// retryByTCP asks the same server again for what it could not send in a datagram.
func (p *query) retryByTCP(s *server) {
	now := p.question.resolver.loop.Now()
	switch err := s.askByTCP(p); {
	case loop.OutOfDescriptors(err):
		p.askAgain(s)
		p.due = now.Add(retryAfter)
		return
	case err != nil:
		p.serverFailed(s)
		return
	}
	p.tries[s.index].detachSocket() // what comes by UDP from now on is not believed
	p.sent, p.last, p.current, p.awaitsReply = now, byTCP, s.index, true
	p.due = now.Add(p.interval())
}

// serverFailed records that a server is of no use, and turns to the next if it was the one
// that was waited for.
func (p *query) serverFailed(s *server) {
	p.tries[s.index].failed = true
	if p.current == s.index {
		p.awaitsReply = false
		p.due = p.question.resolver.loop.Now()
	}
	p.question.waker.Wake()
}

// finish ends the query with a server's answer.
func (p *query) finish(s *server, m *reply) {
	r := p.question.resolver
	p.negativeTTL = m.negativeTTL
	found := m.code == codeSuccess && len(m.addrs)+len(m.names) > 0
	r.stats.count(p.qtype, m, found)
	switch {
	case m.code == codeNoSuchName:
		p.finishMissed(NoSuchName, s.addr)
		return
	case !found:
		p.finishMissed(NoAddress, s.addr)
		return
	}
	p.addrs, p.names, p.ttl = m.addrs, m.names, min(p.ttl, m.ttl)
	p.expires = r.loop.Now().Add(r.config.positiveTTL(p.ttl))
	p.state = queryFound
	p.unregister()
	p.question.found(p)
}

// finishMissed ends the query without records.
func (p *query) finishMissed(why ErrorKind, by netip.AddrPort) {
	p.state, p.miss, p.missBy = queryMissed, why, by
	p.unregister()
}

// missTTL is how long it is cached that there is nothing.
func (p *query) missTTL() time.Duration {
	c := &p.question.resolver.config
	if p.miss == NoSuchName || p.miss == NoAddress {
		return c.missTTL(p.negativeTTL)
	}
	return c.failureTTL()
}

// unregister frees the identifier: no reply is expected any more. Which servers have failed
// remains known.
func (p *query) unregister() {
	r := p.question.resolver
	if r.asked[p.id] == p {
		delete(r.asked, p.id)
	}
	for i := range p.tries {
		p.tries[i].detach()
	}
}

// detach ends the waiting for replies by socket and stream.
func (t *try) detach() {
	t.detachSocket()
	if t.stream != nil {
		t.stream.waiting--
		t.stream = nil
	}
}

func (t *try) detachSocket() {
	if t.socket != nil {
		t.socket.queryDone()
		t.socket = nil
	}
}
