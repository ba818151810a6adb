package auth

import (
	"fmt"
	"strings"

	"exaproxy/compat/children"
	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/compat/logformat"
	"exaproxy/engine"
)

// A Program is what every scheme has: the helper that judges its credentials, and what clients are told.
type Program struct {
	Argv     []string // program; empty: the scheme is not offered
	Children children.Settings
	Realm    string
	UTF8     bool              // what clients say is in UTF-8
	Extras   *logformat.Format // key_extras; nil: none

	at conf.Pos // of program
}

// newProgram is Squid's where a configuration says nothing.
func newProgram() Program {
	return Program{Children: children.Settings{Max: 5, Idle: 1}, Realm: "Squid proxy-caching web server"}
}

func (b *Program) common() *Program { return b }

// Whole says whether the scheme can be offered.
func (b *Program) Whole() bool { return len(b.Argv) > 0 }

// set takes one of the parameters that every scheme has.
func (b *Program) set(c *directive.Context, l *conf.Line, args *conf.Args, scheme, parameter string) (known bool, err error) {
	switch parameter {
	case "program":
		return true, b.setProgram(l, args)
	case "children":
		return true, b.Children.Set(c, args)
	case "realm":
		if b.Realm, err = args.String(); err != nil {
			return true, conf.Invalid{"ERROR: Missing auth_param " + scheme + " realm"}
		}
		return true, nil
	case "utf8":
		b.UTF8, err = args.Bool()
		return true, err
	case "key_extras":
		return true, b.setExtras(args)
	}
	return false, nil
}

func (b *Program) setProgram(l *conf.Line, args *conf.Args) error {
	b.Argv, b.at = nil, l.Pos
	for word, ok := args.Word(); ok; word, ok = args.Word() {
		b.Argv = append(b.Argv, word.Text)
	}
	if len(b.Argv) == 0 {
		return conf.Invalid(nil)
	}
	return nil
}

func (b *Program) setExtras(args *conf.Args) error {
	text, err := args.String()
	if err != nil {
		return err
	}
	if b.Extras, err = logformat.CompileExtras(unmarked(text)); err != nil {
		return conf.Invalid{"configuration error: " + err.Error()}
	}
	return nil
}

// finish looks whether the program can be started.
func (b *Program) finish() error {
	if !b.Whole() {
		return nil
	}
	b.Children.SizeQueue()
	if err := children.Executable(b.Argv[0]); err != nil {
		return fmt.Errorf("%s line %d: Authentication helper program %s: %s", b.at.File, b.at.Line, b.Argv[0], conf.SystemText(err))
	}
	return nil
}

// appendExtras appends a blank and what key_extras says of a request, if there is that; rec is memory for it.
func (b *Program) appendExtras(line []byte, r *engine.Request, rec *engine.Record) []byte {
	if b.Extras == nil {
		return line
	}
	rec.Request = r
	return b.Extras.Append(append(line, ' '), rec)
}

// quoted is text as it stands between the quotation marks of a quoted-string (RFC 9110, section 5.6.4). Marks around
// the whole of it are the configuration's, and left out.
func quoted(text string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(unmarked(text))
}

// unmarked is text without marks around the whole of it.
func unmarked(text string) string {
	if n := len(text); n > 1 && text[0] == '"' && text[n-1] == '"' {
		return text[1 : n-1]
	}
	return text
}
