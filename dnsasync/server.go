package dnsasync

import (
	"net/netip"
	"time"

	"exaproxy/engine/canary"
	"exaproxy/engine/loop"
)

// A server is a name server, with the descriptors by which it is asked.
type server struct {
	resolver *Resolver
	index    int // among the resolver's
	addr     netip.AddrPort
	socket   *socket // for the next datagram; nil: none yet
	draining int     // older sockets by which replies are expected
	stream   *stream // nil: none yet
	health

	queries, replies uint64
}

// health is what is known of how a name server answers.
type health struct {
	noEDNS   bool
	silences int       // queries not answered in time since its last reply
	failing  [2]bool   // by transport: as logged last
	probed   time.Time // when it was asked last although it does not answer
	forgery  loop.Limiter
}

// transport is how a server is asked.
type transport uint8

const (
	byUDP transport = iota
	byTCP
)

func (t transport) String() string { return [...]string{byUDP: "UDP", byTCP: "TCP"}[t] }

// silencesBeforeWarning is how often in a row a server may fail to answer in time before that is
// logged.
const silencesBeforeWarning = 3

// ask sends a query by UDP. A datagram for which there is no room now counts as sent and lost.
func (s *server) ask(p *query) error {
	r := s.resolver
	message, err := packQuery(r.message, p.id, p.name, p.qtype, s.edns())
	if err != nil {
		return err // an alias that cannot be a name
	}
	k, err := s.send(message)
	canary.Spoil(message, canary.Query, 0)
	if err != nil {
		if !loop.OutOfDescriptors(err) {
			s.recordFailure(byUDP, err)
		}
		return err
	}
	try := &p.tries[s.index]
	if try.socket != nil {
		try.socket.queryDone()
	}
	try.socket, try.edns, p.size = k, s.edns() > 0, len(message)
	k.waiting++
	s.queries++
	return nil
}

// askByTCP sends a query by TCP, unless it is on its way already.
func (s *server) askByTCP(p *query) error {
	try := &p.tries[s.index]
	if try.stream != nil {
		return nil
	}
	r := s.resolver
	message, err := packQuery(r.message, p.id, p.name, p.qtype, s.edns())
	if err != nil {
		return err
	}
	if s.stream == nil {
		if s.stream, err = newStream(s); err != nil {
			if !loop.OutOfDescriptors(err) {
				s.recordFailure(byTCP, err)
			}
			return err
		}
	}
	s.stream.send(message)
	canary.Spoil(message, canary.Query, 0)
	try.stream, try.edns, p.size = s.stream, s.edns() > 0, len(message)
	s.queries++
	return nil
}

// edns is the size that queries to the server announce; 0: none.
func (s *server) edns() int {
	if s.noEDNS {
		return 0
	}
	return s.resolver.config.packetMax()
}

// queryFor returns the query to which a message claims to be the reply.
func (s *server) queryFor(message []byte) *query {
	id, ok := messageID(message)
	if !ok {
		return nil
	}
	return s.resolver.asked[id]
}

// receive handles a message for a query, and reports whether it is a reply to it.
func (s *server) receive(p *query, message []byte, by transport) bool {
	m, err := readReply(message, p.name, p.qtype)
	if err != nil {
		s.drop()
		return false
	}
	s.replies++
	s.recordAnswer(by)
	s.resolver.stats.code(m.code, p.sends)
	p.handleReply(s, &m, by)
	return true
}

// drop counts a message that is not accepted.
func (s *server) drop() { s.resolver.stats.Dropped++ }

// recordSilence records that the server did not answer in time.
func (s *server) recordSilence() {
	s.silences++
	if s.silences >= silencesBeforeWarning && !s.failing[byUDP] {
		s.failing[byUDP] = true
		s.resolver.log.Warn("name server does not answer", "server", s.addr)
	}
}

// recordFailure records that the server cannot be reached.
func (s *server) recordFailure(by transport, err error) {
	if !s.failing[by] {
		s.failing[by] = true
		s.resolver.log.Warn("name server cannot be reached", "server", s.addr, "by", by, "error", err)
	}
}

// recordAnswer records that the server answers.
func (s *server) recordAnswer(by transport) {
	s.silences = 0
	if s.failing[by] {
		s.failing[by] = false
		s.resolver.log.Info("name server answers again", "server", s.addr, "by", by)
	}
}

// forgeryEvery is how often forged messages are logged.
const forgeryEvery = time.Minute

// recordForgery records that others send messages in the server's name.
func (s *server) recordForgery() {
	r := s.resolver
	if _, ok := s.forgery.Allow(r.loop.Now(), forgeryEvery); ok {
		r.log.Warn("somebody sends messages in the name of a name server: it is asked from another port", "server", s.addr)
	}
}

func (s *server) close() {
	if s.socket != nil {
		s.socket.close()
		s.socket = nil
	}
	if s.stream != nil {
		s.stream.close()
		s.stream = nil
	}
}
