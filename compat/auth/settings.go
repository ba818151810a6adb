package auth

import (
	"fmt"
	"strings"
	"time"

	"exaproxy/compat/children"
	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/compat/logformat"
	"exaproxy/engine"
)

// Settings are what a configuration says of authentication.
type Settings struct {
	Basic Basic
}

// Basic is auth_param basic.
type Basic struct {
	Argv          []string // program; empty: the scheme is not offered
	Children      children.Settings
	Realm         string
	TTL           time.Duration // credentialsttl
	CaseSensitive bool
	UTF8          bool
	Extras        *logformat.Format // key_extras; nil: none

	at conf.Pos // of program
}

// Defaults are Squid's.
func Defaults() Settings {
	return Settings{Basic: Basic{Children: children.Settings{Max: 5, Idle: 1}, Realm: "Squid proxy-caching web server", TTL: 2 * time.Hour}}
}

// Directives are the setters.
func (s *Settings) Directives() directive.Set { return directive.Set{"auth_param": s.set} }

// Enabled says whether clients can prove who they are.
func (s *Settings) Enabled() bool { return len(s.Basic.Argv) > 0 }

// set takes a scheme, and one of its parameters.
func (s *Settings) set(c *directive.Context, l *conf.Line) error {
	args := c.Args(l)
	scheme, err := args.String()
	if err != nil {
		return err
	}
	parameter, err := args.String()
	if err != nil {
		return err
	}
	switch strings.ToLower(scheme) {
	case "basic":
		return s.Basic.set(c, l, args, parameter)
	case "digest", "ntlm", "negotiate":
		return conf.Invalid{fmt.Sprintf("ERROR: auth_param: the scheme '%s' is not served yet", scheme)}
	}
	return conf.Invalid{fmt.Sprintf("Parsing Config File: Unknown authentication scheme '%s'.", scheme)}
}

// set takes one parameter of the scheme.
func (b *Basic) set(c *directive.Context, l *conf.Line, args *conf.Args, parameter string) (err error) {
	switch parameter {
	case "program":
		b.Argv, b.at = nil, l.Pos
		for word, ok := args.Word(); ok; word, ok = args.Word() {
			b.Argv = append(b.Argv, word.Text)
		}
		if len(b.Argv) == 0 {
			return conf.Invalid(nil)
		}
	case "children":
		return b.Children.Set(c, args)
	case "realm":
		if b.Realm, err = args.String(); err != nil {
			return conf.Invalid{"ERROR: Missing auth_param basic realm"}
		}
	case "credentialsttl":
		b.TTL, err = args.Time(0)
	case "casesensitive":
		b.CaseSensitive, err = args.Bool()
	case "utf8":
		b.UTF8, err = args.Bool()
	case "key_extras":
		return b.setExtras(args)
	default:
		c.Say(1, "Unrecognised basic auth scheme parameter '%s'", parameter)
	}
	return err
}

func (b *Basic) setExtras(args *conf.Args) error {
	text, err := args.String()
	if err != nil {
		return err
	}
	if b.Extras, err = logformat.CompileExtras(text); err != nil {
		return conf.Invalid{"configuration error: " + err.Error()}
	}
	return nil
}

// Finish looks whether the program can be started.
func (s *Settings) Finish() error {
	if !s.Enabled() {
		return nil
	}
	if err := children.Executable(s.Basic.Argv[0]); err != nil {
		return fmt.Errorf("%s line %d: Authentication helper program %s: %s", s.Basic.at.File, s.Basic.at.Line, s.Basic.Argv[0], conf.SystemText(err))
	}
	return nil
}

// Challenges are the fields that ask for credentials.
func (s *Settings) Challenges() string {
	if !s.Enabled() {
		return ""
	}
	field := `Proxy-Authenticate: Basic realm="` + quoted(s.Basic.Realm) + `"`
	if s.Basic.UTF8 {
		field += `, charset="UTF-8"`
	}
	return field + "\r\n"
}

// quoted is text as it stands between the quotation marks of a quoted-string (RFC 9110, section 5.6.4). Marks around
// the whole of it are the configuration's, and left out.
func quoted(text string) string {
	if n := len(text); n > 1 && text[0] == '"' && text[n-1] == '"' {
		text = text[1 : n-1]
	}
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text)
}

const (
	poolName = "basicauthenticator"
	section  = 29   // of debug_options, as Squid numbers it
	lineMax  = 8191 // bytes of a question, with its end: Squid's buffer holds no more
)

// Configure gives the engine the pool of helpers, if there is to be one. c.Log is set.
func (s *Settings) Configure(c *engine.Config, p children.Process) {
	if !s.Enabled() {
		return
	}
	hc := s.Basic.Children.Config(poolName, s.Basic.Argv, p)
	hc.LineMax = lineMax
	hc.Log = c.Log.With("section", section)
	c.PolicyHelpers = append(c.PolicyHelpers, hc)
}
