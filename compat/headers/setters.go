package headers

import (
	"fmt"

	"exaproxy/compat/acl"
	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/compat/logformat"
	"exaproxy/engine/h1"
)

// setAccess takes a line of request_header_access or reply_header_access: a name, allow or deny, and acls.
func (s *rules) setAccess(c *directive.Context, l *conf.Line) error {
	name, err := fieldName(c, l)
	if err != nil {
		return err
	}
	rule := s.of(name)
	if isIndispensable([]byte(name)) && len(l.Tokens) > 1 && l.Tokens[1].Text == "deny" {
		c.Say(1, "NOTICE: %s: %s stays in every message, which would be another one without it", l.Pos, name)
	}
	if rule.access == nil {
		rule.access = c.ACLs.NewList(l.Name, acl.Allow)
	}
	warnings, err := rule.access.Add(l, 1)
	c.Warn(warnings)
	if err == nil {
		c.SayKnown(l, rule.access)
		if s.beforeReply {
			c.SayNoReply(l, rule.access)
		}
	}
	return err
}

// setReplacement takes a line of request_header_replace or reply_header_replace: a name, and the rest of the line.
func (s *rules) setReplacement(c *directive.Context, l *conf.Line) error {
	name, err := fieldName(c, l)
	if err != nil {
		return err
	}
	if len(l.Tokens) < 2 {
		return conf.Invalid{fmt.Sprintf("ERROR: %s needs the value that takes the place of %s; without such a line the field is removed", l.Name, name)}
	}
	s.of(name).replacement = []byte(l.Tokens[1].Text)
	return nil
}

// add takes a line of request_header_add or reply_header_add: a name, a value, and acls.
func (s *rules) add(c *directive.Context, l *conf.Line) error {
	if len(l.Tokens) < 2 {
		return conf.Invalid{fmt.Sprintf("ERROR: %s needs the name of a field and its value", l.Name)}
	}
	name, err := fieldName(c, l)
	if err != nil {
		return err
	}
	if isIndispensable([]byte(name)) {
		return conf.Invalid{fmt.Sprintf("ERROR: %s: a second %s would make another message of it", l.Name, name)}
	}
	value := l.Tokens[1]
	added := addition{name: name, text: []byte(value.Text)}
	if value.Quoted {
		if added.format, err = logformat.CompileExtras(value.Text); err != nil {
			return err
		}
	}
	if added.when, err = c.KnownConditions(l, 2); err != nil {
		return err
	}
	if s.beforeReply {
		c.SayNoReply(l, added.when)
	}
	s.added = append(s.added, added)
	return nil
}

// fieldName is the first word of a line.
func fieldName(c *directive.Context, l *conf.Line) (string, error) {
	name, err := c.Args(l).String()
	switch {
	case err != nil:
		return "", err
	case !h1.IsToken([]byte(name)):
		return "", conf.Invalid{fmt.Sprintf("ERROR: %s: '%s' cannot be the name of a field", l.Name, name)}
	case name == "all":
		c.Say(1, "WARNING: %s: %s 'all' is a field of that name, as in Squid; 'All' is every field", l.Pos, l.Name)
	}
	return name, nil
}
