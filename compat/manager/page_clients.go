package manager

import (
	"cmp"
	"net/netip"
	"slices"

	"exaproxy/engine"
)

// countsClients says whether requests are counted by client.
func (p *Policy) countsClients() bool { return p.Clients }

// customer is what is known of the requests of a client's address.
type customer struct {
	addr        netip.Addr
	name        string
	connections int
	results     [len(resultOrder)]uint64
}

func (c *customer) requests() (n uint64) {
	for _, of := range c.results {
		n += of
	}
	return n
}

func collectClients(p *Policy) map[netip.Addr]customer {
	all := make(map[netip.Addr]customer, len(p.counts.clients))
	for a, t := range p.counts.clients {
		all[a] = customer{addr: a, results: t.results}
	}
	p.Services.View.EachClient(func(c *engine.ShownClient) {
		a := c.Connection.Client.Addr()
		n := all[a]
		n.addr, n.name = a, cmp.Or(n.name, c.Connection.ClientName)
		n.connections++
		all[a] = n
	})
	return all
}

// writeClients writes who has asked how much.
func writeClients(r *report, parts []map[netip.Addr]customer) {
	r.print("Cache Clients:\n")
	total := uint64(0)
	for _, c := range merged(parts) {
		r.customer(&c)
		total += c.requests()
	}
	r.printf("TOTALS\nICP : 0 Queries, 0 Hits (  0%%)\nHTTP: %d Requests, 0 Hits (  0%%)\n", total)
}

// merged are the clients of all workers, in order.
func merged(parts []map[netip.Addr]customer) []customer {
	all := make(map[netip.Addr]customer)
	for _, part := range parts {
		for a, c := range part {
			n := all[a]
			n.addr, n.name, n.connections = a, cmp.Or(n.name, c.name), n.connections+c.connections
			for i := range c.results {
				n.results[i] += c.results[i]
			}
			all[a] = n
		}
	}
	sorted := make([]customer, 0, len(all))
	for _, c := range all {
		sorted = append(sorted, c)
	}
	slices.SortFunc(sorted, func(a, b customer) int { return a.addr.Compare(b.addr) })
	return sorted
}

func (r *report) customer(c *customer) {
	n := c.requests()
	r.printf("Address: %s\n", c.addr.Unmap())
	if c.name != "" {
		r.printf("Name:    %s\n", c.name)
	}
	r.printf("Currently established connections: %d\n    ICP  Requests 0\n    HTTP Requests %d\n", c.connections, n)
	for i, of := range c.results {
		if of > 0 {
			r.printf("        %-20.20s %7d %3d%%\n", resultOrder[i], of, percent(of, n))
		}
	}
	r.print("\n")
}

// percent is how many of all these are, rounded.
func percent(some, all uint64) uint64 {
	if all == 0 {
		return 0
	}
	return (100*some + all/2) / all
}
