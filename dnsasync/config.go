package dnsasync

import (
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"time"
)

// Config says which servers a Resolver asks, for how long, and what it caches. The zero
// Config asks the name server of this machine and has no hosts file. A Config may be shared by
// several resolvers: none of them changes it.
type Config struct {
	// Servers are asked in this order, those that do not answer after all others: the first, and when it stays silent, refuses or
	// fails, the next (dns_nameservers, or nameserver in resolv.conf). None: 127.0.0.1,
	// port 53. Port 0 is 53. More than 64 are not used.
	Servers []netip.AddrPort

	// Rotate has the servers take turns in being the first, by question (options rotate in resolv.conf).
	Rotate bool

	// Search are the domains that are tried behind names with fewer than Ndots dots
	// when Defnames is set (search in resolv.conf). None: names are asked as they are.
	Search []string
	// Ndots is how many dots make a name be asked as it is first (options ndots).
	// 0: 1, as in resolv.conf(5). Negative: every name is.
	Ndots int
	// Defnames turns Search on (dns_defnames). False: Search is ignored.
	Defnames bool
	// AppendDomain begins with a dot and is put behind names without one (append_domain).
	// Empty: nothing is.
	AppendDomain string

	// Hosts is looked at before any name server is (hosts_file). nil: it is empty.
	Hosts *Hosts

	// PacketMax is the size of datagrams that servers are told we take, in bytes, between 512 and 16,383 (dns_packet_max,
	// RFC 6891). 0: 1,232, what passes everywhere in one piece. Negative: they are told nothing, and send 512 at most.
	PacketMax int

	// Retransmit is how long a server may be silent before the next is asked; it is
	// doubled each time that all have been asked (dns_retransmit_interval). 0: 5 s.
	Retransmit time.Duration
	// Timeout is how long a question may take in all (dns_timeout). 0: 30 s.
	Timeout time.Duration

	// MaxTTL is how long an answer is kept at most (positive_dns_ttl). 0: 6 hours.
	MaxTTL time.Duration
	// NegativeTTL is how long it is remembered, at most, that a name or its addresses do
	// not exist (negative_dns_ttl). 0: 1 minute. Negative: not at all.
	NegativeTTL time.Duration
	// MinTTL is how long an answer is kept at least, unless its TTL is 0: that is never
	// kept. 0: NegativeTTL, as in Squid. Negative: there is no lower limit.
	MinTTL time.Duration
	// CacheSize is how many names are kept; the one not used for longest makes room.
	// 0: 16,384. Negative: none.
	CacheSize int

	// IPv4Only asks for no IPv6 addresses (no-aaaa in resolv.conf). False: both
	// families are asked at the same time.
	IPv4Only bool
	// Prefer is the family whose addresses come first, where there are some of both and both are known in
	// time (prefer_family). AnyFamily: that whose answer came first, as in Squid.
	Prefer Family

	// Log gets a line when a name server stops answering or fails, and when it answers
	// again. nil: nothing is logged.
	Log *slog.Logger
	// Random is the source of query identifiers; it may not fail. nil: crypto/rand.
	// Others are for tests.
	Random io.Reader
}

// A Family is that of addresses.
type Family uint8

const (
	AnyFamily Family = iota
	IPv4
	IPv6
)

// qtype is what is asked for addresses of the family; 0: of any.
func (f Family) qtype() uint16 { return [...]uint16{AnyFamily: 0, IPv4: typeA, IPv6: typeAAAA}[f] }

const (
	defaultPort        = 53
	defaultRetransmit  = 5 * time.Second
	defaultTimeout     = 30 * time.Second
	defaultMaxTTL      = 6 * time.Hour
	defaultNegativeTTL = time.Minute
	defaultCacheSize   = 16384
	maxFailureTTL      = 5 * time.Second
	maxServers         = 64
	minPacket          = 512        // RFC 6891 section 6.2.3
	maxPacket          = 16<<10 - 1 // as in Squid
)

func (c *Config) servers() []netip.AddrPort {
	if len(c.Servers) == 0 {
		return []netip.AddrPort{netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), defaultPort)}
	}
	servers := make([]netip.AddrPort, 0, len(c.Servers))
	for _, at := range c.Servers[:min(len(c.Servers), maxServers)] {
		port := at.Port()
		if port == 0 {
			port = defaultPort
		}
		servers = append(servers, netip.AddrPortFrom(at.Addr().Unmap(), port))
	}
	return servers
}

func (c *Config) ndots() int {
	if c.Ndots == 0 {
		return 1
	}
	return max(c.Ndots, 0)
}

// searches reports whether a name may be completed with a domain.
func (c *Config) searches() bool {
	return c.AppendDomain != "" || c.Defnames && len(c.Search) > 0
}

// findsAs reports whether o leads to the same answers, kept for as long: what stands in the hosts file is not kept.
func (c *Config) findsAs(o *Config) bool {
	return slices.Equal(c.servers(), o.servers()) && slices.Equal(c.Search, o.Search) && c.ndots() == o.ndots() &&
		c.Defnames == o.Defnames && c.AppendDomain == o.AppendDomain && c.IPv4Only == o.IPv4Only && c.Prefer == o.Prefer &&
		c.maxTTL() == o.maxTTL() && c.negativeTTL() == o.negativeTTL() && c.minTTL() == o.minTTL() && c.cacheSize() == o.cacheSize()
}

func (c *Config) retransmit() time.Duration { return positive(c.Retransmit, defaultRetransmit) }
func (c *Config) timeout() time.Duration    { return positive(c.Timeout, defaultTimeout) }
func (c *Config) maxTTL() time.Duration     { return positive(c.MaxTTL, defaultMaxTTL) }

// packetMax is what queries announce; 0: nothing.
func (c *Config) packetMax() int {
	switch {
	case c.PacketMax == 0:
		return udpSize
	case c.PacketMax < 0:
		return 0
	}
	return min(max(c.PacketMax, minPacket), maxPacket)
}

func (c *Config) negativeTTL() time.Duration {
	if c.NegativeTTL == 0 {
		return defaultNegativeTTL
	}
	return max(c.NegativeTTL, 0)
}

func (c *Config) minTTL() time.Duration {
	if c.MinTTL == 0 {
		return c.negativeTTL()
	}
	return max(c.MinTTL, 0)
}

func (c *Config) cacheSize() int {
	if c.CacheSize == 0 {
		return defaultCacheSize
	}
	return max(c.CacheSize, 0)
}

// positiveTTL is how long an answer is cached whose records have this TTL in seconds.
func (c *Config) positiveTTL(seconds uint32) time.Duration {
	ttl := time.Duration(seconds) * time.Second
	if ttl == 0 {
		return 0
	}
	return min(max(ttl, c.minTTL()), c.maxTTL())
}

// missTTL is how long it is cached that there is no answer, by what the SOA says in seconds.
func (c *Config) missTTL(seconds uint32) time.Duration {
	if seconds == unknownTTL {
		return c.negativeTTL()
	}
	return min(time.Duration(seconds)*time.Second, c.negativeTTL())
}

// failureTTL is how long it is cached that servers failed or did not answer: long
// enough to spare them a storm (RFC 9520 section 3.2), short enough to notice that they
// are back.
func (c *Config) failureTTL() time.Duration { return min(maxFailureTTL, c.negativeTTL()) }

func positive(d, otherwise time.Duration) time.Duration {
	if d <= 0 {
		return otherwise
	}
	return d
}
