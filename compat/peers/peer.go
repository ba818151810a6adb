package peers

import (
	"crypto/tls"
	"strings"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
)

// A peer is one cache_peer.
type peer struct {
	host string
	port uint16
	name string // name=, else the host
	kind kind

	access  *acl.List    // cache_peer_access; nil: everybody
	domains []typeDomain // neighbor_type_domain

	isDefault, roundRobin, weighted  bool // default, round-robin, weighted-round-robin
	carp, userHash, sourceHash       bool
	origin                           bool // originserver
	weight, baseTime, most, standing int  // weight=, basetime=, max-conn= (0: no limit), standby=
	key                              key  // carp-key=
	failLimit                        int  // connect-fail-limit=
	timeout                          time.Duration
	ofCaches                         []string // options that only concern caches
	domain                           string   // forceddomain=
	login                            login
	frontEnd                         frontEnd

	tls        *tls.Config // nil: none is spoken
	serverName string      // that is asked for, and verified
}

// kind is what a peer is to us.
type kind uint8

const (
	none kind = iota
	parent
	sibling
	multicast
)

// readKind reads a type; what is none is a sibling, as in Squid.
func readKind(c *directive.Context, word string) kind {
	switch word {
	case "parent":
		return parent
	case "sibling":
		return sibling
	case "multicast":
		return multicast
	}
	c.Say(0, "WARNING: Unknown neighbor type: %s", word)
	return sibling
}

// String is the word of Squid's log lines.
func (k kind) String() string {
	return [...]string{none: "Non-Peer", parent: "Parent", sibling: "Sibling", multicast: "Multicast Group"}[k]
}

// typeDomain is what a peer is for a domain.
type typeDomain struct {
	domain string // .x: x and all below it
	kind   kind
}

// kindFor is what p is for a request that asks for host.
func (p *peer) kindFor(host []byte) kind {
	for _, d := range p.domains {
		if within(string(host), d.domain) {
			return d.kind
		}
	}
	return p.kind
}

// within says whether a host is in a domain.
func within(host, domain string) bool {
	if below, ok := strings.CutPrefix(domain, "."); ok {
		return host == below || strings.HasSuffix(host, domain)
	}
	return host == domain
}

func lowered(s string) string { return strings.ToLower(s) }

func equalFold(a, b string) bool { return strings.EqualFold(a, b) }

// setPeer takes cache_peer: host, type, port, ICP port, options.
func (s *Settings) setPeer(c *directive.Context, l *conf.Line) error {
	words, err := c.Strings(l)
	if err == nil && len(words) < 3 {
		err = conf.Invalid(nil)
	}
	if err != nil {
		return err
	}
	p := &peer{host: lowered(strings.Trim(words[0], "[]")), name: words[0], kind: readKind(c, words[1]), weight: 1, failLimit: 10}
	if p.port, err = conf.ParsePort(words[2]); err != nil {
		return err
	}
	if p.port == 0 || len(words) < 4 {
		return conf.Invalid(nil)
	}
	icp, err := conf.ParsePort(words[3])
	if err != nil {
		return err
	}
	o := reader{context: c, line: l, peer: p}
	for _, word := range words[4:] {
		if err := o.option(word); err != nil {
			return err
		}
	}
	if s.find(p.name) != nil && s.find(p.name).name == p.name {
		return o.fatal("ERROR: cache_peer %s specified twice", p.name)
	}
	if err := o.finish(icp); err != nil {
		return err
	}
	s.peers = append(s.peers, p)
	return nil
}
