package conf

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Markdown writes Table as the compatibility table of the README: first how many rows are
// treated how, then a row for each directive.
func Markdown(w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "%s\n\n| directive | treated | remarks |\n|---|---|---|\n", summary())
	for i := range Table {
		d := &Table[i]
		fmt.Fprintf(out, "| %s | %s | %s |\n", d.names(), d.treated(), d.remarks())
	}
	return out.Flush()
}

func summary() string {
	counts := map[string]int{}
	for i := range Table {
		counts[Table[i].treated()]++
	}
	var parts []string
	for _, treated := range []string{"done", "accepted", "ignored", "refused", "obsolete"} {
		parts = append(parts, fmt.Sprintf("%d %s", counts[treated], treated))
	}
	return fmt.Sprintf("%d directives: %s.", len(Table), strings.Join(parts, ", "))
}

func (d *Directive) names() string {
	text := "`" + d.Name + "`"
	for _, alias := range d.Aliases {
		text += ", `" + alias + "`"
	}
	return text
}

// treated is the treatment as a word for the administrator.
func (d *Directive) treated() string {
	switch {
	case d.Harmful:
		return "refused"
	case d.Treat == NotYet:
		return "ignored"
	}
	return d.Treat.String()
}

func (d *Directive) remarks() string {
	var parts []string
	switch {
	case d.Own:
		parts = append(parts, "ours")
	case d.Elsewhere != "":
		parts = append(parts, "Squid "+d.Elsewhere)
	}
	if d.Note != "" {
		parts = append(parts, d.Note)
	}
	if len(d.Inert) > 0 {
		parts = append(parts, "accepted: `"+strings.Join(d.Inert, "`, `")+"`")
	}
	return strings.ReplaceAll(strings.Join(parts, "; "), "|", `\|`)
}
