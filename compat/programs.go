package compat

import (
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
		all = append(all, helpertest.Program{Kind: "url_rewrite", Name: "url_rewrite_program", Config: *c.Helper,
			Talk: helpertest.Rewriter(&s.Redirector, s.Connection.Limits.Whitespace)})
	}
	pools := make(map[string]helper.Config)
	for _, pool := range c.PolicyHelpers {
		pools[pool.Name] = pool
	}
	if basic, ok := pools[auth.PoolName("basic")]; ok {
		all = append(all, helpertest.Program{Kind: "auth", Name: "auth_param basic program", Config: basic, Talk: helpertest.Credentials})
	}
	for _, t := range s.External.Types() {
		all = append(all, helpertest.Program{Kind: "external_acl", Name: "external_acl_type " + t.Name, Config: pools[external.PoolName(t.Name)],
			Talk: helpertest.External(t, s.acls.Externals(t.Name))})
	}
	return all
}
