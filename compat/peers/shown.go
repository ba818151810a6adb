package peers

import (
	"slices"
	"strings"
	"time"
)

// A Shown peer is one as the cache manager tells of it.
type Shown struct {
	Kind, Name, Host string
	Port             uint16
	Options          string
	Up               bool
	Fetches, Kept    uint64    // requests that were sent there, and connections that were kept after one
	Open             int       // connections to it
	Failed           time.Time // when one could not be made last; zero: never
}

// Each calls f for all peers, in the file's order. On a nil Policy there are none.
func (p *Policy) Each(f func(Shown)) {
	if p == nil {
		return
	}
	for _, l := range p.links {
		s := Shown{Kind: l.kind.String(), Name: l.name, Host: l.host, Port: l.port, Options: l.options(), Up: l.state.alive(),
			Fetches: l.state.fetches.Load(), Kept: l.state.kept.Load(), Open: int(l.state.open.Load())}
		if at := l.state.failed.Load(); at != 0 {
			s.Failed = time.Unix(at, 0)
		}
		f(s)
	}
}

// options are those of the line that say how the peer is chosen and spoken to, in Squid's order. Nobody is asked by ICP.
func (p *peer) options() string {
	var all []string
	for _, o := range []struct {
		name string
		on   bool
	}{
		{"proxy-only", false}, {"no-query", true}, {"background-ping", false}, {"no-digest", false}, {"default", p.isDefault},
		{"round-robin", p.roundRobin}, {"carp", p.carp}, {"userhash", p.userHash}, {"sourcehash", p.sourceHash},
		{"weighted-round-robin", p.weighted}, {"multicast-responder", false}, {"multicast-siblings", false}, {"closest-only", false},
		{"no-netdb-exchange", false}, {"no-delay", false}, {"originserver", p.origin}, {"no-tproxy", false},
		{"connection-auth=auto", true}, {"tls-disable", p.tls == nil}, {"tls", p.tls != nil},
	} {
		if o.on || slices.Contains(p.ofCaches, o.name) {
			all = append(all, o.name)
		}
	}
	return strings.Join(all, " ")
}
