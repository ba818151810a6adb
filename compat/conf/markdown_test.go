package conf

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// directives is the table for administrators, which the README points to.
const directives = "DIRECTIVES.md"

// TestTheMarkdownIsCurrent holds the table for administrators to Table.
func TestTheMarkdownIsCurrent(t *testing.T) {
	want := markdown()
	if *update {
		if err := os.WriteFile(directives, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(directives)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what the table says; make golden writes it anew", directives)
	}
}

// markdown is Table for people: first how many rows are treated how, then a row for each directive.
func markdown() string {
	var out strings.Builder
	fmt.Fprint(&out, "# The directives of squid.conf\n\n")
	fmt.Fprint(&out, "Done: followed. Accepted: read, and there is nothing to do about it. Ignored: logged at the start, with the reason.\n")
	fmt.Fprint(&out, "Refused: to go on without it could let something through or lose something, so the start is refused, with file and\n")
	fmt.Fprint(&out, "line, unless its value asks for what happens anyway. Obsolete: as in Squid, logged and ignored.\n\n")
	fmt.Fprintf(&out, "%s\n\n| directive | treated | remarks |\n|---|---|---|\n", summary())
	for i := range Table {
		d := &Table[i]
		fmt.Fprintf(&out, "| %s | %s | %s |\n", d.names(), d.treated(), d.remarks())
	}
	return out.String()
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

func (t Treatment) String() string {
	switch t {
	case Done:
		return "done"
	case Accepted:
		return "accepted"
	case NotYet:
		return "not yet"
	case Obsolete:
		return "obsolete"
	}
	panic("BUG: treatment out of range")
}

func (d *Directive) remarks() string {
	var parts []string
	switch {
	case d.Own:
		parts = append(parts, "ours")
	case d.OnlyIn != "":
		parts = append(parts, "Squid "+d.OnlyIn)
	}
	if d.Treat == Done && d.Default != "" {
		parts = append(parts, "default: `"+d.Default+"`")
	}
	if d.Note != "" {
		parts = append(parts, d.Note)
	}
	if len(d.NoOp) > 0 {
		parts = append(parts, "accepted: `"+strings.Join(d.NoOp, "`, `")+"`")
	}
	return strings.ReplaceAll(strings.Join(parts, "; "), "|", `\|`)
}
