package manager

import (
	"net/netip"
	"slices"
	"time"

	"exaproxy/dnsasync"
)

// A Peer is a cache_peer, as all workers know it.
type Peer struct {
	Kind, Name, Host string
	Port             uint16
	Options          string
	Up               bool
	Fetches, Kept    uint64    // requests that were sent there, and connections that were kept after one
	Open             int       // connections to it
	Failed           time.Time // when one could not be made last; zero: never
}

// writePeers lists the peers, with their addresses as they are known.
func writePeers(r *report) {
	all := r.p.Peers()
	if len(all) == 0 {
		r.print("There are no neighbors installed.\n")
		return
	}
	for i := range all {
		r.peer(&all[i])
	}
}

func (r *report) peer(p *Peer) {
	r.printf("\n%-11.11s: %s\nHost       : %s/%d/0\nFlags      : %s\n", p.Kind, p.Name, p.Host, p.Port, p.Options)
	for i, a := range r.p.addresses(p.Host) {
		r.printf("Address[%d] : %s\n", i, a)
	}
	status := "Down"
	if p.Up {
		status = "Up"
	}
	r.printf("Status     : %s\nFETCHES    : %d\nOPEN CONNS : %d\nAVG RTT    : 0 msec\nIGNORED    :        0   0%%\n", status, p.Fetches, p.Open)
	if !p.Failed.IsZero() {
		r.printf("Last failed connect() at: %s\n", p.Failed.Format("02/Jan/2006:15:04:05 -0700"))
	}
	r.printf("keep-alive ratio: %d%%\n", percent(p.Kept, p.Fetches))
}

// addresses are those of a host, as far as they are known: nobody is asked.
func (p *Policy) addresses(host string) (all []netip.Addr) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}
	}
	p.Services.Resolver.Entries(func(e dnsasync.Entry) {
		if e.Name == host {
			all = slices.Clone(e.Addrs)
		}
	})
	return all
}
