package conf

import "fmt"

// Severity is how much a message matters.
type Severity uint8

const (
	SeverityNotice  Severity = iota // a directive is ignored, and nothing is lost
	SeverityWarning                 // a directive is ignored, and something is missed
	SeverityError                   // Squid says the same, and goes on
	SeverityFatal                   // the configuration cannot be used
)

// A Message is for the log, or the terminal.
type Message struct {
	Severity Severity
	Text     string // the whole line for cache.log or the terminal, without the date
}

// Checker judges lines by the rows of their directives. The zero value is ready.
type Checker struct {
	Unrecognized int // lines with a name that no Squid knows
	Refused      int // lines that must not be ignored and cannot be followed

	cacheOnly int             // lines that only configure a cache
	noticed   map[string]bool // directives that have had their notice
}

// InTheWay is how many lines stand in the way that do not stop the check.
func (c *Checker) InTheWay() int { return c.Unrecognized + c.Refused }

// Line judges one line. set reports that the directive is followed, so that the caller has to
// run its setter.
//
// The error is a *Bungled, where Squid stops too. A line that is not recognised, or refused, does
// not stop the check; it counts, and its message is fatal.
func (c *Checker) Line(l *Line, out func(Message)) (set bool, err error) {
	if l.Type != Setting {
		return false, nil
	}
	outf := func(s Severity, format string, args ...any) {
		out(Message{s, l.Pos.Placed(fmt.Sprintf(format, args...))})
	}
	d := l.Directive
	if d == nil || l.Own && !d.Own {
		c.Unrecognized++
		outf(SeverityFatal, "%s: unrecognized: '%s'", l.Pos, l.written())
		if meant := nearest(l.Name); d == nil && meant != "" {
			outf(SeverityNotice, "NOTICE: %s: is '%s' meant?", l.Pos, meant)
		}
		return false, nil
	}
	if d.Type == obsoleteType {
		outf(SeverityError, "ERROR: Directive '%s' is obsolete.", l.Name)
		outf(SeverityError, "%s : %s", l.Name, d.Note)
	}
	switch d.Treat {
	case Done:
		return true, nil
	case Accepted:
		c.accepted(d, outf)
	case NotYet:
		c.missing(d, l, outf)
	case Obsolete:
		if d.Harmful {
			return false, l.Bungle(Invalid(nil))
		}
	default:
		panic("BUG: directive " + d.Name + " has no treatment")
	}
	return false, nil
}

// obsoleteType is the Type of what Squid 5.7 calls obsolete. Some of it is followed all the same.
const obsoleteType = "obsolete"

// messagef makes a message, as fmt.Printf does.
type messagef func(s Severity, format string, args ...any)

// accepted gives a notice, once for a directive; those of the cache wait for End.
func (c *Checker) accepted(d *Directive, outf messagef) {
	if d.Cache {
		c.cacheOnly++
		return
	}
	if c.firstTime(d) {
		outf(SeverityNotice, "NOTICE: '%s' is ignored: %s", d.Name, d.Note)
	}
}

// missing refuses the line, or gives a warning, once for a directive.
func (c *Checker) missing(d *Directive, l *Line, outf messagef) {
	switch {
	case d.isNoOp(l):
	case d.Harmful:
		c.Refused++
		outf(SeverityFatal, "%s: refused: '%s': %s", l.Pos, l.Name, d.Note)
	case c.firstTime(d):
		outf(SeverityWarning, "WARNING: '%s' is ignored: %s", d.Name, d.Note)
	}
}

// firstTime reports whether d has had no notice yet.
func (c *Checker) firstTime(d *Directive) bool {
	if c.noticed[d.Name] {
		return false
	}
	if c.noticed == nil {
		c.noticed = make(map[string]bool)
	}
	c.noticed[d.Name] = true
	return true
}

// End gives the notice that all directives of the cache share. Call it after the last line.
func (c *Checker) End(out func(Message)) {
	if c.cacheOnly > 0 {
		out(Message{Severity: SeverityNotice, Text: fmt.Sprintf("NOTICE: %d lines that steer a cache are ignored: %s", c.cacheOnly, noCache)})
	}
}
