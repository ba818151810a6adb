package account

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMay(t *testing.T) {
	u := &User{Name: "proxy", UID: 13, GID: 14}
	for _, row := range []struct {
		name     string
		uid, gid uint32
		mode     fs.FileMode
		listed   bool
		want     bool
	}{
		{"others", 0, 0, 0o001, false, true},
		{"not others", 0, 0, 0o770, false, false},
		{"his group", 0, 14, 0o010, false, true},
		{"his group may less than others", 0, 14, 0o701, false, false},
		{"his own", 13, 0, 0o100, false, true},
		{"his own may less than others", 13, 14, 0o011, false, false},
		{"an access list", 0, 0, 0o770, true, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := stop{uid: row.uid, gid: row.gid, mode: fs.ModeDir | row.mode, listed: row.listed}
			if got := u.may(s, execute); got != row.want {
				t.Errorf("mode %v of %d:%d gives %t", s.mode, row.uid, row.gid, got)
			}
		})
	}
}

func TestCanRun(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "bin", "redirector")
	link := filepath.Join(dir, "link")
	stranger := &User{Name: "stranger", UID: 54321, GID: 54321}
	for _, row := range []struct {
		name, text    string
		dirMode, mode fs.FileMode
		want          string
	}{
		{"all is open", "#!/bin/sh\n", 0o755, 0o755, ""},
		{"a closed folder", "#!/bin/sh\n", 0o700, 0o755, "user 'stranger' (cache_effective_user) cannot enter the folder DIR/bin (drwx------)"},
		{"not for him", "#!/bin/sh\n", 0o755, 0o750, "user 'stranger' (cache_effective_user) may not execute it"},
		{"an unreadable script", "#!/bin/sh\n", 0o755, 0o711, "may not read it"},
		{"an unreadable program", "\x7fELF", 0o755, 0o711, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			os.RemoveAll(filepath.Dir(program))
			os.Remove(link)
			for _, err := range []error{
				os.Chmod(dir, 0o755), os.Chmod(filepath.Dir(dir), 0o755), os.Mkdir(filepath.Dir(program), 0o755),
				os.WriteFile(program, []byte(row.text), 0o755), os.Chmod(program, row.mode),
				os.Chmod(filepath.Dir(program), row.dirMode), os.Symlink("bin/redirector", link),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
			for _, path := range []string{program, link} {
				err := stranger.CanRun(path)
				want := strings.ReplaceAll(row.want, "DIR", dir)
				if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
					t.Errorf("%s: it says %v, want %s", path, err, want)
				}
			}
			var same *User
			if err := same.CanRun(program); err != nil {
				t.Errorf("of whoever it is already it says %v", err)
			}
		})
	}
	if err := stranger.CanRun(filepath.Join(dir, "none", "at", "all")); err != nil {
		t.Errorf("of a program that is not there it says %v", err)
	}
}
