package manager

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"exaproxy/dnsasync"
)

// lookups are what a worker's resolver has done, and what it knows.
type lookups struct {
	dnsasync.Stats
	entries []dnsasync.Entry
}

func collectNames(p *Policy) (l lookups) {
	r := p.Services.Resolver
	l.Stats = r.Stats()
	r.Entries(func(e dnsasync.Entry) { l.entries = append(l.entries, e) })
	return l
}

// known is what all workers know of names, or of addresses, each once.
func known(parts []lookups, addresses bool) (all []dnsasync.Entry) {
	type subject struct {
		name string
		addr netip.Addr
	}
	seen := make(map[subject]bool)
	for i := range parts {
		for _, e := range parts[i].entries {
			if s := (subject{e.Name, e.Addr}); e.Addr.IsValid() == addresses && !seen[s] {
				seen[s] = true
				all = append(all, e)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b dnsasync.Entry) int { return cmp.Compare(a.Used, b.Used) })
	return all
}

// totals adds up how lookups of all workers were answered.
func totals(parts []lookups, of func(*lookups) *dnsasync.LookupStats) (all dnsasync.LookupStats) {
	for i := range parts {
		s := of(&parts[i])
		all.Requests, all.Hits, all.NegativeHits = all.Requests+s.Requests, all.Hits+s.Hits, all.NegativeHits+s.NegativeHits
		all.Numeric, all.Misses, all.Invalid = all.Numeric+s.Numeric, all.Misses+s.Misses, all.Invalid+s.Invalid
	}
	return all
}

// flags are H for what stands in the hosts file, and N for what is known not to be there.
func flags(e *dnsasync.Entry) string {
	switch {
	case e.Negative:
		return " N"
	case e.Hosts:
		return " H"
	}
	return "  "
}

func seconds(d time.Duration) int { return int(d / time.Second) }

// writeIPCache writes which addresses of names are known.
func writeIPCache(r *report, parts []lookups) {
	n := totals(parts, func(l *lookups) *dnsasync.LookupStats { return &l.Names })
	var a, aaaa, cname, only uint64
	for i := range parts {
		p := &parts[i]
		a, aaaa, cname, only = a+p.A, aaaa+p.AAAA, cname+p.CNAME, only+p.CNAMEOnly
	}
	all := known(parts, false)
	r.printf("IP Cache Statistics:\nIPcache Entries Cached:  %d\nIPcache Requests: %d\nIPcache Hits:            %d\n"+
		"IPcache Negative Hits:       %d\nIPcache Numeric Hits:        %d\nIPcache Misses:          %d\n", len(all), n.Requests, n.Hits, n.NegativeHits, n.Numeric, n.Misses)
	r.printf("IPcache Retrieved A:     %d\nIPcache Retrieved AAAA:  %d\nIPcache Retrieved CNAME: %d\nIPcache CNAME-Only Response: %d\n"+
		"IPcache Invalid Request: %d\n\n\nIP Cache Contents:\n\n", a, aaaa, cname, only, n.Invalid)
	r.printf(" %-31.31s %3s %6s %6s  %s\n", "Hostname", "Flg", "lstref", "TTL", "N(b)")
	for i := range all {
		r.addresses(&all[i])
	}
}

func (r *report) addresses(e *dnsasync.Entry) {
	r.printf(" %-32.32s %s %6d %6d %2d( 0)", e.Name, flags(e), seconds(e.Used), seconds(e.TTL), len(e.Addrs))
	for i, a := range e.Addrs {
		if i > 0 {
			r.printf("%*s", 61, "")
		}
		r.printf(" %45s-OK \n", a)
	}
	if len(e.Addrs) == 0 {
		r.print("\n")
	}
}

// writeFQDNCache writes which names of addresses are known.
func writeFQDNCache(r *report, parts []lookups) {
	n := totals(parts, func(l *lookups) *dnsasync.LookupStats { return &l.Addrs })
	all := known(parts, true)
	r.printf("FQDN Cache Statistics:\nFQDNcache Entries In Use: %d\nFQDNcache Entries Cached: %d\nFQDNcache Requests: %d\nFQDNcache Hits: %d\n"+
		"FQDNcache Negative Hits: %d\nFQDNcache Misses: %d\nFQDN Cache Contents:\n\n", len(all), len(all), n.Requests, n.Hits, n.NegativeHits, n.Misses)
	r.printf("%-45.45s %3s %3s %3s %s\n", "Address", "Flg", "TTL", "Cnt", "Hostnames")
	for i := range all {
		e := &all[i]
		r.printf("%-45.45s %s  %s %3d", e.Addr, flags(e), threeDigits(seconds(e.TTL)), len(e.Names))
		for _, name := range e.Names {
			r.print(" " + name)
		}
		r.print("\n")
	}
}

// threeDigits is what C's %3.3d makes of a number.
func threeDigits(n int) string {
	if n < 0 {
		return fmt.Sprintf("-%03d", -n)
	}
	return fmt.Sprintf("%03d", n)
}

// rcodes are the codes of replies that Squid's page has (RFC 1035, 2136, 2845, 6891).
var rcodes = []struct {
	code int
	what string
}{
	{0, "Success"}, {1, "Packet Format Error"}, {2, "DNS Server Failure"}, {3, "Non-Existent Domain"}, {4, "Not Implemented"},
	{5, "Query Refused"}, {6, "Name Exists when it should not"}, {7, "RR Set Exists when it should not"}, {8, "RR Set that should exist does not"},
	{9, "Server Not Authoritative for zone"}, {10, "Name not contained in zone"}, {16, "Bad OPT Version or TSIG Signature Failure"},
}

// writeIDNS writes what name servers were asked.
func writeIDNS(r *report, parts []lookups) {
	r.print("Internal DNS Statistics:\n\nThe Queue:\n                       DELAY SINCE\n  ID   SIZE SENDS FIRST SEND LAST SEND M FQDN\n------ ---- ----- ---------- --------- - ----\n")
	for i := range parts {
		for _, q := range parts[i].Queue {
			r.query(&q)
		}
	}
	r.print("\nDNS jumbo-grams: not working\n\nNameservers:\nIP ADDRESS                                     # QUERIES # REPLIES Type\n" +
		"---------------------------------------------- --------- --------- --------\n")
	for _, s := range nameServers(parts) {
		r.printf("%-45s %10d %9d %s\n", s.Addr.Addr(), s.Queries, s.Replies, "recurse")
	}
	r.print("\nRcode Matrix:\nRCODE ATTEMPT1 ATTEMPT2 ATTEMPT3 PROBLEM\n")
	for _, row := range rcodes {
		var n [3]uint64
		for i := range parts {
			for attempt, of := range parts[i].Codes[row.code] {
				n[attempt] += of
			}
		}
		r.printf("%5d %8d %8d %8d : %s\n", row.code, n[0], n[1], n[2], row.what)
	}
}

func (r *report) query(q *dnsasync.QueryStats) {
	over := " "
	if q.TCP {
		over = "T"
	}
	r.printf("%#06x %4d %5d %10s %9s %s %s\n", q.ID, q.Size, q.Sends, fmt.Sprintf("%.3f", q.First.Seconds()), fmt.Sprintf("%.3f", q.Last.Seconds()), over, q.Name)
}

// nameServers adds up what all workers have asked each.
func nameServers(parts []lookups) (all []dnsasync.ServerStats) {
	for i := range parts {
		for _, s := range parts[i].Servers {
			at := slices.IndexFunc(all, func(o dnsasync.ServerStats) bool { return o.Addr == s.Addr })
			if at < 0 {
				all = append(all, s)
				continue
			}
			all[at].Queries += s.Queries
			all[at].Replies += s.Replies
		}
	}
	return all
}
