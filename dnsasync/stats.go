package dnsasync

import (
	"net/netip"
	"time"
)

// Stats is what a resolver has done since it was made, and what it is doing: what Squid's
// cache manager pages idns, ipcache and fqdncache show.
type Stats struct {
	Servers []ServerStats // in the order in which they are asked
	Queue   []QueryStats  // queries that wait for a server, the oldest first

	// Codes counts the replies by RCODE and by how often their query had been sent:
	// once, twice, more often. Larger codes are not counted.
	Codes       [17][3]uint64
	Retransmits uint64 // sent again, to whichever server
	Timeouts    uint64 // queries that no server answered in time
	Dropped     uint64 // messages that were no reply to a query

	Names LookupStats // of Lookup: ipcache
	Addrs LookupStats // of Reverse: fqdncache

	A, AAAA, PTR uint64 // replies with such records
	CNAME        uint64 // replies with aliases
	CNAMEOnly    uint64 // of them, without what the alias leads to
}

// ServerStats is what a name server has done.
type ServerStats struct {
	Addr             netip.AddrPort
	Queries, Replies uint64
}

// QueryStats is a query that waits for a server.
type QueryStats struct {
	ID    uint16        // on the wire
	Size  int           // of the message, in bytes
	Sends int           // so far
	First time.Duration // since it was sent first
	Last  time.Duration // since it was sent last
	TCP   bool          // the last time by TCP
	Name  string
}

// LookupStats counts how Lookups were answered.
type LookupStats struct {
	Entries      int // in the cache and the hosts file
	Requests     uint64
	Hits         uint64 // from the cache or the hosts file
	NegativeHits uint64 // from the cache: there is nothing
	Numeric      uint64 // addresses in place of names
	Misses       uint64 // name servers had to be asked
	Invalid      uint64 // that could be no name
}

// An Entry is a name, or an address, with what is known of it.
type Entry struct {
	Name     string       // of which Addrs are known
	Addr     netip.Addr   // of which Names are known; invalid if this is about a name
	Addrs    []netip.Addr // not to be changed, as Names
	Names    []string
	Negative bool          // it is known that there is nothing
	Hosts    bool          // from the hosts file
	TTL      time.Duration // left; negative: expired, or for ever if Hosts
	Used     time.Duration // since then; 0 if Hosts
}

// Stats returns the counts so far.
func (r *Resolver) Stats() Stats {
	s := r.stats
	for _, server := range r.servers {
		s.Servers = append(s.Servers, ServerStats{server.addr, server.queries, server.replies})
	}
	now := r.loop.Now()
	for _, p := range r.waiting() {
		s.Queue = append(s.Queue, QueryStats{
			ID: p.id, Size: p.size, Sends: p.sends, First: now.Sub(p.began), Last: now.Sub(p.sent),
			TCP: p.last == byTCP, Name: p.name,
		})
	}
	if hosts := r.config.Hosts; hosts != nil {
		s.Names.Entries, s.Addrs.Entries = hosts.Len(), len(hosts.names)
	}
	for e := r.cache.newest; e != nil; e = e.older {
		if e.key.addr.IsValid() {
			s.Addrs.Entries++
		} else {
			s.Names.Entries++
		}
	}
	return s
}

// Entries calls f for what is in the cache, the most recently used first, and then for
// the hosts file, names and addresses in order. f does not use the resolver.
func (r *Resolver) Entries(f func(Entry)) {
	now := r.loop.Now()
	for e := r.cache.newest; e != nil; e = e.older {
		f(e.listed(now))
	}
	for _, name := range r.config.Hosts.sortedNames() {
		f(Entry{Name: name, Addrs: r.config.Hosts.addrs[name], Hosts: true, TTL: -time.Second})
	}
	for _, addr := range r.config.Hosts.sortedAddrs() {
		f(Entry{Addr: addr, Names: r.config.Hosts.names[addr], Hosts: true, TTL: -time.Second})
	}
}

func (e *entry) listed(now time.Time) Entry {
	listed := Entry{
		Name: e.key.name, Addr: e.key.addr, Addrs: e.addrs, Names: e.names, Negative: e.err != nil,
		TTL: e.expires.Sub(now), Used: now.Sub(e.used),
	}
	return listed
}

// hit counts what was found in the cache, and returns its Lookup.
func (s *LookupStats) hit(e *entry) *Lookup {
	if e.err != nil {
		s.NegativeHits++
	} else {
		s.Hits++
	}
	return &e.hit
}

// count counts a reply by what it brought.
func (s *Stats) count(qtype uint16, m *reply, found bool) {
	switch {
	case !found:
	case qtype == typeA:
		s.A++
	case qtype == typeAAAA:
		s.AAAA++
	case qtype == typePTR:
		s.PTR++
	}
	if m.alias {
		s.CNAME++
		if !found {
			s.CNAMEOnly++
		}
	}
}

// code counts a reply by its RCODE and by how often its query had been sent.
func (s *Stats) code(code, sends int) {
	if code >= 0 && code < len(s.Codes) {
		s.Codes[code][min(max(sends, 1), len(s.Codes[0]))-1]++
	}
}
