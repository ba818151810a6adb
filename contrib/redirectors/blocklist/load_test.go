package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

func TestBrokenLists(t *testing.T) {
	const conf = "redirect http://why.example/\nlists .\nblock bad\n"
	many := strings.Repeat("a.example\n", 200)
	for _, test := range []struct{ file, text, want string }{
		{"bad/domains", "# nothing yet\n", "/bad: nothing is in it"},
		{"bad/domains", "<html>\n<title>Not found</title>\n", "/bad/domains:1: this is no list: 2 of its 2 lines"},
		{"bad/domains", "a.example\nb.example/x\n", "/bad/domains:2: this is no list: 1 of its 2 lines"},
		{"bad/domains", "a.example b.example\n", "/bad/domains:1: this is no list"},
		{"bad/domains", "a.example:80\n", "/bad/domains:1: this is no list"},
		{"bad/domains", many + strings.Repeat("x", maxLine) + "\n", "/bad/domains:201: bufio.Scanner: token too long"},
		{"bad/urls", "a.example/x\nhttp:///\n", "/bad/urls:2: this is no list"},
		{"bad/expressions", "good\n\n(bad\n", "/bad/expressions:3: error parsing regexp: missing closing )"},
	} {
		dir := folder(t, map[string]string{"blocklist.conf": conf, test.file: test.text})
		if _, err := load(filepath.Join(dir, "blocklist.conf")); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s of %.40q: %v, want %s", test.file, test.text, err, test.want)
		}
	}
	dir := folder(t, map[string]string{"blocklist.conf": conf, "bad/domains": many + "b c\n"})
	l, err := load(filepath.Join(dir, "blocklist.conf"))
	if err != nil || len(l.warnings) != 1 || !strings.Contains(l.warnings[0], "/bad/domains:201: left out, as it cannot be read, and 0 more of 201 lines") {
		t.Errorf("one bad line of 201: error %v, warnings %q", err, l.warnings)
	}
}

// TestTable puts many names into many categories, and compares with a map.
func TestTable(t *testing.T) {
	const names, categories = 20000, 200
	table, want := newTable(names), map[string]set{}
	for i := range names * 3 {
		name := fmt.Sprintf("n%d.example", i%names)
		category := i * 7 / 3 % categories
		if err := table.put([]byte(name), category); err != nil {
			t.Fatal(err)
		}
		want[name] = want[name].with(category)
	}
	for name, categories := range want {
		if got := table.get([]byte(name)); got != categories {
			t.Fatalf("%s is in %v, want %v", name, got, categories)
		}
	}
	for i := range names {
		if got := table.get(fmt.Appendf(nil, "n%d.example", names+i)); got != (set{}) {
			t.Fatalf("n%d.example is in %v", names+i, got)
		}
	}
	if per := float64(len(table.slots)*8) / names; per > 10.7 {
		t.Errorf("a name needs %.1f bytes", per)
	}
	for i := range names {
		if err := table.put(fmt.Appendf(nil, "m%d.example", i), 0); errors.Is(err, errFull) {
			return
		}
	}
	t.Error("there is no end to it")
}
