package redirector

import (
	"fmt"
	"strings"

	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/compat/logformat"
)

// Directives are the setters.
func (s *Settings) Directives() directive.Set {
	all := directive.Set{
		"url_rewrite_program":     program(&s.Asking, &s.Reqmod),
		"reqmod_program":          program(&s.Reqmod, &s.Asking),
		"keep_helpers":            directive.OnOff(&s.Keep),
		"url_rewrite_host_header": directive.Unless(&s.KeepHost),
	}
	all.Add(noting(&s.squids, directive.Set{
		"url_rewrite_children":    s.setChildren,
		"url_rewrite_concurrency": s.setConcurrency,
		"redirect_concurrency":    s.setConcurrency,
		"url_rewrite_access":      directive.Rules(s.Access),
		"url_rewrite_bypass":      directive.OnOff(&s.Bypass),
		"url_rewrite_extras":      s.setExtras,
		"url_rewrite_timeout":     s.setTimeout,
	}))
	all.Add(noting(&s.ours, directive.Set{
		"url_rewrite_headers": directive.OnOff(&s.Children.Headers),
		"url_rewrite_failure": s.setFailure,
		"helper_line_max":     directive.Number(&s.LineMax),
	}))
	all.Add(noting(&s.Reqmod.ours, directive.Set{
		"reqmod_children": s.Reqmod.setChildren,
		"reqmod_access":   directive.Rules(s.Reqmod.Access),
		"reqmod_bypass":   directive.OnOff(&s.Reqmod.Bypass),
		"reqmod_timeout":  s.Reqmod.setTimeout,
		"reqmod_failure":  s.Reqmod.setFailure,
		"reqmod_uri":      s.setURI,
	}))
	return all
}

// noting has setters note where their lines are, for the case that there is no program which they are about.
func noting(lines *[]place, set directive.Set) directive.Set {
	for name, setter := range set {
		set[name] = func(c *directive.Context, l *conf.Line) error {
			*lines = append(*lines, place{l.Pos, l.Name})
			return setter(c, l)
		}
	}
	return set
}

// program takes the program of one kind of helper, and its arguments. A request is put to one kind only: which of two
// would have the last word?
func program(one, other *Asking) directive.Setter {
	return func(c *directive.Context, l *conf.Line) error {
		argv, err := c.Strings(l)
		if err != nil {
			return err
		}
		if other.Enabled() {
			return conf.Invalid{fmt.Sprintf("ERROR: %s: there is a %s too, and a request is put to one of them", l.Name, other.Program())}
		}
		one.Argv, one.at = argv, place{l.Pos, l.Name}
		return nil
	}
}

// setChildren takes MAX and its options.
func (a *Asking) setChildren(c *directive.Context, l *conf.Line) error {
	if err := a.Children.Set(c, c.Args(l)); err != nil {
		return err
	}
	switch {
	case a.Kind == Blocks && a.Children.Concurrency > 0:
		return conf.Invalid{fmt.Sprintf("ERROR: %s: a block has no channel number, so there is no concurrency= but 0", l.Name)}
	case a.Kind == Blocks && a.Children.Pipeline > 1:
		return conf.Invalid{fmt.Sprintf("ERROR: %s: a helper of blocks has one at a time, so there is no pipeline= but 1", l.Name)}
	}
	return nil
}

// setURI takes the URI that stands in the first line of each block.
func (s *Settings) setURI(c *directive.Context, l *conf.Line) error {
	token, ok := c.Args(l).Word()
	rest, found := strings.CutPrefix(token.Text, "icap://")
	host, _, _ := strings.Cut(rest, "/")
	if !ok || !found || host == "" || strings.ContainsFunc(token.Text, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return conf.Invalid{fmt.Sprintf("ERROR: %s: '%s' is not icap://HOST/PATH", l.Name, token.Text)}
	}
	s.URI, s.uriHost = token.Text, host
	return nil
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
	return s.Children.Check()
}

// setTimeout takes a time, on_timeout= and response=.
func (a *Asking) setTimeout(c *directive.Context, l *conf.Line) error {
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
	if action == TimeoutResponse && a.Kind == Blocks {
		return conf.Invalid{fmt.Sprintf("ERROR: %s: there is no use_configured_response: a block does not fit a line", l.Name)}
	}
	if action == TimeoutResponse && !answered {
		return conf.Invalid{"FATAL: Expected 'response=' option after 'on_timeout=use_configured_response' option"}
	}
	if action != TimeoutResponse && answered {
		return conf.Invalid{"FATAL: 'response=' option is valid only when used with the 'on_timeout=use_configured_response' option"}
	}
	a.Timeout, a.OnTimeout, a.Response = timeout, action, response
	return nil
}

var timeoutActions = map[string]OnTimeout{
	"fail":                    TimeoutFail,
	"bypass":                  TimeoutBypass,
	"retry":                   TimeoutRetry,
	"use_configured_response": TimeoutResponse,
}

// setFailure takes crash=, bh=, invalid=, target= and long=, each deny or pass. Of blocks none can be too long, and no
// helper says in one that it cannot tell.
func (a *Asking) setFailure(c *directive.Context, l *conf.Line) error {
	fields, names := map[string]*Fault{"crash": &a.Crash, "invalid": &a.Invalid, "target": &a.Target}, "crash=, invalid= or target="
	if a.Kind == Lines {
		fields["bh"], fields["long"], names = &a.Broken, &a.Long, "crash=, bh=, invalid=, target= or long="
	}
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
			return conf.Invalid{fmt.Sprintf("ERROR: %s: '%s=%s' is not %s with deny or pass", l.Name, key, value, names)}
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
