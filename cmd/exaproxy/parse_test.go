package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// TestParseSaysWhatSquidSays holds -k parse against what Squid 5.7 was seen to print.
func TestParseSaysWhatSquidSays(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/parse.txtar")
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for _, f := range archive.Files {
		sections[f.Name] = string(f.Data)
	}
	for _, f := range archive.Files {
		name, isConf := strings.CutSuffix(f.Name, ".conf")
		if !isConf {
			continue
		}
		t.Run(name, func(t *testing.T) {
			want := sections[name]
			if ours, ok := sections[name+" (ours)"]; ok {
				_, want, _ = strings.Cut(ours, "\n")
			}
			got := parsed(t, name, sections["base"], string(f.Data))
			if strings.Contains(want, "FATAL: ") { // Squid stops there, and we go on
				got = got[:min(len(got), len(want))]
			}
			if got != want {
				t.Errorf("it prints\n%swant\n%s", got, want)
			}
		})
	}
}

// folder is how the recordings call the folder of the configuration.
const folder = "LAB/09-cli"

// dated is how lines begin.
var dated = regexp.MustCompile(`(?m)^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\| `)

// parsed runs -k parse and brings what it prints to the form of the recordings.
func parsed(t *testing.T, name, base, conf string) string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, name+".conf")
	text := strings.ReplaceAll(base+conf, folder, dir)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	status := run([]string{"squid", "-n", "labcli", "-f", path, "-k", "parse"}, &stdout, &stderr)
	if stdout.Len() > 0 {
		t.Errorf("standard output has %q", stdout.String())
	}
	echoed := map[string]bool{}
	for line := range strings.Lines(strings.ReplaceAll(base, folder, dir)) {
		echoed["Processing: "+line] = true
	}
	out := fmt.Sprintf("status %d\n", status)
	for line := range strings.Lines(stderr.String()) {
		if !dated.MatchString(line) {
			t.Errorf("a line without a date: %q", line)
		}
		line = dated.ReplaceAllString(line, "")
		if echoed[line] || insider(line) {
			continue
		}
		out += positions.ReplaceAllString(line, "")
	}
	return strings.ReplaceAll(out, dir, folder)
}

// positions are what Squid does not say: where lines stand.
var positions = regexp.MustCompile(`(?m) \([^ ]+ line \d+\)$`)

// insider says whether a line is one of those that are each program's own affair.
func insider(line string) bool {
	for _, beginning := range []string{"Processing Configuration File: ", "ExaProxy (Version ", "NOTICE: "} {
		if strings.HasPrefix(line, beginning) {
			return true
		}
	}
	return strings.Contains(line, " cannot be used: ")
}

func TestMessagesSteerNoTerminal(t *testing.T) {
	var b bytes.Buffer
	say(&b, "acl\ta\x1b[2J\xff ü")
	if got := b.String(); !strings.HasSuffix(got, "| acl\ta\\x1b[2J\\xff ü\n") {
		t.Errorf("it prints %q", got)
	}
}
