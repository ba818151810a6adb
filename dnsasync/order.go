package dnsasync

import "time"

// probeEvery is how often a server that does not answer is asked beside one that does.
const probeEvery = 10 * time.Second

// next returns the server whose turn it is: of those that have not failed for this query one that was asked least often, those
// that answer before those that do not, in the order in which they were configured. nil: all have failed.
func (p *query) next() *server {
	servers := p.question.resolver.servers
	best := p.again
	p.again = nil
	if best == nil || p.tries[best.index].failed {
		best = nil
		for i := range servers {
			s := servers[(p.question.from+i)%len(servers)]
			if !p.tries[s.index].failed && (best == nil || p.rather(s, best)) {
				best = s
			}
		}
	}
	if best != nil {
		p.current = best.index
		p.tries[best.index].asked++
	}
	return best
}

// rather reports whether s should be asked before other, which comes before it in order.
func (p *query) rather(s, other *server) bool {
	asked, others := p.tries[s.index].asked, p.tries[other.index].asked
	return asked < others || asked == others && other.sick() && !s.sick()
}

// probe asks a server that does not answer, beside the one whose turn it is: nobody waits for it to be well again.
func (p *query) probe(now time.Time) {
	for _, s := range p.question.resolver.servers {
		if s.sick() && s.index != p.current && !p.tries[s.index].failed && now.Sub(s.probed) >= probeEvery {
			s.probed = now
			_ = s.ask(p) // an error is no news
			return
		}
	}
}

// sick reports whether the server does not answer: it was silent several times in a row, or cannot be reached.
func (s *server) sick() bool { return s.failing[byUDP] }

// recordSign takes a message that is no reply any more for what it says: the server is there, and quick enough.
func (s *server) recordSign(message []byte) {
	r := s.resolver
	if _, reply := messageID(message); reply && s.sick() && r.loop.Now().Sub(s.probed) < r.config.retransmit() {
		s.recordAnswer(byUDP)
	}
}
