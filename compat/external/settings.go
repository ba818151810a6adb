package external

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/children"
	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/engine"
)

// Settings are the external_acl_types of a configuration.
type Settings struct {
	types []*Type
}

// A Type is one external_acl_type.
type Type struct {
	Name     string
	Argv     []string
	Children children.Settings

	TTL, NegativeTTL time.Duration
	Grace            int  // in percent of the time: near its end the helper is asked before it is over
	Cache            int  // answers that each worker remembers
	Shell            bool // protocol=2.5: the values of acls are words of a shell
	User             bool // %LOGIN: the client has to prove who it is

	line []part
	at   conf.Pos
}

// Directives are the setters.
func (s *Settings) Directives() directive.Set { return directive.Set{"external_acl_type": s.set} }

// Find is whether there is a type of that name, and whether its helper is told who the client is (acl.Set.External).
func (s *Settings) Find(name string) (user, ok bool) {
	t := s.find(name)
	return t != nil && t.User, t != nil
}

// find returns the type of a name, nil if there is none.
func (s *Settings) find(name string) *Type {
	for _, t := range s.types {
		if t.Name == name {
			return t
		}
	}
	return nil
}

// Enabled says whether there are any.
func (s *Settings) Enabled() bool { return len(s.types) > 0 }

// NamesClients says whether a helper is told the names of clients.
func (s *Settings) NamesClients() bool {
	for _, t := range s.types {
		if slices.ContainsFunc(t.line, func(p part) bool { return p.format.NamesClients() }) {
			return true
		}
	}
	return false
}

// set takes a name, options, what the helper is told, and the program.
func (s *Settings) set(c *directive.Context, l *conf.Line) error {
	args := c.Args(l)
	name, err := args.String()
	if err != nil {
		return err
	}
	t := &Type{Name: name, at: l.Pos, TTL: time.Hour, NegativeTTL: -1, Grace: 1, Cache: 262144, Children: children.Settings{Max: 5, Idle: 1}}
	if err := t.read(c, args); err != nil {
		return err
	}
	if s.find(name) != nil {
		c.Say(1, "WARNING: there is an external_acl_type '%s' already: this one is used by nobody, as in Squid", name)
		return nil
	}
	s.types = append(s.types, t)
	return nil
}

// read takes what follows the name.
func (t *Type) read(c *directive.Context, args *conf.Args) error {
	word, ok := args.Word()
	for ; ok && !strings.HasPrefix(word.Text, "%"); word, ok = args.Word() {
		if err := t.setOption(c, word.Text); err != nil {
			return err
		}
	}
	for ; ok && strings.HasPrefix(word.Text, "%"); word, ok = args.Word() {
		if err := t.addPart(c, word.Text); err != nil {
			return err
		}
	}
	for ; ok; word, ok = args.Word() {
		t.Argv = append(t.Argv, word.Text)
	}
	if len(t.line) == 0 || len(t.Argv) == 0 {
		return conf.Invalid(nil)
	}
	t.complete()
	return t.Children.Check()
}

// complete fills in the defaults that depend on others.
func (t *Type) complete() {
	if t.NegativeTTL < 0 {
		t.NegativeTTL = t.TTL
	}
	n := &t.Children
	n.Max = max(n.Max, 1)
	n.SizeQueue()
	n.Startup, n.Idle = min(n.Startup, n.Max), max(min(n.Idle, n.Max), 1)
}

// setOption takes one option.
func (t *Type) setOption(c *directive.Context, word string) error {
	name, value, _ := strings.Cut(word, "=")
	numbers := map[string]*int{
		"children": &t.Children.Max, "children-max": &t.Children.Max, "children-startup": &t.Children.Startup,
		"children-idle": &t.Children.Idle, "concurrency": &t.Children.Concurrency, "queue-size": &t.Children.QueueSize,
		"pipeline": &t.Children.Pipeline,
		"cache":    &t.Cache, "grace": &t.Grace,
	}
	times := map[string]*time.Duration{"ttl": &t.TTL, "negative_ttl": &t.NegativeTTL}
	n, err := conf.ParseUint(value)
	switch {
	case numbers[name] != nil && err == nil:
		*numbers[name] = n
		t.Children.Sized = t.Children.Sized || name == "queue-size"
	case times[name] != nil && err == nil:
		*times[name] = time.Duration(n) * time.Second
	case numbers[name] != nil || times[name] != nil:
		return err
	case word == "protocol=2.5" || word == "quote=shell":
		t.Shell = true
	case word == "protocol=3.0" || word == "quote=url":
		t.Shell = false
	case name == "pty":
		return t.Children.SetPTY(value)
	case name == "ipv4" || name == "ipv6": // helpers have pipes
	default:
		return conf.Invalid{fmt.Sprintf("ERROR: external_acl_type %s: '%s' is no option", t.Name, word)}
	}
	if name == "children" {
		c.Say(1, "WARNING: external_acl_type option children=N has been deprecated in favor of children-max=N and children-startup=N")
		t.Children.Startup = n
	}
	return nil
}

// Finish looks whether the programs can be started.
func (s *Settings) Finish() error {
	for _, t := range s.types {
		if err := children.Executable(t.Argv[0]); err != nil {
			return fmt.Errorf("%s: %s: %w", t.place(), t.Argv[0], err)
		}
	}
	return nil
}

// Types are all of them, in the file's order.
func (s *Settings) Types() []*Type { return s.types }

// Question is the line to a type's helper about an acl and a request, as it is known.
func (t *Type) Question(a *acl.ExternalACL, r *engine.Request) []byte {
	return t.append(nil, a, &engine.Record{Request: r})
}

// place names a type's line.
func (t *Type) place() string {
	return fmt.Sprintf("%s line %d: external_acl_type %s", t.at.File, t.at.Line, t.Name)
}

// EachProgram calls do with every program that is run, and the place where it is named.
func (s *Settings) EachProgram(do func(place string, argv []string)) {
	for _, t := range s.types {
		do(t.place(), t.Argv)
	}
}

// section is that of debug_options, as Squid numbers it.
const section = 82

// PoolName is what a type's pool is called.
func PoolName(name string) string { return "external:" + name }

// Configure gives the engine the pools. c.Log is set.
func (s *Settings) Configure(c *engine.Config, p children.Process) {
	for _, t := range s.types {
		hc := t.Children.Config(PoolName(t.Name), t.Argv, p)
		hc.LineMax = children.LineMax
		hc.Log = c.Log.With("section", section)
		c.PolicyHelpers = append(c.PolicyHelpers, hc)
	}
}
