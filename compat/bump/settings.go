package bump

import (
	"fmt"
	"slices"

	"exaproxy/compat/acl"
	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/compat/ports"
)

// An Action is what a line of ssl_bump says.
type Action uint8

const (
	None Action = iota
	Splice
	Peek
	Stare
	Bump
	ClientFirst
	ServerFirst
	Terminate
)

var words = [...]string{None: "none", Splice: "splice", Peek: "peek", Stare: "stare", Bump: "bump",
	ClientFirst: "client-first", ServerFirst: "server-first", Terminate: "terminate"}

func (a Action) String() string { return words[a] }

// deprecated are the actions before Squid 3.3.
var deprecated = map[string]struct {
	action Action
	notice string
}{
	"allow": {ClientFirst, `SECURITY NOTICE: auto-converting deprecated "ssl_bump allow <acl>" to "ssl_bump client-first <acl>" which is usually inferior to the newer server-first bumping mode. Update your ssl_bump rules.`},
	"deny":  {None, `WARNING: auto-converting deprecated "ssl_bump deny <acl>" to "ssl_bump none <acl>". Update your ssl_bump rules.`},
}

// A rule is a line of ssl_bump or on_unsupported_protocol.
type rule[A any] struct {
	action A
	when   *acl.List
}

// Settings are what a configuration says of tunnels. The zero Settings look into none.
type Settings struct {
	rules       []rule[Action] // ssl_bump
	unsupported []rule[bool]   // on_unsupported_protocol: whether it may be a tunnel

	old, new bool     // which kinds of actions there were
	first    conf.Pos // of the rules; for messages
}

// Directives are the setters.
func (s *Settings) Directives() directive.Set {
	return directive.Set{"ssl_bump": s.setRule, "on_unsupported_protocol": s.setUnsupported}
}

// setRule takes a line of ssl_bump.
func (s *Settings) setRule(c *directive.Context, l *conf.Line) error {
	word, err := c.Args(l).String()
	if err != nil {
		return err
	}
	n := slices.Index(words[:], word)
	action := Action(max(n, 0))
	before, old := deprecated[word]
	switch {
	case old:
		action, s.old = before.action, true
		c.Say(0, "%s", before.notice)
	case n < 0:
		return conf.Invalid{"FATAL: unknown ssl_bump mode: " + word}
	default:
		s.new = true
	}
	if s.old && s.new {
		kinds := [...]string{"new client/server-first/none", "deprecated allow/deny"}
		if old {
			slices.Reverse(kinds[:])
		}
		return conf.Invalid{fmt.Sprintf("FATAL: do not mix %s actions with %s actions. Update your ssl_bump rules.", kinds[0], kinds[1])}
	}
	if len(s.rules) == 0 {
		s.first = l.Pos
	}
	return add(c, l, &s.rules, action)
}

// setUnsupported takes a line of on_unsupported_protocol.
func (s *Settings) setUnsupported(c *directive.Context, l *conf.Line) error {
	word, err := c.Args(l).String()
	if err != nil {
		return err
	}
	if word != "tunnel" && word != "respond" {
		return conf.Invalid{"FATAL: unknown on_unsupported_protocol mode: " + word}
	}
	return add(c, l, &s.unsupported, word == "tunnel")
}

// add adds a line, of which all but the first word are acls.
func add[A any](c *directive.Context, l *conf.Line, rules *[]rule[A], action A) error {
	when, err := c.Conditions(l, 1)
	if err != nil {
		return err
	}
	when.Unknown = acl.Unknown
	*rules = append(*rules, rule[A]{action, when})
	return nil
}

// Finish looks whether there is a port that the lines are for. Squid is silent about lines without one.
func (s *Settings) Finish(c *directive.Context, all ports.Settings) {
	if len(s.rules) == 0 {
		return
	}
	for i := range all {
		if all[i].Bump {
			return
		}
	}
	c.Say(1, "NOTICE: %s: ssl_bump has no effect: no http_port that is opened has the option ssl-bump", s.first)
}
