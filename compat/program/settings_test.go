package program

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/compattest"
)

func TestSettings(t *testing.T) {
	s := Defaults()
	compattest.MustRead(t, acl.NewSet(), s.Directives(), "pid_filename none\ncoredump_dir none\numask 022\nworkers 4\nshutdown_lifetime 3 seconds")
	s.Finish()
	if want := (Settings{Umask: 0o22, Workers: 4, Silence: 2 * time.Minute, Shutdown: 3 * time.Second}); s != want {
		t.Errorf("the settings are %+v, want %+v", s, want)
	}
}

func TestHelperDir(t *testing.T) {
	dir := t.TempDir()
	for _, row := range []struct{ coreDir, want, message string }{
		{"", "", ""},
		{dir, dir, ""},
		{filepath.Join(dir, "none"), "", "is not a directory: helpers run where the proxy does"},
	} {
		message := ""
		s := Settings{CoreDir: row.coreDir}
		if got := s.HelperDir(func(_ int, text string) { message = text }); got != row.want || !strings.Contains(message, row.message) || (message == "") != (row.message == "") {
			t.Errorf("with coredump_dir %q helpers run in %q, and it says %q", row.coreDir, got, message)
		}
	}
}
