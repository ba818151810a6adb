package access

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"

	"exaproxy/compat/acl"
	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
)

// Settings are what a configuration says of who may ask for what.
type Settings struct {
	Rules    *acl.List          // http_access
	DenyInfo map[string]*Denial // deny_info, by acl
	Adapted  *acl.List          // adapted_http_access
	Misses   *acl.List          // miss_access
	Replies  *acl.List          // http_reply_access
	Purge    bool               // an acl names the method PURGE
	largest  []replySize        // reply_body_max_size
	denied   []denied           // the acls of DenyInfo, in the file's order
}

// Defaults deny everybody, as Squid does without an http_access line. Host names among the values
// of acls are looked up while the configuration is read.
func Defaults(acls *acl.Set) Settings {
	acls.Resolve = resolveHost
	return Settings{
		Rules: acls.NewList("http_access", acl.Deny), Adapted: acls.NewList("adapted_http_access", acl.Allow),
		Misses: acls.NewList("miss_access", acl.Allow), Replies: acls.NewList("http_reply_access", acl.Allow),
		DenyInfo: make(map[string]*Denial),
	}
}

// Directives are the setters.
func (s *Settings) Directives() directive.Set {
	return directive.Set{
		"acl":         setACL,
		"http_access": directive.Rules(s.Rules),
		"deny_info":   s.setDenyInfo,

		"adapted_http_access": directive.Rules(s.Adapted),
		"miss_access":         directive.KnownRules(s.Misses),

		"http_reply_access":   directive.ReplyRules(s.Replies),
		"reply_body_max_size": s.setReplySize,
	}
}

func setACL(c *directive.Context, l *conf.Line) error {
	warnings, err := c.ACLs.Add(l)
	c.Warn(warnings)
	return err
}

// denied is an acl that a line of deny_info names.
type denied struct {
	acl string
	at  conf.Pos
}

// Finish makes the acls ready and warns of what nobody meant to write.
func (s *Settings) Finish(c *directive.Context) {
	c.Warn(c.ACLs.Finish())
	s.Purge = c.ACLs.Purge
	if s.Rules.Empty() {
		c.Say(1, "NOTICE: there is no http_access line: everybody is denied")
	}
	for _, d := range s.denied {
		if !c.ACLs.Has(d.acl) {
			c.Say(1, "WARNING: %s: deny_info names acl '%s', which there is not: correct its name, or define it", d.at, d.acl)
		}
	}
}

// Pages are the names of the error pages that deny_info gives.
func (s *Settings) Pages() []string {
	names := make(map[string]bool)
	for _, d := range s.DenyInfo {
		if d.Page != "" {
			names[d.Page] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// resolveHost finds the addresses of a host that an acl names, while the configuration is read.
func resolveHost(name string) ([]netip.Addr, error) {
	texts, err := net.LookupHost(name)
	if err != nil {
		return nil, err
	}
	var addrs []netip.Addr
	for _, text := range texts {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return nil, fmt.Errorf("resolve %s: %w", name, err)
		}
		addrs = append(addrs, addr.Unmap())
	}
	return addrs, nil
}
