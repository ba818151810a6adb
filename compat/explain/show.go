package explain

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Show writes an explanation for people.
func (e *Explanation) Show(to io.Writer) {
	who := "client " + e.Client
	if e.User != "" {
		who += ", user " + e.User
	}
	if e.For != "" {
		who += ", taken for " + e.For
	}
	if e.Original != "" {
		who += ", who wanted " + e.Original
	}
	fmt.Fprintf(to, "%s\n  from %s\n", e.Request, who)
	e.showLists(to, false)
	if h := e.Helper; h != nil {
		h.show(to)
	}
	e.showLists(to, true)
	if e.Tunnel != "" {
		fmt.Fprintf(to, "\n%s\n", e.Tunnel)
	}
	e.showHop(to)
	e.showPage(to)
	for _, n := range e.Notes {
		fmt.Fprintf(to, "  note %s=%s\n", n.Key, quoted(n.Value))
	}
	if len(e.Messages) > 0 {
		fmt.Fprintf(to, "\ncache.log\n  %s\n", strings.Join(e.Messages, "\n  "))
	}
	fmt.Fprintf(to, "\n=> %s\n", cmp.Or(e.Outcome, "nothing is known"))
}

// showLists shows the lists that are asked before the helper, or those that are asked after it.
func (e *Explanation) showLists(to io.Writer, after bool) {
	for i := range e.Lists {
		if l := &e.Lists[i]; (l.Directive == byAdapted || l.Directive == "miss_access") == after {
			l.show(to)
		}
	}
}

// adaptedDenies says whether adapted_http_access has refused the request.
func (e *Explanation) adaptedDenies() bool {
	return slices.ContainsFunc(e.Lists, func(l List) bool { return l.Directive == byAdapted && l.Answer != "allow" })
}

func (h *Helper) show(to io.Writer) {
	answer := lines(fmt.Sprintf("%q", h.Answer))
	if h.Error != "" {
		answer = "(" + h.Error + ")"
	}
	question := quoted(h.Line)
	if strings.Contains(h.Line, "\n") {
		question = lines(fmt.Sprintf("%q", h.Line))
	}
	fmt.Fprintf(to, "\n%s\n  is asked  %s\n  answers   %s\n  and that  %s\n", h.Program, question, answer, cmp.Or(h.Means, "is not known"))
}

// lines has the lines of a quoted block below each other.
func lines(block string) string {
	text := strings.TrimSuffix(block, `"`)
	end := ""
	if strings.HasSuffix(text, `\n`) {
		text, end = strings.TrimSuffix(text, `\n`), `\n`
	}
	return strings.ReplaceAll(text, `\n`, "\\n\n            ") + end + `"`
}

// quoted is a text on one line, whatever it has in it.
func quoted(s string) string {
	q := fmt.Sprintf("%q", s)
	if q[1:len(q)-1] == s {
		return s
	}
	return q
}

func (l *List) show(to io.Writer) {
	fmt.Fprintf(to, "\n%s: %s\n", l.Directive, l.Answer)
	for _, line := range l.Lines {
		mark := " "
		switch {
		case line.Decides:
			mark = "*"
		case line.Reports:
			mark = "~"
		}
		fmt.Fprintf(to, "%s %s(%d): %s\n", mark, line.File, line.Line, line.Text)
		for _, a := range line.ACLs {
			a.show(to)
		}
		if line.Reports {
			fmt.Fprintf(to, "    it would decide, but only reports (report_only)\n")
		}
	}
	switch {
	case l.Unknown:
		fmt.Fprintf(to, "* nobody can tell whether that line matches: then the answer is %s\n", l.Answer)
	case l.Implied && len(l.Lines) == 0:
		fmt.Fprintf(to, "* it has no line\n")
	case l.Implied:
		fmt.Fprintf(to, "* no line matches: the opposite of the last one's action\n")
	}
}

func (a *ACL) show(to io.Writer) {
	text := fmt.Sprintf("%s%s (%s) %s", strings.Repeat("  ", a.Depth+2), a.Name, a.Type, a.Outcome)
	if a.Saw != "" {
		text += ": saw " + quoted(a.Saw)
	}
	if a.Value != "" {
		text += ", by its value " + quoted(a.Value)
	}
	fmt.Fprintln(to, text)
}

func (e *Explanation) showHop(to io.Writer) {
	h := e.Hop
	if h == nil {
		return
	}
	what := "the server"
	if h.Proxy {
		what = "the proxy"
	}
	fmt.Fprintf(to, "\nnext hop\n  %s %s port %d (%s)\n", what, h.Host, h.Port, h.Hierarchy)
	if h.TLS != "" {
		fmt.Fprintf(to, "  in TLS, for %s\n", h.TLS)
	}
	for _, a := range h.Addresses {
		if a.Refused != "" {
			fmt.Fprintf(to, "  %s is not connected to: %s\n", a.Address, a.Refused)
			continue
		}
		fmt.Fprintf(to, "  %s\n", a.Address)
	}
	if h.Error != "" {
		fmt.Fprintf(to, "  %s\n", h.Error)
	}
}

func (e *Explanation) showPage(to io.Writer) {
	p := e.Page
	if p == nil {
		return
	}
	fmt.Fprintf(to, "\nthe client's answer\n")
	if p.Status != 0 {
		fmt.Fprintf(to, "  %s\n", strings.TrimSpace(fmt.Sprint(p.Status, " ", p.Name)))
	}
	if p.Location != "" {
		fmt.Fprintf(to, "  to %s\n", quoted(p.Location))
	}
	if p.Connect != "" {
		fmt.Fprintf(to, "  %s\n", p.Connect)
	}
}
