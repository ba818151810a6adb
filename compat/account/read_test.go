package account

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOpenFollowsNoLinkIntoTheDark has root read what the owner of a link on the way may read, and no more.
func TestOpenFollowsNoLinkIntoTheDark(t *testing.T) {
	u := nobody(t)
	target := secret(t)
	public := filepath.Join(folder(t, nil), "public")
	theirs, roots := folder(t, u), folder(t, nil)
	for path, text := range map[string]string{public: "public\n", filepath.Join(theirs, "own"): "own\n"} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, link := range []struct {
		dir, name, to string
		owner         *User
	}{
		{theirs, "secret", target, u}, {theirs, "folder", filepath.Dir(target), u}, {theirs, "public", public, u},
		{theirs, "again", filepath.Join(theirs, "secret"), u}, {theirs, "nowhere", "/nonexistent/file", u},
		{roots, "secret", target, nil}, {roots, "theirs", theirs, nil},
	} {
		path := filepath.Join(link.dir, link.name)
		if err := os.Symlink(link.to, path); err != nil {
			t.Fatal(err)
		}
		if link.owner != nil {
			give(t, path, link.owner)
		}
	}
	for path, want := range map[string]string{
		theirs + "/own": "own\n", theirs + "/public": "public\n", public: "public\n", target: "secret\n", roots + "/secret": "secret\n",
		roots + "/theirs/own": "own\n", roots + "/theirs/secret": "may not read where it leads", theirs + "/secret": "may not read where it leads",
		theirs + "/again": "may not read where it leads", theirs + "/folder/secret": "may not read where it leads",
		theirs + "/nowhere": "no such file or directory", roots + "/none": "open " + roots + "/none: no such file or directory",
	} {
		got := ""
		file, err := Open(path)
		if err != nil {
			got = err.Error()
		} else if text, err := os.ReadFile(file.Name()); err == nil {
			got = string(text)
		}
		if !strings.HasSuffix(want, "\n") && (!strings.Contains(got, want) || err == nil) || strings.HasSuffix(want, "\n") && got != want {
			t.Errorf("%s gives %q, want %q", path, got, want)
		}
		if strings.Contains(want, "may not") && !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s: %v is not about permissions", path, err)
		}
		if file != nil {
			file.Close()
		}
	}
}

// TestOpenOfWhatHasNoPlace has a pipe be read that somebody else opened.
func TestOpenOfWhatHasNoPlace(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	defer write.Close()
	file, err := Open(filepath.Join("/dev/fd", fmt.Sprint(read.Fd())))
	if err != nil {
		t.Fatal(err)
	}
	file.Close()
}
