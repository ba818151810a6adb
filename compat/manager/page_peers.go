package manager

import (
	"strings"
	"time"
)

// A Peer is a cache_peer.
type Peer struct {
	Kind, Name, Host string
	Port             uint16
	Options          []string
	Up               bool
	Fetches          uint64
	Open             int
	Addrs            []string
	RTT              time.Duration
}

// writePeers lists the peers. What workers know of them they know together.
func writePeers(r *report) {
	all := r.p.Peers()
	if len(all) == 0 {
		r.print("There are no neighbors installed.\n")
	}
	total := uint64(0)
	for i := range all {
		total += all[i].Fetches
	}
	for i := range all {
		p := &all[i]
		r.printf("\n%-11.11s: %s\nHost       : %s/%d/0\nFlags      : %s\n", p.Kind, p.Name, p.Host, p.Port, strings.Join(append([]string{"no-query"}, p.Options...), " "))
		status := "Down"
		if p.Up {
			status = "Up"
		}
		r.printf("Status     : %s\nFETCHES    : %d\nOPEN CONNS : %d\nAVG RTT    : 0 msec\nIGNORED    :        0   0%%\n", status, p.Fetches, p.Open)
	}
}
