package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestAdvisoriesAreShown holds that docs/advisories.md names no scenario and no test that there is not, and no advisory scenario
// is missing there.
func TestAdvisoriesAreShown(t *testing.T) {
	page, err := os.ReadFile("../../docs/advisories.md")
	if err != nil {
		t.Fatal(err)
	}
	var tests strings.Builder
	err = filepath.WalkDir("../..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		tests.Write(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)`").FindAllStringSubmatch(string(page), -1) {
		if !strings.Contains(tests.String(), "func "+name[1]+"(") {
			t.Errorf("there is no %s", name[1])
		}
	}
	for _, name := range regexp.MustCompile("`([a-z0-9]+(?:-[a-z0-9]+){3,})`").FindAllStringSubmatch(string(page), -1) {
		if _, err := os.Stat("../../testdata/scenarios/" + name[1] + ".txtar"); err != nil {
			t.Errorf("there is no scenario %s", name[1])
		}
	}
	paths, _ := filepath.Glob("../../testdata/scenarios/advisory-*.txtar")
	for _, path := range paths {
		if name := strings.TrimSuffix(filepath.Base(path), ".txtar"); !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("docs/advisories.md does not tell of %s", name)
		}
	}
	if len(paths) == 0 {
		t.Error("there are no scenarios of advisories")
	}
}
