package intercept

import (
	"exaproxy/compat/acl"
	"exaproxy/compat/directive"
)

// Settings are what a configuration says of diverted connections.
type Settings struct {
	Strict   bool      // host_verify_strict
	Passthru bool      // client_dst_passthru: all requests go to the address that the client connected to
	Indirect bool      // tproxy_uses_indirect_client: that is whom X-Forwarded-For names, if he is believed
	Spoof    *acl.List // spoof_client_ip: whose address servers see, by a port of tproxy
}

// Defaults are Squid's.
func Defaults(acls *acl.Set) Settings {
	return Settings{Passthru: true, Spoof: acls.NewList("spoof_client_ip", acl.Allow)}
}

// Directives are the setters.
func (s *Settings) Directives() directive.Set {
	return directive.Set{
		"host_verify_strict":          directive.OnOff(&s.Strict),
		"client_dst_passthru":         directive.OnOff(&s.Passthru),
		"tproxy_uses_indirect_client": directive.OnOff(&s.Indirect),
		"spoof_client_ip":             directive.KnownRules(s.Spoof),
	}
}
