package reportonly

import (
	"exaproxy/compat/acl"
	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
)

// Settings are what is only reported.
type Settings struct {
	Helper bool // whatever the redirectors answer

	helper conf.Pos // of the word
	acls   []named
}

// A named is an acl on a line.
type named struct {
	acl  string
	line conf.Line
}

// Directives are the setters.
func (s *Settings) Directives() directive.Set { return directive.Set{"report_only": s.set} }

// set takes "helper" and acls.
func (s *Settings) set(c *directive.Context, l *conf.Line) error {
	words, err := c.Strings(l)
	if err != nil {
		return err
	}
	for _, word := range words {
		if word == "helper" {
			s.Helper, s.helper = true, l.Pos
			continue
		}
		if !c.ACLs.Has(word) {
			return conf.Invalid{"ACL not found: " + word}
		}
		s.acls = append(s.acls, named{word, *l})
	}
	return nil
}

// CheckHelper complains of "helper" where there is none.
func (s *Settings) CheckHelper(c *directive.Context, there bool) {
	if s.Helper && !there {
		c.Say(1, "WARNING: %s: report_only: there is no url_rewrite_program or reqmod_program, so 'helper' has no effect", s.helper)
	}
}

// Finish marks the lines of http_access that only report. An error is why one must not.
func (s *Settings) Finish(c *directive.Context, rules *acl.List) error {
	for i := range s.acls {
		n := &s.acls[i]
		lines, err := rules.ReportOnly(n.acl)
		if err != nil {
			return n.line.Bungle(conf.Invalid{"ERROR: report_only: " + err.Error()})
		}
		if lines == 0 {
			c.Say(1, "WARNING: %s: report_only: no http_access line that denies ends in acl '%s'", n.line.Pos, n.acl)
		}
	}
	return nil
}
