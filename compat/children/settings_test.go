package children

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"exaproxy/compat/acl"
	"exaproxy/compat/compattest"
	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
)

// TestNoIdle has Squid's warning in the place of an error.
func TestNoIdle(t *testing.T) {
	s := Settings{Idle: 3}
	setters := directive.Set{"url_rewrite_children": func(c *directive.Context, l *conf.Line) error { return s.Set(c, c.Args(l)) }}
	r := compattest.MustRead(t, acl.NewSet(), setters, "url_rewrite_children 4 idle=0 startup=2\n")
	want := []string{"WARNING OVERRIDE: Using idle=0 for helpers causes request failures. Overriding to use idle=1 instead. (squid.conf line 1)"}
	if s.Idle != 1 || s.Startup != 2 || !slices.Equal(r.Messages, want) {
		t.Errorf("idle is %d, startup %d, and it says %q", s.Idle, s.Startup, r.Messages)
	}
}

// TestHeaders has an option that only redirectors have.
func TestHeaders(t *testing.T) {
	for _, row := range []struct {
		line        string
		redirectors bool
		headers     bool
		err         string
	}{
		{"4 headers=on", true, true, ""},
		{"4 headers=off", true, false, ""},
		{"4 headers=on headers=off", true, false, ""},
		{"4 headers", true, false, "ERROR: headers=: expected headers=on or headers=off"},
		{"4 headers=yes", true, false, "expected headers=on or headers=off"},
		{"4 headers=on", false, false, "ERROR: Undefined option: headers=on."},
	} {
		s := Settings{Redirectors: row.redirectors}
		setters := directive.Set{"url_rewrite_children": func(c *directive.Context, l *conf.Line) error { return s.Set(c, c.Args(l)) }}
		_, err := compattest.Read(acl.NewSet(), setters, "url_rewrite_children "+row.line+"\n")
		if s.Headers != row.headers || (err != nil) != (row.err != "") || err != nil && !strings.Contains(err.Error(), row.err) {
			t.Errorf("%s: headers %v, %v", row.line, s.Headers, err)
		}
	}
}

func TestExecutable(t *testing.T) {
	dir := t.TempDir()
	closed := filepath.Join(dir, "closed")
	program, data := filepath.Join(closed, "in", "program"), filepath.Join(dir, "data")
	for _, err := range []error{
		os.MkdirAll(filepath.Dir(program), 0o755), os.WriteFile(program, nil, 0o755), os.WriteFile(data, nil, 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]string{
		program:                      "",
		data:                         "(13) Permission denied: it is not executable (chmod +x " + data + ")",
		closed:                       "(21) Is a directory: name the program in it",
		filepath.Join(dir, "nobody"): "(2) No such file or directory",
	} {
		got := ""
		if err := Executable(path); err != nil {
			got = conf.SystemText(err)
		}
		if got != want {
			t.Errorf("%s: it says %q, want %q", path, got, want)
		}
	}
	if os.Geteuid() == 0 {
		return // whom no folder is closed to
	}
	if err := os.Chmod(closed, 0); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(closed, 0o755)
	if err, want := Executable(program), fmt.Sprintf("(13) Permission denied: uid %d cannot enter the folder %s", os.Geteuid(), closed); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("in a closed folder it says %v, want %s", err, want)
	}
}
