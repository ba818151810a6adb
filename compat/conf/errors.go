package conf

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// A Report is an error that knows the lines Squid prints for it, without the date.
type Report interface {
	error
	Lines() []string
}

// Bungled is an error in the value of one line. Squid stops at the first.
type Bungled struct {
	Pos     Pos
	Input   string   // the physical line
	Reasons []string // as Squid prints them before the verdict; may be empty
}

func (e *Bungled) Error() string {
	text := fmt.Sprintf("%s: %s", e.Pos.Chain(), e.Input)
	if len(e.Reasons) > 0 {
		text += ": " + strings.Join(e.Reasons, "; ")
	}
	return text
}

// Lines are the reasons, then "FATAL: Bungled squid.conf line 12: via maybe".
func (e *Bungled) Lines() []string {
	verdict := fmt.Sprintf("FATAL: Bungled %s line %d: %s", e.Pos.File, e.Pos.Line, e.Input)
	return append(append([]string(nil), e.Reasons...), verdict)
}

// Fatal ends the reading without a verdict on a line: a file that cannot be opened, an if
// without its endif.
type Fatal struct {
	Pos  Pos // zero when the main file itself is missing
	Text string
}

func (e *Fatal) Error() string {
	if e.Pos.File == "" {
		return e.Text
	}
	return e.Pos.Chain() + ": " + e.Text
}

// Lines is "FATAL: " and the text.
func (e *Fatal) Lines() []string { return []string{"FATAL: " + e.Text} }

// Invalid is what a value parser has against a value, in Squid's words, one line each. It is
// empty where Squid gives no reason, which is so when a value is missing.
type Invalid []string

func (e Invalid) Error() string {
	if len(e) == 0 {
		return "a value is missing"
	}
	return strings.Join(e, "; ")
}

func invalid(format string, args ...any) error {
	return Invalid{fmt.Sprintf(format, args...)}
}

// Bungle makes err, usually of a value parser, the error of the line. A Report is passed through.
func (l *Line) Bungle(err error) Report {
	var report Report
	if errors.As(err, &report) {
		return report
	}
	var reasons Invalid
	if !errors.As(err, &reasons) {
		reasons = Invalid{"ERROR: " + err.Error()}
	}
	return &Bungled{Pos: l.Pos, Input: l.Input, Reasons: reasons}
}

// SystemText is the cause of err as Squid words it: "(2) No such file or directory".
func SystemText(err error) string {
	var number syscall.Errno
	if !errors.As(err, &number) {
		return err.Error()
	}
	text := number.Error()
	return fmt.Sprintf("(%d) %s%s", int(number), strings.ToUpper(text[:1]), text[1:])
}
