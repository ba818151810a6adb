package compat

import (
	"context"

	"exaproxy/compat/acl"
	"exaproxy/compat/explain"
	"exaproxy/compat/logs"
	"exaproxy/engine"
)

// Explain says what becomes of a request. The settings were loaded with Overrides.Explain, and serve for nothing else at
// that time. Messages go to log, which has no file.
func (s *Settings) Explain(ctx context.Context, q explain.Request, log *logs.CacheLog) (*explain.Explanation, error) {
	opened, err := (&logs.Settings{}).Open(logs.NewFiles(log, nil)) // nothing is logged
	if err != nil {
		return nil, err
	}
	c := s.config(log)
	c.NewPolicy = func(services engine.Services) (engine.Policy, error) {
		return newPolicy(s, services, opened, s.newShared()), nil
	}
	return explain.Run(ctx, c, s.Redirector.Program(), q, func(observe func(*acl.Trace)) { s.observe = observe })
}
