package compat

import (
	"strings"

	"exaproxy/compat/auth"
	"exaproxy/compat/external"
	"exaproxy/compat/helpertest"
	"exaproxy/compat/logs"
	"exaproxy/helper"
)

// Programs are the helpers of the configuration, run as the proxy runs them. Messages of theirs go to log.
func (s *Settings) Programs(log *logs.CacheLog) (all []helpertest.Program) {
	c := s.config(log)
	if c.Helper != nil {
		all = append(all, helpertest.Program{Kind: strings.TrimSuffix(s.Redirector.Program(), "_program"), Name: s.Redirector.Program(), Config: *c.Helper,
			Talk: helpertest.Rewriter(&s.Redirector, s.Connection.Limits.Whitespace)})
	}
	pools := make(map[string]helper.Config)
	for _, pool := range c.PolicyHelpers {
		pools[pool.Name] = pool
	}
	for _, p := range []helpertest.Program{
		{Kind: "auth", Name: "basic", Talk: helpertest.Credentials},
		{Kind: "digest", Name: "digest", Talk: helpertest.DigestUsers},
		{Kind: "ntlm", Name: "ntlm"},
		{Kind: "negotiate", Name: "negotiate"},
	} {
		if pool, ok := pools[auth.PoolName(p.Name)]; ok {
			p.Name, p.Config = "auth_param "+p.Name+" program", pool
			all = append(all, p)
		}
	}
	for _, t := range s.External.Types() {
		all = append(all, helpertest.Program{Kind: "external_acl", Name: "external_acl_type " + t.Name, Config: pools[external.PoolName(t.Name)],
			Talk: helpertest.External(t, s.acls.Externals(t.Name))})
	}
	return all
}
