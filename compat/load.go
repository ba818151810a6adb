package compat

import (
	"fmt"

	"exaproxy/compat/acl"
	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
)

// Overrides are what the command line says beside the file.
type Overrides struct {
	Service string   // -n; "" for squid
	Ports   []string // -a, once each: a port of its own beside those of the file
	Kid     bool     // the macros are those of a worker process, as in Squid without -N

	KeepUser bool // the proxy stays who it is, if it is root too

	// Explain has the settings keep what Explain tells of acls beside what is needed to follow them.
	Explain bool

	// Echo has each line logged before it is looked at, as -k parse does.
	Echo bool
	// Whole has the reading go on behind what is wrong, so that all of it is said, and a verdict at the end.
	Whole bool
	// Say gets all messages, in Squid's order and wording, with their level of debug_options.
	// nil: they are dropped.
	Say func(level int, text string)

	// Judged is told of each line that sets something, after it was looked at. nil: nobody is.
	Judged func(JudgedLine)

	Open conf.Open // nil: the file system
	Glob conf.Glob // nil: the file system
}

// A Rejected is why a configuration cannot be used. What it is about was logged by then.
type Rejected struct {
	// Fatal says that Squid ends with "Terminated abnormally." for this one; for lines that it
	// does not know it just ends.
	Fatal bool
	text  string
}

func (e *Rejected) Error() string { return e.text }

// Load reads the configuration file at path with what it includes. It opens nothing to be served
// or written and starts nothing, so a file that is rejected has changed nothing. The error is a
// *Rejected.
func Load(path string, o Overrides) (*Settings, error) {
	if o.Say == nil {
		o.Say = func(int, string) {}
	}
	acls := acl.NewSet()
	acls.Open, acls.Keep = o.Open, o.Explain
	s := defaults(acls)
	s.Path = path
	l := &loader{setters: s.directives()}
	if o.Judged != nil {
		say := o.Say
		o.Say = func(level int, text string) {
			l.said = append(l.said, text)
			say(level, text)
		}
	}
	l.o, l.context = o, directive.NewContext(acls, o.Open, o.Say)
	l.context.Glob = o.Glob
	lines, broken := conf.Parse(path, o.options())
	s.Version = conf.VersionOf(lines)
	l.context.Version, acls.Version = s.Version, s.Version
	for i := range lines {
		l.said = nil
		l.newer.look(&lines[i], s.Version)
		became, err := l.line(&lines[i])
		if err != nil {
			if !l.o.Whole {
				return nil, l.reject(err)
			}
			became = l.goOn(&lines[i], err)
		}
		l.judged(&lines[i], became)
		s.Manager.Show(&lines[i])
	}
	if broken != nil {
		return nil, l.reject(broken)
	}
	if err := l.finish(s); err != nil {
		return nil, err
	}
	return s, nil
}

// Macros are those of a process: of a service (-n; "" for squid), and of a worker process or one that is alone.
func Macros(service string, kid bool) conf.Macros {
	m := conf.Macros{Service: service}
	if kid {
		m.Process, m.Number = "squid-1", 1
		if service != "" {
			m.Process = service + "-1"
		}
	}
	return m
}

// options are how package conf reads the file.
func (o *Overrides) options() conf.Options {
	return conf.Options{Open: o.Open, Glob: o.Glob, Macros: Macros(o.Service, o.Kid), Whole: o.Whole}
}

// A loader takes a configuration, line by line, into settings.
type loader struct {
	o       Overrides
	checker conf.Checker
	setters directive.Set
	context *directive.Context
	found   obstacles
	newer   newness
	said    []string // of the line at hand, if somebody wants to know
}

// line takes one line into the settings.
func (l *loader) line(line *conf.Line) (became LineFate, err error) {
	if l.o.Echo {
		l.o.Say(1, line.Echo())
	}
	if line.Lost != "" {
		l.o.Say(0, fmt.Sprintf("WARNING: %s: the last line of the file ends in a backslash, and is lost, as in Squid: %s", line.Pos.File, line.Lost))
	}
	if line.Broken != nil {
		return InTheWay, line.Broken
	}
	before := l.checker.InTheWay()
	set, err := l.checker.Line(line, l.report)
	switch {
	case l.checker.InTheWay() > before:
		l.found.add(line)
		return InTheWay, nil
	case err != nil:
		return InTheWay, err
	case !set && !line.AsksNothing():
		return WithoutEffect, nil
	case !set:
		return Followed, nil
	}
	if err := l.checkGone(line); err != nil {
		return InTheWay, line.Bungle(err)
	}
	if err := l.setters.Run(l.context, line); err != nil {
		return InTheWay, line.Bungle(err)
	}
	return Followed, nil
}

// report logs what the check of a line has found.
func (l *loader) report(m conf.Message) {
	level := 1
	if m.Severity >= conf.SeverityError {
		level = 0
	}
	l.o.Say(level, m.Text)
}

// reject logs the lines of an error that Squid stops at, and makes it the answer.
func (l *loader) reject(err error) error {
	if report, ok := err.(conf.Report); ok {
		for _, line := range report.Lines() {
			l.o.Say(0, line)
		}
	}
	return &Rejected{Fatal: true, text: err.Error()}
}

// finish judges the settings as a whole, after the last line.
func (l *loader) finish(s *Settings) error {
	l.checker.End(l.report)
	if l.o.Whole {
		l.newer.say(l, s.Path)
	}
	if len(l.found.lines) > 0 {
		if l.o.Whole {
			l.sayAll(s.checkProgram(!l.o.KeepUser))
		}
		err := &Rejected{Fatal: l.found.bungled, text: l.found.verdict(s.Path)}
		l.o.Say(0, "FATAL: "+err.text)
		return err
	}
	err := s.finish(l.context, l.o.Ports)
	if report, ok := err.(conf.Report); ok { // of a line
		return l.reject(report)
	}
	var wrong []error
	if err != nil {
		wrong = []error{err}
	}
	if err == nil || l.o.Whole {
		wrong = append(wrong, s.checkProgram(!l.o.KeepUser)...)
	}
	l.sayAll(wrong)
	switch {
	case len(wrong) > 0:
		return &Rejected{Fatal: true, text: wrong[0].Error()}
	case l.o.Whole:
		l.o.Say(1, "NOTICE: "+s.Path+" can be used")
	}
	return nil
}

// sayAll logs what is wrong with the whole.
func (l *loader) sayAll(wrong []error) {
	for _, err := range wrong {
		l.o.Say(0, "FATAL: "+err.Error())
	}
}
