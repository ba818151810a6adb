package redirector

import (
	"fmt"

	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/compat/logformat"
)

// Directives are the setters.
func (s *Settings) Directives() directive.Set {
	return directive.Set{
		"url_rewrite_program":     s.setProgram,
		"url_rewrite_children":    s.setChildren,
		"url_rewrite_concurrency": s.setConcurrency,
		"redirect_concurrency":    s.setConcurrency,
		"url_rewrite_access":      directive.Rules(s.Access),
		"url_rewrite_bypass":      directive.OnOff(&s.Bypass),
		"url_rewrite_host_header": directive.Unless(&s.KeepHost),
		"url_rewrite_extras":      s.setExtras,
		"url_rewrite_timeout":     s.setTimeout,
		"url_rewrite_failure":     s.setFailure,
		"helper_line_max":         directive.Number(&s.LineMax),
		"keep_helpers":            directive.OnOff(&s.Keep),
	}
}

// setProgram takes the program and its arguments.
func (s *Settings) setProgram(c *directive.Context, l *conf.Line) error {
	argv, err := c.Strings(l)
	if err == nil {
		s.Argv = argv
	}
	return err
}

// setChildren takes MAX and its options.
func (s *Settings) setChildren(c *directive.Context, l *conf.Line) error {
	return s.Children.Set(c, c.Args(l))
}

// setConcurrency is the directive of 2.x and 3.x. It wins over the option, as in Squid.
func (s *Settings) setConcurrency(c *directive.Context, l *conf.Line) error {
	n, err := c.Args(l).Int()
	if err != nil {
		return err
	}
	if n < 0 {
		return conf.Invalid{fmt.Sprintf("ERROR: the value of %s cannot be less than 0", l.Name)}
	}
	c.Say(1, "WARNING: %s upgrade overriding url_rewrite_children settings.", l.Name)
	s.Children.Concurrency = n
	return nil
}

// setTimeout takes a time, on_timeout= and response=.
func (s *Settings) setTimeout(c *directive.Context, l *conf.Line) error {
	args := c.Args(l)
	timeout, err := args.TimeOrSeconds()
	if err != nil {
		return err
	}
	action, response, answered := TimeoutFail, "", false
	for {
		key, value, ok, err := args.KeyValue()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		switch key {
		case "on_timeout":
			if action, ok = timeoutActions[value]; !ok {
				return conf.Invalid{fmt.Sprintf(`FATAL: unsupported "on_timeout" action: %s`, value)}
			}
		case "response":
			response, answered = value, true
		default:
			return conf.Invalid{fmt.Sprintf("FATAL: unsupported option %s", key)}
		}
	}
	if action == TimeoutResponse && !answered {
		return conf.Invalid{"FATAL: Expected 'response=' option after 'on_timeout=use_configured_response' option"}
	}
	if action != TimeoutResponse && answered {
		return conf.Invalid{"FATAL: 'response=' option is valid only when used with the 'on_timeout=use_configured_response' option"}
	}
	s.Timeout, s.OnTimeout, s.Response = timeout, action, response
	return nil
}

var timeoutActions = map[string]OnTimeout{
	"fail":                    TimeoutFail,
	"bypass":                  TimeoutBypass,
	"retry":                   TimeoutRetry,
	"use_configured_response": TimeoutResponse,
}

// setFailure takes crash=, bh=, invalid=, target= and long=, each deny or pass.
func (s *Settings) setFailure(c *directive.Context, l *conf.Line) error {
	fields := map[string]*Fault{"crash": &s.Crash, "bh": &s.Broken, "invalid": &s.Invalid, "target": &s.Target, "long": &s.Long}
	args := c.Args(l)
	for given := false; ; given = true {
		key, value, ok, err := args.KeyValue()
		if err != nil {
			return err
		}
		if !ok {
			if !given {
				return conf.Invalid(nil)
			}
			return nil
		}
		field := fields[key]
		if field == nil || value != "deny" && value != "pass" {
			return conf.Invalid{fmt.Sprintf("ERROR: %s: '%s=%s' is not crash=, bh=, invalid=, target= or long= with deny or pass", l.Name, key, value)}
		}
		*field = Deny
		if value == "pass" {
			*field = Pass
		}
	}
}

// setExtras takes one word or quoted string. What comes after it is ignored, as in Squid.
func (s *Settings) setExtras(c *directive.Context, l *conf.Line) error {
	token, ok := c.Args(l).Word()
	if !ok {
		return conf.Invalid(nil)
	}
	format, err := logformat.CompileExtras(token.Text)
	if err != nil {
		return conf.Invalid{"FATAL: " + err.Error()}
	}
	s.Extras = format
	return nil
}
