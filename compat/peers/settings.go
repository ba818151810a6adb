package peers

import (
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
)

// Settings are what a configuration says of other proxies.
type Settings struct {
	peers []*peer // in the file's order

	connectTimeout time.Duration // peer_connect_timeout
	preferDirect   bool          // prefer_direct
	nonHierarchy   bool          // nonhierarchical_direct: what no cache could have goes directly
	always, never  *acl.List     // always_direct, never_direct
}

// Defaults are Squid's.
func Defaults(acls *acl.Set) Settings {
	s := Settings{
		connectTimeout: 30 * time.Second, nonHierarchy: true,
		always: acls.NewList("always_direct", acl.Deny), never: acls.NewList("never_direct", acl.Deny),
	}
	s.never.Unknown = acl.Allow // where a helper cannot tell, nothing goes round a parent that may have to see it
	return s
}

// Directives are the setters.
func (s *Settings) Directives() directive.Set {
	return directive.Set{
		"cache_peer":             s.setPeer,
		"cache_peer_access":      s.setAccess,
		"neighbor_type_domain":   s.setTypeDomain,
		"peer_connect_timeout":   directive.Wait(&s.connectTimeout),
		"always_direct":          directive.Rules(s.always),
		"never_direct":           directive.Rules(s.never),
		"prefer_direct":          directive.OnOff(&s.preferDirect),
		"nonhierarchical_direct": directive.OnOff(&s.nonHierarchy),
	}
}

// Enabled says whether a request may have to go elsewhere than to the server that its URL names.
func (s *Settings) Enabled() bool { return len(s.peers) > 0 || !s.never.Empty() }

// HasKeys says whether there are private keys in the settings.
func (s *Settings) HasKeys() bool {
	for _, p := range s.peers {
		if p.tls != nil && len(p.tls.Certificates) > 0 {
			return true
		}
	}
	return false
}

// find returns the peer of a name, whatever its case, as Squid does; nil if there is none.
func (s *Settings) find(name string) *peer {
	for _, p := range s.peers {
		if equalFold(p.name, name) {
			return p
		}
	}
	return nil
}

// setAccess takes cache_peer_access. As in Squid one of a peer that is not there is left out.
func (s *Settings) setAccess(c *directive.Context, l *conf.Line) error {
	name, err := c.Args(l).String()
	if err != nil {
		return err
	}
	p := s.find(name)
	if p == nil {
		c.Say(0, "ERROR: %s, line %d: No cache_peer '%s': its line, or its name=, has to stand above", l.Pos.File, l.Pos.Line, name)
		return nil
	}
	if p.access == nil {
		p.access = c.ACLs.NewList("cache_peer_access", acl.Allow)
	}
	warnings, err := p.access.Add(l, 1)
	c.Warn(warnings)
	if err == nil {
		c.SayKnown(l, p.access)
	}
	return err
}

// setTypeDomain takes neighbor_type_domain.
func (s *Settings) setTypeDomain(c *directive.Context, l *conf.Line) error {
	words, err := c.Strings(l)
	if err == nil && len(words) < 2 {
		err = conf.Invalid(nil)
	}
	if err != nil {
		return err
	}
	p := s.find(words[0])
	if p == nil {
		c.Say(0, "%s, line %d: No cache_peer '%s': its line, or its name=, has to stand above", l.Pos.File, l.Pos.Line, words[0])
		return nil
	}
	kind := readKind(c, words[1])
	for _, domain := range words[2:] {
		p.domains = append(p.domains, typeDomain{domain: lowered(domain), kind: kind})
	}
	return nil
}
