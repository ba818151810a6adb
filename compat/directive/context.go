package directive

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"

	"exaproxy/compat/acl"
	"exaproxy/compat/conf"
)

// A Context is what setters share while one configuration is read. It belongs to the goroutine
// that reads.
type Context struct {
	// Glob names the files that a pattern matches. nil: conf.Match.
	Glob conf.Glob
	// ACLs are the acls of the configuration. They are complete, but not finished, when the
	// features' Finish methods begin.
	ACLs *acl.Set
	// Version is that of the Squid whose ways are followed where they differ (squid_version). It is known from the first line on.
	Version conf.Version

	open    conf.Open
	log     func(level int, text string)
	line    *conf.Line   // that is taken; nil: all are
	started []*conf.Args // of the line, for their warnings
}

// NewContext makes the context of a reading. Files are opened by open, nil being the file system;
// log gets what there is to say, in Squid's order and wording, with the level of debug_options.
func NewContext(acls *acl.Set, open conf.Open, log func(level int, text string)) *Context {
	if open == nil {
		open = conf.FromDisk(os.Open)
	}
	return &Context{ACLs: acls, open: open, log: log}
}

// Open opens a file that the configuration names.
func (c *Context) Open(name string) (io.ReadCloser, error) { return c.open(name) }

// ReadFile reads a file that the configuration names. If it has a private key that everybody may read, that is said.
func (c *Context) ReadFile(name string) ([]byte, error) {
	file, err := c.open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(file)
	if err == nil && bytes.Contains(content, []byte("PRIVATE KEY-----")) && readByOthers(file) {
		c.Say(1, "WARNING: every user of this machine can read the private key in %s: take that from them (chmod o-r)", name)
	}
	return content, err
}

// readByOthers says whether everybody may read a file.
func readByOthers(file io.Reader) bool {
	opened, ok := file.(interface{ Stat() (fs.FileInfo, error) })
	if !ok {
		return false
	}
	facts, err := opened.Stat()
	return err == nil && facts.Mode()&0o004 != 0
}

// Match names the files that a pattern matches.
func (c *Context) Match(pattern string) ([]string, error) {
	if c.Glob == nil {
		return conf.Match(pattern)
	}
	return c.Glob(pattern)
}

// Say logs a message at a level of debug_options: 0 is an error, 1 a warning or a notice. While a line is taken the message
// gets its place.
func (c *Context) Say(level int, format string, args ...any) {
	c.say(level, fmt.Sprintf(format, args...))
}

func (c *Context) say(level int, text string) {
	if c.line != nil {
		text = c.line.Pos.Placed(text)
	}
	c.log(level, text)
}

// Warn logs complaints that Squid makes at level 0 and that do not stop it.
func (c *Context) Warn(complaints []string) {
	for _, text := range complaints {
		c.say(0, text)
	}
}

// Args begins to walk over the values of the line. Its warnings are logged when the line's setter
// is done.
func (c *Context) Args(l *conf.Line) *conf.Args {
	a := l.Args()
	c.started = append(c.started, a)
	return a
}

// Strings are all words of the line. There must be one.
func (c *Context) Strings(l *conf.Line) ([]string, error) {
	args := c.Args(l)
	var all []string
	for {
		token, ok := args.Word()
		switch {
		case ok:
			all = append(all, token.Text)
		case len(all) == 0:
			return nil, conf.Invalid(nil)
		default:
			return all, nil
		}
	}
}

// Conditions makes a list of the acls that stand on the line from token number from on.
func (c *Context) Conditions(l *conf.Line, from int) (*acl.List, error) {
	list := c.ACLs.NewList(l.Name, acl.Allow)
	warnings, err := list.AddConditions(l, from)
	c.Warn(warnings)
	return list, err
}

// KnownConditions is Conditions for a list that nobody waits for.
func (c *Context) KnownConditions(l *conf.Line, from int) (*acl.List, error) {
	list, err := c.Conditions(l, from)
	if err == nil {
		c.SayKnown(l, list)
	}
	return list, err
}

// SayKnown warns of acls of helpers in a list that nobody waits for.
func (c *Context) SayKnown(l *conf.Line, list *acl.List) {
	if list.AsksHelpers() {
		c.Say(1, "WARNING: no helper is asked for %s: an acl of the type external counts there only by what its helper has said before", l.Name)
	}
}

// SayNoReply warns of acls of the reply in a list that is asked before there is one.
func (c *Context) SayNoReply(l *conf.Line, list *acl.List) {
	if list.NeedsReply() {
		c.Say(1, "WARNING: %s: acls of the reply never match in %s, which is asked before there is one", l.Pos, l.Name)
	}
}

// run runs a setter, then logs what Squid says about values that it took all the same. Words that the
// setter has left are an error if the directive is ours; Squid's own are left out, as Squid does.
func (c *Context) run(set Setter, l *conf.Line) error {
	c.line = l
	defer func() { c.line = nil }()
	err := set(c, l)
	for _, a := range c.started {
		for _, warning := range a.Warnings {
			c.say(1, warning)
		}
		if left, ok := a.Word(); ok && err == nil && l.Directive.Own {
			err = conf.Invalid{fmt.Sprintf("ERROR: %s: '%s' is not expected behind its value", l.Name, left.Text)}
		}
	}
	c.started = c.started[:0]
	return err
}
