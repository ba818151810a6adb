package peers

// A Shown peer is one as the cache manager tells of it.
type Shown struct {
	Kind, Name, Host string
	Port             uint16
	Options          []string
	Up               bool
	Fetches          uint64 // requests that were sent there
	Open             int    // connections to it
}

// Each calls f for all peers, in the file's order. On a nil Policy there are none.
func (p *Policy) Each(f func(Shown)) {
	if p == nil {
		return
	}
	for _, l := range p.links {
		f(Shown{Kind: l.kind.String(), Name: l.name, Host: l.host, Port: l.port, Options: l.peer.options(), Up: l.state.alive(),
			Fetches: l.state.fetches.Load(), Open: int(l.state.open.Load())})
	}
}

// options are those of the line that say how it is chosen and spoken to.
func (p *peer) options() (all []string) {
	for _, o := range []struct {
		on   bool
		name string
	}{
		{p.isDefault, "default"}, {p.roundRobin, "round-robin"}, {p.carp, "carp"}, {p.userHash, "userhash"}, {p.sourceHash, "sourcehash"},
		{p.weighted, "weighted-round-robin"}, {p.origin, "originserver"},
	} {
		if o.on {
			all = append(all, o.name)
		}
	}
	all = append(all, "connection-auth=auto")
	if p.tls == nil {
		return append(all, "tls-disable")
	}
	return append(all, "tls")
}
