package indirect

import (
	"exaproxy/compat/acl"
	"exaproxy/compat/directive"
)

// Settings are what a configuration says of clients behind others.
type Settings struct {
	follow   *acl.List // follow_x_forwarded_for: whose word is taken
	announce *acl.List // proxy_protocol_access: whose PROXY header

	judged bool // acl_uses_indirect_client
	told   bool // log_uses_indirect_client
}

// Defaults believe nobody, as Squid does.
func Defaults(acls *acl.Set) Settings {
	return Settings{follow: acls.NewList("follow_x_forwarded_for", acl.Deny), announce: acls.NewList("proxy_protocol_access", acl.Deny), judged: true, told: true}
}

// Directives are the setters.
func (s *Settings) Directives() directive.Set {
	return directive.Set{
		"proxy_protocol_access":    directive.KnownRules(s.announce),
		"follow_x_forwarded_for":   directive.Rules(s.follow),
		"acl_uses_indirect_client": directive.OnOff(&s.judged),
		"log_uses_indirect_client": directive.OnOff(&s.told),
	}
}
