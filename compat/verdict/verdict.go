// Package verdict says how a client whose CONNECT is redirected or refused learns of that: the
// directives connect_verdict and connect_tls, which are ours.
//
// Package compat takes Settings from a configuration, on the goroutine that reads it; a Policy
// belongs to one worker's goroutine. Answers that ask for credentials, and failures, are no verdicts: the
// client always gets them as the answer to its CONNECT.
package verdict

import (
	"exaproxy/compat/acl"
	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/compat/ports"
	"exaproxy/engine"
)

// A Mode is a value of connect_verdict.
type Mode uint8

const (
	Auto Mode = iota
	Bump
	Page
	Redirect
	Close
)

var modes = map[string]Mode{"auto": Auto, "bump": Bump, "page": Page, "redirect": Redirect, "close": Close}

// Settings are what a configuration says of verdicts. The zero Settings are the default: auto.
type Settings struct {
	Mode     Mode      // connect_verdict
	Expected *acl.List // connect_tls; nil: port 443

	line *conf.Line // connect_verdict, while the configuration is read
}

// Directives are the setters.
func (s *Settings) Directives() directive.Set {
	return directive.Set{
		"connect_verdict": s.setMode,
		"connect_tls":     s.setExpected,
	}
}

// setMode takes connect_verdict.
func (s *Settings) setMode(c *directive.Context, l *conf.Line) error {
	s.line = l
	return directive.OneOf(&s.Mode, modes, "ERROR: connect_verdict: '%s' is not auto, bump, page, redirect or close")(c, l)
}

// setExpected takes a line of connect_tls.
func (s *Settings) setExpected(c *directive.Context, l *conf.Line) error {
	if s.Expected == nil {
		s.Expected = c.ACLs.NewList(l.Name, acl.Deny)
	}
	return directive.KnownRules(s.Expected)(c, l)
}

// Finish looks whether some port has the authority that is asked for. The error is that of the line which asks.
func (s *Settings) Finish(all ports.Settings) error {
	line := s.line
	s.line = nil
	if s.Mode != Bump {
		return nil
	}
	for i := range all {
		if all[i].Certificate != nil {
			return nil
		}
	}
	return line.Bungle(conf.Invalid{"FATAL: connect_verdict bump needs an http_port with tls-cert= and tls-key= of an authority, whose certificate clients trust ('exaproxy make-ca DIR' makes one)"})
}

// A Policy answers one worker's engine.
type Policy struct {
	Settings *Settings
	// Match asks an access list about a request.
	Match acl.Match
}

// OfHelpers is how a client learns what helpers said of its CONNECT.
func (p *Policy) OfHelpers(r *engine.Request) engine.ConnectVerdict {
	if v, ok := p.settled(r); ok {
		return v
	}
	return engine.ConnectPage
}

// OfAccess is how a client learns what access lists said of its CONNECT: where no page can be shown,
// exactly as Squid tells it. A 200 for what is refused would have scanners list an open proxy.
func (p *Policy) OfAccess(r *engine.Request) engine.ConnectVerdict {
	if v, ok := p.settled(r); ok {
		return v
	}
	return engine.ConnectRedirect
}

// settled is what does not depend on who refuses.
func (p *Policy) settled(r *engine.Request) (v engine.ConnectVerdict, ok bool) {
	able := r.Port.Certificate != nil // those of an https_port have none: TLS inside TLS is not there
	switch p.Settings.Mode {
	case Page:
		return engine.ConnectPage, true
	case Redirect:
		return engine.ConnectRedirect, true
	case Close:
		return engine.ConnectClose, true
	case Bump:
		if able {
			return engine.ConnectBump, true
		}
	case Auto:
		if able && p.expectsTLS(r) {
			return engine.ConnectBump, true
		}
	}
	return engine.ConnectRedirect, false
}

// expectsTLS says whether the client is likely to speak TLS in its tunnel. Acls that would have to wait for
// a name to be looked up do not match.
func (p *Policy) expectsTLS(r *engine.Request) bool {
	if p.Settings.Expected != nil {
		return p.Match(p.Settings.Expected, r) == acl.Allow
	}
	return r.Target.Port == 443
}
