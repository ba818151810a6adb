package logformat

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDocumentedMembers holds the table of docs/logs.md to what an object has.
func TestDocumentedMembers(t *testing.T) {
	text, err := os.ReadFile("../../docs/logs.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "| member |")
	table, _, _ = strings.Cut(table, "\n\n")
	var documented, written []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([^|]*)` \\|").FindAllStringSubmatch(table, -1) {
		documented = append(documented, strings.Split(row[1], "`, `")...)
	}
	f := JSON()
	f.Headers = true
	for _, key := range regexp.MustCompile(`[{,]"([a-z_]+)":`).FindAllStringSubmatch(string(f.Append(nil, fetched(t))), -1) {
		written = append(written, key[1])
	}
	if !slices.Equal(documented, written) {
		t.Errorf("docs/logs.md lists\n%q, an object has\n%q", documented, written)
	}
}
