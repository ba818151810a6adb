package logs

import (
	"io"
	"log/slog"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// shape is how Squid writes the time.
var shape = regexp.MustCompile(`^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d `)

func TestCacheLogLines(t *testing.T) {
	var out strings.Builder
	clock := time.Date(2026, 11, 22, 10, 0, 44, 0, time.Local)
	log := NewCacheLog(CacheLogOptions{Tag: "kid1", Stderr: &out, StderrLevel: 9, Clock: func() time.Time { return clock }})
	log.SetVerbosity(Verbosity{All: 1, Sections: map[int]int{61: 5}})
	line := func(l *slog.Logger, level slog.Level, message string, args ...any) {
		l.Log(t.Context(), level, message, args...)
	}
	root, rewriter := slog.New(log), slog.New(log).With("section", 61, "child", 1)
	for _, row := range []struct {
		name string
		say  func()
		want string
	}{
		{"plain", func() { log.Say(1, "Process ID 7") }, "Process ID 7"},
		{"too detailed", func() { log.Say(2, "detail") }, ""},
		{"error", func() { line(root, slog.LevelError, "it broke", "error", "no space left") }, `ERROR: it broke error="no space left"`},
		{"warning", func() { line(root, slog.LevelWarn, "it bends", "n", 3) }, "WARNING: it bends n=3"},
		{"with two words of its own", func() { line(root, slog.LevelError, "UPGRADE WARNING: so") }, "UPGRADE WARNING: so"},
		{"with its own word", func() { line(root, slog.LevelWarn, "ERROR: so") }, "ERROR: so"},
		{"info", func() { line(root, slog.LevelInfo, "so") }, "so"},
		{"debug", func() { line(root, slog.LevelDebug, "so") }, ""},
		{"debug of a section", func() { line(rewriter, slog.LevelDebug, "so") }, "so child=1"},
		{"finer than the section", func() { line(rewriter, slog.LevelDebug-4, "so") }, ""},
		{"a peer's line feed", func() { log.Say(0, "a\nb") }, `a\nb`},
	} {
		t.Run(row.name, func(t *testing.T) {
			out.Reset()
			row.say()
			got, want := shape.ReplaceAllString(out.String(), "DATE "), "" // slog stamps its records itself
			if row.want != "" {
				want = "DATE kid1| " + row.want + "\n"
			}
			if got != want {
				t.Errorf("the line is %q, want %q", got, want)
			}
		})
	}
}

func useCacheLog(t *testing.T, files *Files, path string) {
	t.Helper()
	s := &Settings{CacheLog: path}
	f, err := files.OpenCacheLog(s)
	if err != nil {
		t.Fatal(err)
	}
	files.UseCacheLog(f, s)
}

func TestCacheLogKeepsTheBeginning(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache.log")
	var out strings.Builder
	log := NewCacheLog(CacheLogOptions{Stderr: &out, StderrLevel: -1})
	log.Say(1, "before there was a file")
	if !strings.Contains(out.String(), "before there was a file") {
		t.Errorf("standard error has %q", out.String())
	}
	out.Reset()
	files := NewFiles(log, nil)
	useCacheLog(t, files, path)
	log.Say(1, "after")
	io.WriteString(log.Stderr(), "what a helper prints\n")
	files.Close()
	got := readFile(t, path)
	if !strings.Contains(got, "| before there was a file\n") || !strings.HasSuffix(got, "| after\nwhat a helper prints\n") {
		t.Errorf("the file has %q", got)
	}
	if out.Len() > 0 {
		t.Errorf("without -d standard error has %q", out.String())
	}
}

func TestCacheLogWithoutAFile(t *testing.T) {
	var out strings.Builder
	log := NewCacheLog(CacheLogOptions{Stderr: &out, StderrLevel: 0})
	files := NewFiles(log, nil)
	useCacheLog(t, files, "")
	log.Say(1, "too detailed")
	log.Say(0, "shown")
	if got := out.String(); strings.Contains(got, "too detailed") || !strings.Contains(got, "shown") {
		t.Errorf("standard error has %q", got)
	}
}

func TestParseVerbosity(t *testing.T) {
	for _, row := range []struct {
		text, want string
		ok         bool
	}{
		{"ALL,1", "ALL,1", true},
		{"ALL,1 33,2 28,9", "ALL,1 28,9 33,2", true},
		{"5", "ALL,5", true},
		{"33,2 ALL,3", "ALL,3", true},
		{"rotate=1 ALL,99", "ALL,9", true},
		{"ALL", "", false},
		{"100,1", "", false},
		{"x,1", "", false},
	} {
		v, err := ParseVerbosity(row.text)
		if (err == nil) != row.ok || err == nil && v.String() != row.want {
			t.Errorf("debug_options %s gives %s, %v", row.text, v, err)
		}
	}
}
