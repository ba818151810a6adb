package compat

import (
	"fmt"
	"strings"

	"exaproxy/compat/conf"
)

// Overrides are what the command line says beside the file.
type Overrides struct {
	Service string   // -n; "" for squid
	Ports   []string // -a, once each: a port of its own beside those of the file
	Kid     bool     // the macros are those of a worker process, as in Squid without -N

	// Echo has each line said before it is looked at, as -k parse does.
	Echo bool
	// Say hears all messages, in Squid's order and wording, with their level of debug_options.
	// nil: nobody does.
	Say func(level int, text string)

	Open conf.Open // nil: the file system
	Glob conf.Glob // nil: the file system
}

// A Rejected is why a configuration cannot be used. What it is about was said by then.
type Rejected struct {
	// Fatal says that Squid ends with "Terminated abnormally." for this one; for lines that it
	// does not know it just ends.
	Fatal bool
	text  string
}

func (e *Rejected) Error() string { return e.text }

// Load reads the configuration file at path with what it includes. It opens nothing and starts
// nothing, so a file that is rejected has changed nothing. The error is a *Rejected.
func Load(path string, o Overrides) (*Settings, error) {
	r := &reading{o: o, settings: defaultSettings()}
	if r.o.Say == nil {
		r.o.Say = func(int, string) {}
	}
	r.settings.Path, r.settings.Service = path, o.Service
	r.settings.ACLs.Open, r.settings.ACLs.Resolve = o.Open, resolveHost
	lines, broken := conf.Parse(path, r.options())
	for i := range lines {
		if err := r.line(&lines[i]); err != nil {
			return nil, err
		}
	}
	if broken != nil {
		return nil, r.reject(broken)
	}
	return r.finish()
}

// A reading is a configuration on its way from lines to settings.
type reading struct {
	o        Overrides
	settings *Settings
	checker  conf.Checker
	taken    []*conf.Args // of the present line, for their warnings
	rejected int          // values that were said to be wrong and did not stop the reading
}

func (r *reading) options() conf.Options {
	macros := conf.Macros{Service: r.o.Service}
	if r.o.Kid {
		macros.Process, macros.Number = "squid-1", 1
		if r.o.Service != "" {
			macros.Process = r.o.Service + "-1"
		}
	}
	return conf.Options{Open: r.o.Open, Glob: r.o.Glob, Macros: macros}
}

func (r *reading) say(level int, format string, args ...any) {
	r.o.Say(level, fmt.Sprintf(format, args...))
}

// args begins to walk over the values of the line. What it has to say about them is said when
// the line is done.
func (r *reading) args(l *conf.Line) *conf.Args {
	a := l.Args()
	r.taken = append(r.taken, a)
	return a
}

// line takes one line into the settings.
func (r *reading) line(l *conf.Line) error {
	if r.o.Echo {
		r.o.Say(1, l.Echo())
	}
	set, err := r.checker.Line(l, r.hear)
	if err != nil {
		return r.reject(err)
	}
	if !set {
		return nil
	}
	err = r.set(l)
	for _, a := range r.taken {
		for _, warning := range a.Warnings {
			r.o.Say(1, warning)
		}
	}
	r.taken = r.taken[:0]
	if err != nil {
		return r.reject(l.Bungle(err))
	}
	return nil
}

// set runs the directive's setter.
func (r *reading) set(l *conf.Line) error {
	if set := setters[l.Directive.Name]; set != nil {
		return set(r, l)
	}
	panic("BUG: no setter for directive " + l.Directive.Name)
}

// hear passes on what the check of a line says.
func (r *reading) hear(m conf.Message) {
	level := 1
	if m.Severity >= conf.SeverityError {
		level = 0
	}
	r.o.Say(level, m.Text)
}

// reject says the lines of an error that Squid stops at, and makes it the answer.
func (r *reading) reject(err error) error {
	if report, ok := err.(conf.Report); ok {
		for _, line := range report.Lines() {
			r.o.Say(0, line)
		}
	}
	return &Rejected{Fatal: true, text: err.Error()}
}

// fatal is reject for what concerns no single line.
func (r *reading) fatal(format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	r.o.Say(0, "FATAL: "+text)
	return &Rejected{Fatal: true, text: text}
}

// finish judges the settings as a whole, after the last line.
func (r *reading) finish() (*Settings, error) {
	r.checker.End(r.hear)
	if r.checker.Unrecognized > 0 || r.checker.Refused > 0 {
		return nil, &Rejected{text: r.counted()}
	}
	for _, check := range []func() error{r.finishAccess, r.finishPorts, r.finishNames, r.finishRewriter, r.finishLogs, r.finishPages} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	return r.settings, nil
}

// counted says how many lines stand in the way.
func (r *reading) counted() string {
	var parts []string
	if n := r.checker.Unrecognized; n > 0 {
		parts = append(parts, fmt.Sprintf("%d lines with unrecognized directives", n))
	}
	if n := r.checker.Refused; n > 0 {
		parts = append(parts, fmt.Sprintf("%d lines that cannot be followed and must not be ignored", n))
	}
	return r.settings.Path + ": " + strings.Join(parts, ", ")
}
