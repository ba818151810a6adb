// Package certs decides what becomes of certificates of servers with which something is wrong, and under which
// certificates the clients of decrypted tunnels are spoken to: the directives sslproxy_cert_error,
// sslproxy_cert_sign and sslproxy_cert_adapt.
//
// Package compat takes Settings from a configuration, on the goroutine that reads it; a Policy
// belongs to one worker's goroutine. What is wrong is said by compat/verify, and the certificates are made
// by compat/authority.
package certs

import (
	"fmt"
	"strings"

	"exaproxy/compat/acl"
	"exaproxy/compat/authority"
	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
)

// Settings are what a configuration says of certificates. The zero Settings excuse nothing, and sign as Squid
// does by default.
type Settings struct {
	excused *acl.List  // sslproxy_cert_error; nil: nothing is
	signs   []signRule // sslproxy_cert_sign
	adapts  []adaptRule
}

// A signRule is a line of sslproxy_cert_sign.
type signRule struct {
	by   authority.Signing
	when *acl.List
}

// An adaptRule is a line of sslproxy_cert_adapt.
type adaptRule struct {
	what adaptation
	name string // for setCommonName; "": the host that the client wants
	when *acl.List
}

// An adaptation is what a line of sslproxy_cert_adapt changes.
type adaptation uint8

const (
	setValidAfter adaptation = iota
	setValidBefore
	setCommonName
	adaptations
)

var (
	signings = map[string]authority.Signing{"signTrusted": authority.Trusted, "signUntrusted": authority.Untrusted, "signSelf": authority.Self}
	changes  = map[string]adaptation{"setValidAfter": setValidAfter, "setValidBefore": setValidBefore, "setCommonName": setCommonName}
)

// Directives are the setters.
func (s *Settings) Directives() directive.Set {
	return directive.Set{
		"sslproxy_cert_error": s.setExcused,
		"sslproxy_cert_sign":  s.setSign,
		"sslproxy_cert_adapt": s.setAdapt,
	}
}

// setExcused takes a line of sslproxy_cert_error.
func (s *Settings) setExcused(c *directive.Context, l *conf.Line) error {
	if s.excused == nil {
		s.excused = c.ACLs.NewList(l.Name, acl.Deny)
	}
	return directive.KnownRules(s.excused)(c, l)
}

// setSign takes a line of sslproxy_cert_sign.
func (s *Settings) setSign(c *directive.Context, l *conf.Line) error {
	word, err := c.Args(l).String()
	if err != nil {
		return err
	}
	by, known := signings[word]
	if !known {
		return conf.Invalid{"FATAL: sslproxy_cert_sign: unknown cert signing algorithm: " + word}
	}
	when, err := conditions(c, l)
	if when != nil {
		s.signs = append(s.signs, signRule{by, when})
	}
	return err
}

// setAdapt takes a line of sslproxy_cert_adapt.
func (s *Settings) setAdapt(c *directive.Context, l *conf.Line) error {
	word, err := c.Args(l).String()
	if err != nil {
		return err
	}
	word, name, named := strings.Cut(word, "{")
	what, known := changes[word]
	if !known {
		return conf.Invalid{"FATAL: sslproxy_cert_adapt: unknown cert adaptation algorithm: " + word}
	}
	if named {
		var closed bool
		if name, closed = strings.CutSuffix(name, "}"); !closed {
			return conf.Invalid(nil)
		}
	}
	if named && what == setCommonName && !authority.IsHost(name) {
		return conf.Invalid{fmt.Sprintf("FATAL: sslproxy_cert_adapt: no certificate can be for '%s'", name)}
	}
	when, err := conditions(c, l)
	if when != nil {
		s.adapts = append(s.adapts, adaptRule{what, name, when})
	}
	return err
}

// conditions are the acls of a line behind its first word; nil if there are none: then it never counts, as
// in Squid, which says nothing.
func conditions(c *directive.Context, l *conf.Line) (*acl.List, error) {
	if len(l.Tokens) < 2 {
		c.Say(1, "WARNING: %s: a line without acls has no effect", l.Name)
		return nil, nil
	}
	return c.KnownConditions(l, 1)
}
