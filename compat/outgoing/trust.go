package outgoing

import (
	"strings"

	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/compat/verify"
)

// revoke takes a file of lists of revoked certificates.
func (s *Settings) revoke(c *directive.Context, name string) error {
	text, err := c.ReadFile(name)
	if err == nil {
		_, err = s.revoked().Add(text)
	}
	if err != nil {
		return s.refuse("crlfile=%s: %s", name, err)
	}
	return nil
}

// setIntermediates takes sslproxy_foreign_intermediate_certs.
func (s *Settings) setIntermediates(c *directive.Context, l *conf.Line) error {
	name, err := c.Args(l).String()
	if err != nil {
		return err
	}
	text, err := c.ReadFile(name)
	if err != nil {
		return conf.Invalid{"FATAL: " + l.Name + ": " + strings.TrimPrefix(err.Error(), "open ")}
	}
	s.verify.Intermediates = verify.Intermediates(text)
	return nil
}
