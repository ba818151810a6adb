// Package upgrade says to which protocols a client and a server may switch: the directive http_upgrade_request_protocols.
//
// Package compat takes Settings from a configuration, and asks a worker's Policy for each request that has an Upgrade
// field. Nothing that is said after a switch is looked at.
package upgrade

import (
	"bytes"
	"fmt"
	"strings"

	"exaproxy/compat/acl"
	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/engine"
	"exaproxy/engine/h1"
)

// Settings are what a configuration says of protocols. The zero Settings let nobody switch.
type Settings struct {
	named []*protocol // in the order of their first lines
	other *protocol   // OTHER: of which no line says anything
}

// A protocol is all lines of one. The first that matches counts; if none does, less exact ones are asked.
type protocol struct {
	name    string
	version string // "": any
	lines   []line
}

type line struct {
	allow bool
	when  *acl.List
}

// Directives are the setters.
func (s *Settings) Directives() directive.Set {
	return directive.Set{"http_upgrade_request_protocols": s.set}
}

// set takes a protocol, allow or deny, and acls.
func (s *Settings) set(c *directive.Context, l *conf.Line) error {
	args := c.Args(l)
	name, err := args.String()
	if err != nil {
		return err
	}
	action, err := args.String()
	switch {
	case err != nil:
		return err
	case action != "allow" && action != "deny":
		return conf.Invalid{fmt.Sprintf("FATAL: %s: expected allow or deny instead of %s", l.Name, action)}
	case len(l.Tokens) < 3:
		return conf.Invalid{fmt.Sprintf("FATAL: %s: acls have to follow; all is one", l.Name)}
	}
	when, err := c.KnownConditions(l, args.Taken())
	if err != nil {
		return err
	}
	c.SayNoReply(l, when)
	p := s.of(name)
	p.lines = append(p.lines, line{action == "allow", when})
	return nil
}

// of returns the lines of a protocol, which begin if there are none.
func (s *Settings) of(text string) *protocol {
	if text == "OTHER" {
		if s.other == nil {
			s.other = &protocol{}
		}
		return s.other
	}
	name, version, _ := strings.Cut(text, "/")
	for _, p := range s.named {
		if strings.EqualFold(p.name, name) && p.version == version {
			return p
		}
	}
	p := &protocol{name: name, version: version}
	s.named = append(s.named, p)
	return p
}

// A Policy decides for one worker. It belongs to the worker's goroutine.
type Policy struct {
	Settings *Settings
	Match    acl.Match // asks an access list that nobody waits for
}

// Upgrade returns those of the protocols that the request's Upgrade field names which may be offered, nil if there are
// none.
func (p *Policy) Upgrade(r *engine.Request) (offers []byte) {
	r.Header.Elements("Upgrade", func(offer []byte) {
		if !p.allows(r, offer) {
			return
		}
		if len(offers) > 0 {
			offers = append(offers, ", "...)
		}
		offers = append(offers, offer...)
	})
	return offers
}

// allows asks the lines of the protocol in their order. Names are compared without regard to case (RFC 9110, section 7.8).
func (p *Policy) allows(r *engine.Request, offer []byte) bool {
	name, version, _ := bytes.Cut(offer, []byte("/"))
	asked := false
	for _, known := range p.Settings.named {
		if !h1.EqualFold(name, known.name) || known.version != "" && known.version != string(version) {
			continue
		}
		asked = true
		if allow, decided := p.decide(known, r); decided {
			return allow
		}
	}
	if asked || p.Settings.other == nil {
		return false
	}
	allow, decided := p.decide(p.Settings.other, r)
	return decided && allow
}

func (p *Policy) decide(of *protocol, r *engine.Request) (allow, decided bool) {
	for _, l := range of.lines {
		if p.Match(l.when, r) == acl.Allow {
			return l.allow, true
		}
	}
	return false, false
}
