package conf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// million is a list of as many domains, with a comment in every tenth line.
func million() []byte {
	var b bytes.Buffer
	for i := range 1_000_000 {
		fmt.Fprintf(&b, "host%d.example.com", i)
		if i%10 == 0 {
			b.WriteString(" # a comment")
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

func aclLine(t testing.TB, files memory) *Line {
	t.Helper()
	lines, err := Parse("squid.conf", files.options())
	if err != nil {
		t.Fatal(err)
	}
	return &lines[len(lines)-1]
}

func TestItemsOfAMillionLines(t *testing.T) {
	files := memory{"squid.conf": []byte(`acl x dstdomain "list"` + "\n"), "list": million()}
	items, warnings, err := aclLine(t, files).Items(2, files.open)
	if err != nil || len(warnings) > 0 || len(items) != 1_000_000 {
		t.Fatalf("the list has %d items, warnings %q, error %v", len(items), warnings, err)
	}
	last := items[999_990]
	if last.Text != "host999990.example.com" || last.Pos.String() != "list(999991)" {
		t.Errorf("an item near the end is %q at %s", last.Text, last.Pos)
	}
}

func BenchmarkItems(b *testing.B) {
	files := memory{"squid.conf": []byte(`acl x dstdomain "list"` + "\n"), "list": million()}
	line := aclLine(b, files)
	b.ReportAllocs()
	for b.Loop() {
		line.Items(2, files.open)
	}
}

func TestItemsBeyondTheWordsAreNone(t *testing.T) {
	files := memory{"squid.conf": []byte("acl x\n")}
	items, _, err := aclLine(t, files).Items(2, files.open)
	if len(items) != 0 || err != nil {
		t.Errorf("a line of two words has the items %v, error %v from the third on", items, err)
	}
}

func TestItemsOfListsThatNameThemselves(t *testing.T) {
	files := memory{
		"squid.conf": []byte("configuration_includes_quoted_values on\nacl x dstdomain parameters(\"list\")\n"),
		"list":       []byte("a\nparameters(\"list\")\n"),
	}
	_, _, err := aclLine(t, files).Items(2, files.open)
	if err == nil || !strings.Contains(err.Error(), "nested too deeply") {
		t.Errorf("a list that names itself meets %v", err)
	}
}

// broken is a file that cannot be read to its end.
type broken struct{ io.Reader }

func (broken) Close() error { return nil }

func TestItemsOfAListThatCannotBeRead(t *testing.T) {
	files := memory{"squid.conf": []byte(`acl x dstdomain "list"` + "\n")}
	open := func(string) (io.ReadCloser, error) {
		fails := io.MultiReader(strings.NewReader("a\n"), burning{})
		return broken{fails}, nil
	}
	_, _, err := aclLine(t, files).Items(2, open)
	if want := "ERROR: Can not read file list: disk on fire"; err == nil || err.Error() != want {
		t.Errorf("half a list meets %v, want %q", err, want)
	}
}

// TestItemsOfAListThatMayNotBeRead has a list that only root can read not be emptied by a reload.
func TestItemsOfAListThatMayNotBeRead(t *testing.T) {
	files := memory{"squid.conf": []byte(`acl x dstdomain "list"` + "\n")}
	open := func(name string) (io.ReadCloser, error) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.EACCES}
	}
	_, _, err := aclLine(t, files).Items(2, open)
	if want := "ERROR: Can not open file list for reading: (13) Permission denied"; err == nil || err.Error() != want {
		t.Errorf("a list that may not be read meets %v, want %q", err, want)
	}
}

type burning struct{}

func (burning) Read([]byte) (int, error) { return 0, errors.New("disk on fire") }

func TestFilesOfTheSystem(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"squid.conf": "include " + dir + "/conf.d/*\nacl x dstdomain \"" + dir + "/list\"\n",
		"conf.d/b":   "umask 027\n", "conf.d/a": "via on\n", "conf.d/.hidden": "bogus\n",
		"conf.d/directory/c": "bogus\n", "list": "a.example.com\n",
	} {
		name = filepath.Join(dir, name)
		os.MkdirAll(filepath.Dir(name), 0o755)
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	lines, err := Parse(filepath.Join(dir, "squid.conf"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, l := range lines {
		if l.Type == Setting {
			names = append(names, l.Name)
		}
	}
	if want := []string{"via", "umask", "acl"}; !slices.Equal(names, want) {
		t.Errorf("the files set %q, want %q", names, want)
	}
	items, _, err := lines[len(lines)-1].Items(2, nil)
	if err != nil || len(items) != 1 {
		t.Errorf("the list has the items %v, error %v", items, err)
	}
}

func TestAMissingFileIsFatalInSquidsWords(t *testing.T) {
	lines, err := Parse("/nonexistent.conf", Options{})
	var report Report
	if !errors.As(err, &report) {
		t.Fatalf("a missing file gives %v, which is no report", err)
	}
	want := []string{"FATAL: Unable to open configuration file: /nonexistent.conf: (2) No such file or directory"}
	if !slices.Equal(report.Lines(), want) {
		t.Errorf("the report is %q, want %q", report.Lines(), want)
	}
	if len(lines) != 1 || lines[0].Echo() != "Processing Configuration File: /nonexistent.conf (depth 0)" {
		t.Errorf("the lines before it are %v", lines)
	}
}

func TestTheOutputOfACommandIsRefused(t *testing.T) {
	_, err := Parse("!echo via on", Options{})
	if err == nil || !strings.Contains(err.Error(), "not supported") {
		t.Errorf("the output of a command gives %v", err)
	}
}

func TestDebiansConfigurationIsFollowed(t *testing.T) {
	files, _ := split(archives(t)["debian-default"])
	lines, err := Parse("squid.conf", files.options())
	if err != nil {
		t.Fatal(err)
	}
	_, err = check(lines, func(m Message) {
		if m.Severity > SeverityNotice {
			t.Errorf("Debian's configuration has a line that is not followed: %s", m.Text)
		}
	})
	if err != nil {
		t.Error(err)
	}
}

// A list that is a pipe is refused: it might never begin, or be empty, and then would let everybody through.
func TestAPipeIsNoList(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list")
	if err := syscall.Mkfifo(path, 0o644); err != nil {
		t.Fatal(err)
	}
	l := Line{Rest: `a dst "` + path + `"`, Tokens: []Token{{Text: "a"}, {Text: "dst"}, {Text: `"` + path + `"`}}}
	if _, _, err := l.Items(2, nil); err == nil || !strings.Contains(err.Error(), ErrNoFile.Error()) {
		t.Errorf("got %v, want %v", err, ErrNoFile)
	}
}

// /dev/null is the empty list of many a configuration.
func TestTheNullDeviceIsAnEmptyList(t *testing.T) {
	l := Line{Rest: `a dst "/dev/null"`, Tokens: []Token{{Text: "a"}, {Text: "dst"}, {Text: `"/dev/null"`}}}
	if items, warnings, err := l.Items(2, nil); len(items) > 0 || len(warnings) > 0 || err != nil {
		t.Errorf("got %v, %q, %v", items, warnings, err)
	}
}
