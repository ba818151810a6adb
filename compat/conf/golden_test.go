package conf

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the golden files of testdata/conf")

const goldenDir = "../../testdata/conf"

// TestGolden reads each archive's squid.conf with the other files beside it. The section words
// shows how lines are cut, the section trace what squid -k parse would print.
func TestGolden(t *testing.T) {
	for name, archive := range archives(t) {
		t.Run(name, func(t *testing.T) {
			files, want := split(archive)
			lines, broken := Parse("squid.conf", files.options())
			got := map[string]string{
				"words": wordsOf(lines, files),
				"trace": traceOf(lines, broken, files),
			}
			if *update {
				rewrite(t, name, archive, got)
				return
			}
			for _, section := range []string{"words", "trace"} {
				if got[section] != want[section] {
					t.Errorf("%s of %s:\ngot:\n%swant:\n%s", section, name, got[section], want[section])
				}
			}
		})
	}
}

func archives(t *testing.T) map[string]*txtar.Archive {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(goldenDir, "*.txtar"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden files in %s: %v", goldenDir, err)
	}
	found := make(map[string]*txtar.Archive)
	for _, p := range paths {
		archive, err := txtar.ParseFile(p)
		if err != nil {
			t.Fatal(err)
		}
		found[strings.TrimSuffix(filepath.Base(p), ".txtar")] = archive
	}
	return found
}

// memory is a file system of a few files.
type memory map[string][]byte

// split separates an archive's files from the sections that are expected. A line of an input
// may end in ␍ for a carriage return, or ␠ for blanks that editors would remove.
func split(a *txtar.Archive) (files memory, want map[string]string) {
	files, want = memory{}, map[string]string{}
	shown := strings.NewReplacer("␍", "\r", "␠", " ", "␋", "\v")
	for _, f := range a.Files {
		if f.Name == "words" || f.Name == "trace" {
			want[f.Name] = string(f.Data)
			continue
		}
		text := shown.Replace(string(f.Data))
		files[f.Name] = []byte(strings.TrimSuffix(text, "␄\n")) // no newline at the end of the file
	}
	return files, want
}

func (m memory) options() Options { return Options{Open: m.open, Glob: m.glob} }

func (m memory) open(name string) (io.ReadCloser, error) {
	content, ok := m[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.ENOENT}
	}
	return io.NopCloser(bytes.NewReader(content)), nil
}

func (m memory) glob(pattern string) (found []string, err error) {
	for name := range m {
		ok, err := path.Match(pattern, name)
		if err != nil {
			return nil, err
		}
		if ok && !hidden(pattern, name) {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found, nil
}

// wordsOf shows the settings: plain words in brackets, strings in quotes, files as calls, and the
// items of an acl's lists below it.
func wordsOf(lines []Line, files memory) string {
	var b strings.Builder
	for i := range lines {
		l := &lines[i]
		if l.Type != Setting {
			continue
		}
		fmt.Fprintf(&b, "%s %s", l.Pos.Chain(), l.Name)
		lists := false
		for _, token := range l.Tokens {
			b.WriteByte(' ')
			b.WriteString(show(token))
			_, list := token.List()
			lists = lists || list
		}
		b.WriteByte('\n')
		if l.Name == "acl" && lists {
			showItems(&b, l, files)
		}
	}
	return b.String()
}

func show(t Token) string {
	switch {
	case t.File:
		return fmt.Sprintf("parameters(%q)", t.Text)
	case t.Quoted:
		return fmt.Sprintf("%q", t.Text)
	}
	return "[" + t.Text + "]"
}

func showItems(b *strings.Builder, l *Line, files memory) {
	items, warnings, err := l.Items(2, files.open)
	for _, item := range items {
		fmt.Fprintf(b, "\t%s [%s]\n", item.Pos, item.Text)
	}
	for _, w := range warnings {
		fmt.Fprintf(b, "\t%s\n", w)
	}
	if err != nil {
		fmt.Fprintf(b, "\t%s\n", strings.Join(l.Bungle(err).Lines(), "\n\t"))
	}
}

// traceOf is what -k parse prints: the lines, what the check has to say, and how it ends.
func traceOf(lines []Line, broken error, files memory) string {
	var b strings.Builder
	say := func(m Message) { fmt.Fprintln(&b, m.Text) }
	var check Checker
	for i := range lines {
		l := &lines[i]
		fmt.Fprintln(&b, l.Echo())
		set, err := check.Line(l, say)
		if set && err == nil {
			err = tryValue(l, say, files)
		}
		if err != nil {
			broken = l.Bungle(err)
			break
		}
	}
	check.End(say)
	if report, ok := broken.(Report); ok {
		fmt.Fprintln(&b, strings.Join(report.Lines(), "\n"))
	}
	return b.String()
}

// tryValue reads the value of a directive whose type says how.
func tryValue(l *Line, say func(Message), files memory) error {
	args := l.Args()
	var err error
	switch l.Directive.Type {
	case "acl":
		_, args.Warnings, err = l.Items(2, files.open)
	case "onoff":
		_, err = args.Bool()
	case "tristate":
		_, err = args.Tristate()
	case "int":
		_, err = args.Int()
	case "time_t":
		_, err = args.Time(time.Second)
	case "time_msec":
		_, err = args.Time(time.Millisecond)
	case "b_size_t", "b_int64_t":
		_, err = args.Size("bytes")
	case "string":
		_, err = args.String()
	case "eol", "TokenOrQuotedString":
		if len(l.Tokens) == 0 {
			err = Invalid(nil)
		}
	case obsoleteType:
		if l.Directive.Name == "url_rewrite_concurrency" {
			_, err = args.Int()
		} else { // those of sslproxy_
			_, err = args.String()
		}
	}
	for _, w := range args.Warnings {
		say(Message{Severity: SeverityWarning, Text: w})
	}
	return err
}

func rewrite(t *testing.T, name string, a *txtar.Archive, got map[string]string) {
	t.Helper()
	a.Files = slices.DeleteFunc(a.Files, func(f txtar.File) bool { return got[f.Name] != "" || f.Name == "words" || f.Name == "trace" })
	for _, section := range []string{"words", "trace"} {
		a.Files = append(a.Files, txtar.File{Name: section, Data: []byte(got[section])})
	}
	if err := os.WriteFile(filepath.Join(goldenDir, name+".txtar"), txtar.Format(a), 0o644); err != nil {
		t.Fatal(err)
	}
}
