package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"exaproxy/compat"
)

// show tells what was found, what matters most last, where a terminal ends.
func (r *configReport) show(to io.Writer) {
	count := make(map[compat.LineFate]int)
	for _, l := range r.Lines {
		count[l.Fate]++
	}
	fmt.Fprintf(to, "%s: %d lines: %d followed, %d without effect", r.File, len(r.Lines), count[compat.Followed], count[compat.WithoutEffect])
	for _, fate := range []compat.LineFate{compat.InTheWay, compat.NotJudged} {
		if n := count[fate]; n > 0 {
			fmt.Fprintf(to, ", %d %s", n, fate)
		}
	}
	fmt.Fprintln(to)
	r.showWithoutEffect(to)
	r.showLines(to, "Followed, with a remark:", func(l compat.JudgedLine) bool { return l.Fate == compat.Followed && len(l.Said) > 0 })
	r.showLines(to, "In the way:", func(l compat.JudgedLine) bool { return l.Fate == compat.InTheWay })
	r.showLines(to, "Not judged yet:", func(l compat.JudgedLine) bool { return l.Fate == compat.NotJudged })
	section(to, "Of the whole:", r.Said)
	r.showWorld(to)
	fmt.Fprintf(to, "\n%s\n", r.Verdict)
}

// showWithoutEffect tells of lines without effect, one entry for each reason.
func (r *configReport) showWithoutEffect(to io.Writer) {
	var reasons []string
	lines := make(map[string][]string)
	for _, l := range r.Lines {
		if l.Fate != compat.WithoutEffect {
			continue
		}
		if lines[l.Why] == nil {
			reasons = append(reasons, l.Why)
		}
		lines[l.Why] = append(lines[l.Why], l.Place+" "+l.Directive)
	}
	if len(reasons) > 0 {
		fmt.Fprintf(to, "\nWithout effect:\n")
	}
	for _, why := range reasons {
		fmt.Fprintf(to, "  %s\n      %s\n", why, strings.Join(lines[why], ", "))
	}
}

// showLines tells of some lines, and what was said about them.
func (r *configReport) showLines(to io.Writer, title string, wanted func(compat.JudgedLine) bool) {
	var all []string
	for _, l := range r.Lines {
		if wanted(l) {
			all = append(all, strings.Join(append([]string{l.Place + ": " + l.Text}, l.Said...), "\n      "))
		}
	}
	section(to, title, all)
}

// showWorld tells of helpers and ports.
func (r *configReport) showWorld(to io.Writer) {
	var all []string
	for _, h := range r.Helpers {
		text := h.Name + " " + strings.Join(h.Program, " ") + ": " + h.State
		if h.Detail != "" {
			text += ": " + h.Detail
		}
		if h.Took > 0 {
			text += fmt.Sprintf(" (%s)", time.Duration(h.Took*float64(time.Second)).Round(10*time.Microsecond))
		}
		for _, f := range h.Faults {
			text += "\n      " + f.Kind + ": " + f.First + "\n      " + f.Advice
		}
		for _, line := range h.Stderr {
			text += "\n      standard error: " + line
		}
		all = append(all, text)
	}
	section(to, "Helpers:", all)
	all = nil
	for _, p := range r.Ports {
		all = append(all, p.Address+": "+p.State)
	}
	section(to, "Ports:", all)
	all = nil
	for _, f := range r.Files {
		if f.State != canBeThere {
			all = append(all, f.For+" "+f.Path+": "+f.State)
		}
	}
	section(to, "Files:", all)
}

// section is a title and what stands below it, if there is anything.
func section(to io.Writer, title string, all []string) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(to, "\n%s\n", title)
	for _, text := range all {
		fmt.Fprint(to, "  ")
		for line := range strings.SplitSeq(text, "\n") {
			fmt.Fprintln(to, harmless(line))
		}
	}
}
