package manager

import (
	"cmp"
	"net/netip"
	"slices"

	"exaproxy/engine"
)

// A tally is how many requests of one client have ended how, as one worker has seen it.
type tally struct {
	addr    netip.Addr
	results [len(resultOrder)]uint64
	last    uint64 // when it was used last, in requests of all; 0: it is forgotten
}

// resultOrder is in which order Squid tells of results.
var resultOrder = [...]string{"NONE_NONE", "TCP_MISS", "TCP_DENIED", "TCP_DENIED_REPLY", "TCP_REDIRECT", "TCP_TUNNEL"}

// mostClients is how many addresses a worker keeps: whoever has not asked anything for longest is forgotten.
const mostClients = 1 << 13

// ofClient counts a request for its client's address. The connection remembers where.
func (n *counts) ofClient(rec *engine.Record, result string) {
	r := rec.Request
	addr := r.TellClient().Addr()
	t, _ := r.Connection.Tally.(*tally)
	if t == nil || t.addr != addr || t.last == 0 {
		t = n.tallyOf(addr)
		r.Connection.Tally = t
	}
	t.last = n.client.requests + 1
	for i, name := range resultOrder {
		if name == result {
			t.results[i]++
			return
		}
	}
}

// tallyOf is where a client's requests are counted.
func (n *counts) tallyOf(addr netip.Addr) *tally {
	t := n.clients[addr]
	if t == nil {
		if len(n.clients) >= mostClients {
			n.forgetClients(mostClients / 2)
		}
		t = &tally{addr: addr}
		n.clients[addr] = t
	}
	return t
}

// forgetClients forgets those of the clients that have not asked anything for longest.
func (n *counts) forgetClients(some int) {
	all := make([]*tally, 0, len(n.clients))
	for _, t := range n.clients {
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b *tally) int { return cmp.Compare(a.last, b.last) })
	for _, t := range all[:some] {
		delete(n.clients, t.addr)
		t.last = 0 // a connection that remembers it looks again
	}
}
