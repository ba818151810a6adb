package manager

import (
	"net/netip"
	"strings"
	"time"

	"exaproxy/compat/logformat"
	"exaproxy/engine"
	"exaproxy/engine/loop"
)

// counts are what one worker has counted of its requests since it began, whatever the configuration. They belong to its
// goroutine.
type counts struct {
	view engine.View
	loop *loop.Loop

	client   traffic // of requests that are over
	web      traffic // of next hops, without tunnels
	tunnels  traffic // of tunnels
	aborted  uint64  // requests whose client has left
	hellos   hellos
	served   [300]uint32 // requests by how long they took (serviceScale)
	misses   [300]uint32 // of them those that went on to a server, or were answered by a page of the manager
	resolved [300]uint32 // requests by how long they waited for name servers, if they did (namesScale)

	clients map[netip.Addr]*tally // nil: nobody is counted by his address
	past    history
}

// traffic is how much was asked of somebody, and moved. In and out are bytes as seen by us.
type traffic struct{ requests, errors, in, out uint64 }

// hellos are tunnels whose ClientHello was looked at, and those of them that have an encrypted one inside (ECH), or pretend to.
type hellos struct{ seen, encrypted uint64 }

func (h *hellos) add(o hellos) { h.seen, h.encrypted = h.seen+o.seen, h.encrypted+o.encrypted }

// hello counts that of a tunnel.
func (h *hellos) hello(c *engine.Connection) {
	if c == nil || c.Hello == nil {
		return
	}
	if h.seen++; c.Hello.Encrypted {
		h.encrypted++
	}
}

// countsOf are a worker's: those of the policy before, or new ones.
func countsOf(s *engine.Services) *counts {
	if s.Lasting == nil { // there is no engine
		s.Lasting = new(any)
	}
	n, ok := (*s.Lasting).(*counts)
	if !ok {
		n = &counts{view: s.View, loop: s.Loop}
		n.past.begin(s.Loop.Now())
		*s.Lasting = n
	}
	return n
}

// byClient says whether requests are counted by client (client_db).
func (n *counts) byClient(on bool) {
	switch {
	case !on:
		n.forgetClients(len(n.clients))
		n.clients = nil
	case n.clients == nil:
		n.clients = make(map[netip.Addr]*tally)
	}
}

// Record counts a request that is over.
func (p *Policy) Record(rec *engine.Record) {
	n := p.counts
	if !rec.Ended.Before(n.past.next) {
		n.roll(rec.Ended)
	}
	result := p.Results.Of(rec)
	if n.clients != nil && rec.Request.Connection != nil {
		n.ofClient(rec, result)
	}
	if rec.Unread {
		return // as in Squid it was none
	}
	n.client.requests++
	n.client.in += uint64(rec.In)
	n.client.out += uint64(rec.Out)
	bin := serviceScale.bin(milliseconds(rec.Took))
	n.served[bin]++
	if result == logformat.Miss {
		n.misses[bin]++
	}
	if rec.Spent.Names > 0 {
		n.resolved[namesScale.bin(milliseconds(rec.Spent.Names))]++
	}
	n.exceptional(rec)
	if rec.Request.IsConnect() {
		n.hellos.hello(rec.Request.Connection)
	}
	if to := n.hop(rec); to != nil {
		to.requests++
		to.in += uint64(rec.UpstreamIn)
		to.out += uint64(rec.UpstreamOut)
		if rec.Failure != nil && rec.Failure.Side == engine.UpstreamSide {
			to.errors++
		}
	}
}

// exceptional counts what went otherwise than asked.
func (n *counts) exceptional(rec *engine.Record) {
	if rec.Aborted {
		n.aborted++
	}
	if f := rec.Failure; rec.Aborted || f != nil && f.Kind != engine.BadRequest || f == nil && strings.HasPrefix(rec.Page, "ERR_") {
		n.client.errors++
	}
}

// hop is whose request to a next hop it was: nil if none was sent, but for tunnels, which Squid counts when it begins.
func (n *counts) hop(rec *engine.Record) *traffic {
	switch {
	case rec.Forwarded && rec.Request.IsConnect():
		return &n.tunnels
	case rec.UpstreamOut > 0:
		return &n.web
	}
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
