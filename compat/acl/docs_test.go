package acl

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// TestDocumentedTypes holds the list of docs/acls.md to the types that are served.
func TestDocumentedTypes(t *testing.T) {
	text, err := os.ReadFile("../../docs/acls.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed, served []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllSubmatch(text, -1) {
		listed = append(listed, string(row[1]))
	}
	for name, kind := range types {
		if kind.new != nil {
			served = append(served, name)
		}
	}
	slices.Sort(listed)
	slices.Sort(served)
	if !slices.Equal(listed, served) {
		t.Errorf("docs/acls.md lists\n%q, served are\n%q", listed, served)
	}
}
