package conf

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// squidNames reads testdata/squid/directives.txt: names with their aliases, in order.
func squidNames(t *testing.T) (names []string, aliases map[string][]string) {
	t.Helper()
	content, err := os.ReadFile("../../testdata/squid/directives.txt")
	if err != nil {
		t.Fatal(err)
	}
	aliases = map[string][]string{}
	for line := range strings.Lines(string(content)) {
		if words := strings.Fields(line); len(words) > 0 && words[0] != "#" {
			names = append(names, words[0])
			aliases[words[0]] = words[1:]
		}
	}
	return names, aliases
}

func TestTableHasEveryDirectiveOfSquidInItsOrder(t *testing.T) {
	names, aliases := squidNames(t)
	if len(names) != 384 {
		t.Fatalf("directives.txt has %d names, Squid 5.7 has 384", len(names))
	}
	var rows []string
	for _, d := range Table {
		if d.Own || d.OnlyIn != "" {
			continue
		}
		rows = append(rows, d.Name)
		if !slices.Equal(d.Aliases, aliases[d.Name]) && len(d.Aliases)+len(aliases[d.Name]) > 0 {
			t.Errorf("%s has the aliases %q, Squid's are %q", d.Name, d.Aliases, aliases[d.Name])
		}
	}
	if !slices.Equal(rows, names) {
		for i := range min(len(rows), len(names)) {
			if rows[i] != names[i] {
				t.Fatalf("row %d is %s, Squid's manual has %s there", i, rows[i], names[i])
			}
		}
		t.Fatalf("the table has %d rows of Squid 5.7, the manual %d", len(rows), len(names))
	}
}

func TestRowsAreSound(t *testing.T) {
	for _, d := range Table {
		if d.Treat != Done && strings.TrimSpace(d.Note) == "" {
			t.Errorf("%s is %v and gives no reason", d.Name, d.Treat)
		}
		if d.Harmful && d.Treat != NotYet && d.Treat != Obsolete {
			t.Errorf("%s is %v, so it cannot be harmful to ignore it", d.Name, d.Treat)
		}
		if len(d.NoOp) > 0 && d.Treat != NotYet {
			t.Errorf("%s is %v, so values that ask for nothing mean nothing", d.Name, d.Treat)
		}
		if d.Cache && d.Treat != Accepted {
			t.Errorf("%s only steers a cache but is %v", d.Name, d.Treat)
		}
		if d.Treat == Obsolete && d.Type != obsoleteType {
			t.Errorf("%s is obsolete but has a value of type %s", d.Name, d.Type)
		}
		if strings.ContainsAny(d.Note, "\n") || d.Note != strings.TrimSpace(d.Note) {
			t.Errorf("the note of %s is not one trimmed line: %q", d.Name, d.Note)
		}
		_ = d.Treat.String() // panics for a row without a treatment
	}
}

func TestLookupKnowsAliasesAndMindsCase(t *testing.T) {
	for _, row := range []struct{ name, directive string }{
		{"http_access", "http_access"},
		{"redirect_program", "url_rewrite_program"},
		{"redirect_children", "url_rewrite_children"},
		{"redirect_rewrites_host_header", "url_rewrite_host_header"},
		{"redirector_access", "url_rewrite_access"},
		{"redirector_bypass", "url_rewrite_bypass"},
		{"ascii_port", "http_port"},
		{"no_cache", "cache"},
		{"max_filedesc", "max_filedescriptors"},
		{"HTTP_access", ""},
		{"redirector_program", ""},
		{"", ""},
	} {
		d := lookup(row.name)
		if (d != nil) != (row.directive != "") || d != nil && d.Name != row.directive {
			t.Errorf("lookup(%q) gives %v, want %q", row.name, d, row.directive)
		}
	}
}

func TestMarkdownHasARowForEachDirective(t *testing.T) {
	text := markdown()
	if rows := strings.Count(text, "\n| `"); rows != len(Table) {
		t.Errorf("the table has %d rows for %d directives", rows, len(Table))
	}
	for line := range strings.Lines(text) {
		plain := strings.ReplaceAll(line, `\|`, "")
		if strings.HasPrefix(line, "|") && strings.Count(plain, "|") != 4 {
			t.Errorf("a row does not have three columns: %s", line)
		}
	}
}
