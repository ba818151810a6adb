package helpertest

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// Printable is b for a terminal: control characters and bytes that are no UTF-8 as \xNN, and of what would be wider than
// most the beginning.
func Printable(b []byte, most int) string {
	var s strings.Builder
	for width := 0; len(b) > 0; {
		r, size := utf8.DecodeRune(b)
		one := string(b[:size])
		if r == utf8.RuneError && size == 1 || r < ' ' || r == 0x7f {
			one = fmt.Sprintf(`\x%02x`, b[0])
		}
		width += utf8.RuneCountInString(one)
		b = b[size:]
		if width >= most && (len(b) > 0 || width > most) {
			s.WriteString("…")
			break
		}
		s.WriteString(one)
	}
	return s.String()
}

// A Printer shows rows and what came of a trial. It belongs to the goroutine that calls Try.
type Printer struct {
	To   io.Writer
	JSON bool // an object on each line, for programs

	headed bool
}

const (
	lineWidth   = 60
	answerWidth = 36
	doesWidth   = 120
)

// Row shows a line and its answer.
func (p *Printer) Row(r Row) {
	if p.JSON {
		p.json(jsonRow{Tries: r.Tries, Line: Printable(r.Line, math.MaxInt), Answer: Printable(r.Answer, math.MaxInt),
			Error: text(r.Err), Does: r.Does, Fault: r.Fault, Milliseconds: milliseconds(r.Took)})
		return
	}
	if !p.headed {
		p.headed = true
		fmt.Fprintf(p.To, "%9s  %-*s  %-*s  %s\n", "ms", lineWidth, "line", answerWidth, "answer", "the proxy")
	}
	answer := Printable(r.Answer, answerWidth)
	switch {
	case r.Err != nil:
		answer = "(" + r.Err.Error() + ")"
	case answer == "":
		answer = "(an empty line)"
	}
	took := "-"
	if r.Took > 0 {
		took = fmt.Sprintf("%.1f", milliseconds(r.Took))
	}
	if r.Tries != "" {
		fmt.Fprintf(p.To, "%9s  %s:\n", "", r.Tries)
	}
	fmt.Fprintf(p.To, "%9s  %s  %s  %s\n", took, pad(Printable(r.Title, lineWidth), lineWidth), pad(answer, answerWidth), Printable([]byte(r.Does), doesWidth))
}

func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(width-utf8.RuneCountInString(s), 0))
}

type jsonRow struct {
	Tries        string  `json:"tries,omitempty"`
	Line         string  `json:"line"`
	Answer       string  `json:"answer"`
	Error        string  `json:"error,omitempty"`
	Does         string  `json:"proxy"`
	Fault        string  `json:"fault,omitempty"`
	Milliseconds float64 `json:"ms"`
}

func (p *Printer) json(v any) {
	line, err := json.Marshal(v)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	fmt.Fprintf(p.To, "%s\n", line)
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// Report shows what came of a trial.
func (p *Printer) Report(program *Program, r Report, failed error) {
	rate := 0.0
	if r.Took > 0 {
		rate = float64(r.Answered) / r.Took.Seconds()
	}
	if p.JSON {
		p.json(map[string]any{"program": program.Name, "asked": r.Asked, "answered": r.Answered, "skipped": r.Skipped, "per_second": rate,
			"p50_ms": milliseconds(r.Median), "p99_ms": milliseconds(r.P99), "faults": append(Faults{}, r.Faults...), "error": text(failed)})
		return
	}
	if failed == nil || r.Asked > 0 {
		p.sum(program, r, rate)
	}
	p.Faults(r.Faults, failed)
}

// sum shows a trial in figures.
func (p *Printer) sum(program *Program, r Report, rate float64) {
	fmt.Fprintf(p.To, "\n%s: %d of %d lines answered, %.0f a second; half of them within %.1f ms, 99%% within %.1f ms\n", program.Name,
		r.Answered, r.Asked, rate, milliseconds(r.Median), milliseconds(r.P99))
	if r.Skipped > 0 {
		fmt.Fprintf(p.To, "%d lines of the input are no questions\n", r.Skipped)
	}
}

// Faults shows what is wrong with a program. failed is why nobody can tell whether that is all.
func (p *Printer) Faults(faults Faults, failed error) {
	if p.JSON {
		return
	}
	if len(faults) == 0 && failed == nil {
		fmt.Fprintln(p.To, "no fault was found")
	}
	for _, f := range faults {
		fmt.Fprintf(p.To, "FAULT  %s (%d)\n       the first: %s\n       what to do: %s\n", f.Kind, f.Times, f.First, f.Advice)
	}
}

// Speed shows how fast a program is with a number of questions at a time.
func (p *Printer) Speed(s Speed) {
	if p.JSON {
		p.json(map[string]any{"at_a_time": s.AtATime, "per_second": s.PerSecond, "failed": s.Failed,
			"p50_ms": milliseconds(s.Median), "p99_ms": milliseconds(s.P99)})
		return
	}
	if !p.headed {
		p.headed = true
		fmt.Fprintf(p.To, "%9s  %12s  %9s  %9s  %6s\n", "at a time", "a second", "p50 ms", "p99 ms", "failed")
	}
	fmt.Fprintf(p.To, "%9d  %12.0f  %9.2f  %9.2f  %6d\n", s.AtATime, s.PerSecond, milliseconds(s.Median), milliseconds(s.P99), s.Failed)
}
