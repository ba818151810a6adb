package auth

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"exaproxy/compat/children"
	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/engine"
)

// Settings are what a configuration says of authentication.
type Settings struct {
	schemes []named // in the order in which the configuration names them first

	TTL             time.Duration // authenticate_ttl: how long a digest user's HA1 is known
	GarbageInterval time.Duration // authenticate_cache_garbage_interval
	AddressTTL      time.Duration // authenticate_ip_ttl

	counters *workers[*addresses] // of all workers, if there is an acl of the type max_user_ip; else nil
}

// named is a scheme and its name, in small letters.
type named struct {
	name string
	scheme
}

// Defaults are Squid's.
func Defaults() Settings {
	return Settings{TTL: time.Hour, GarbageInterval: time.Hour, AddressTTL: time.Second}
}

// Directives are the setters.
func (s *Settings) Directives() directive.Set {
	return directive.Set{
		"auth_param":                          s.set,
		"authenticate_ttl":                    directive.Duration(time.Second, &s.TTL),
		"authenticate_ip_ttl":                 directive.Duration(time.Second, &s.AddressTTL),
		"authenticate_cache_garbage_interval": directive.Duration(time.Second, &s.GarbageInterval),
	}
}

// Enabled says whether clients can prove who they are.
func (s *Settings) Enabled() bool {
	for _, n := range s.schemes {
		if n.common().Whole() {
			return true
		}
	}
	return false
}

// NamesClients says whether a helper is told the names of clients.
func (s *Settings) NamesClients() bool {
	return slices.ContainsFunc(s.schemes, func(n named) bool { return n.common().Extras.NamesClients() })
}

// set takes a scheme, and one of its parameters.
func (s *Settings) set(c *directive.Context, l *conf.Line) error {
	args := c.Args(l)
	name, err := args.String()
	if err != nil {
		return err
	}
	parameter, err := args.String()
	if err != nil {
		return err
	}
	n, err := s.scheme(strings.ToLower(name))
	if err != nil {
		return err
	}
	known, err := n.common().set(c, l, args, n.name, parameter)
	if !known {
		known, err = n.scheme.set(c, args, parameter)
	}
	if !known {
		c.Say(1, "%s: Unrecognised %s auth scheme parameter '%s'", l.Pos, n.name, parameter)
	}
	if s, ok := n.scheme.(*Stateful); ok && err == nil && s.Children.Pipeline > 1 {
		return conf.Invalid{"ERROR: auth_param " + n.name + " children: a helper of this scheme has one question at a time, so there is no pipeline= but 1"}
	}
	return err
}

// scheme returns the settings of a scheme, which begin when it is named first.
func (s *Settings) scheme(name string) (named, error) {
	for _, n := range s.schemes {
		if n.name == name {
			return n, nil
		}
	}
	if begin := served[name]; begin != nil {
		n := named{name, begin()}
		s.schemes = append(s.schemes, n)
		return n, nil
	}
	return named{}, conf.Invalid{fmt.Sprintf("Parsing Config File: Unknown authentication scheme '%s'.", name)}
}

// Finish looks whether the programs can be started, and whether it is to be counted from where users come.
func (s *Settings) Finish(c *directive.Context) error {
	if c.ACLs.HasType("max_user_ip") {
		s.counters = &workers[*addresses]{}
	}
	for _, n := range s.schemes {
		if err := n.common().finish(); err != nil {
			return err
		}
	}
	return nil
}

// EachProgram calls do with every program that is run, and what configures it.
func (s *Settings) EachProgram(do func(place string, argv []string)) {
	for _, n := range s.schemes {
		if n.common().Whole() {
			at := n.common().at
			do(fmt.Sprintf("%s line %d: auth_param %s program", at.File, at.Line, n.name), n.common().Argv)
		}
	}
}

// section is that of debug_options, as Squid numbers it.
const section = 29

// PoolName is what Squid calls the helpers of a scheme.
func PoolName(scheme string) string { return scheme + "authenticator" }

// EachPool calls do with the name of every pool of helpers.
func (s *Settings) EachPool(do func(name string)) {
	for _, n := range s.schemes {
		if n.common().Whole() {
			do(PoolName(n.name))
		}
	}
}

// Configure gives the engine the pools of helpers. c.Log is set.
func (s *Settings) Configure(c *engine.Config, p children.Process) {
	for _, n := range s.schemes {
		program := n.common()
		if !program.Whole() {
			continue
		}
		hc := program.Children.Config(PoolName(n.name), program.Argv, p)
		hc.LineMax = children.LineMax
		if own, ok := n.scheme.(shaper); ok {
			own.shape(&hc)
		}
		hc.Log = c.Log.With("section", section)
		c.PolicyHelpers = append(c.PolicyHelpers, hc)
	}
}
