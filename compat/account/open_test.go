package account

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// nobody is a user who owns nothing here.
func nobody(t *testing.T) *User {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root opens files as somebody else")
	}
	u, err := Lookup("nobody", "")
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// folder makes a folder that is owned by a user, or by root for nil, in one that everybody may
// enter.
func folder(t *testing.T, owner *User) string {
	t.Helper()
	dir, err := os.MkdirTemp("/var/lib", "exaproxy") // not below /tmp, which is everybody's
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if owner != nil {
		give(t, dir, owner)
	}
	return dir
}

func give(t *testing.T, path string, owner *User) {
	t.Helper()
	if err := os.Lchown(path, int(owner.UID), int(owner.GID)); err != nil {
		t.Fatal(err)
	}
}

func ownerOf(t *testing.T, path string) uint32 {
	t.Helper()
	facts, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return facts.Sys().(*syscall.Stat_t).Uid
}

// secret makes a file that only root can read or write.
func secret(t *testing.T) string {
	t.Helper()
	path := filepath.Join(folder(t, nil), "secret")
	if err := os.WriteFile(path, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// openers are the ways to open a file.
var openers = map[string]func(u *User, path string) (*os.File, error){
	"append":    func(u *User, path string) (*os.File, error) { return u.Append(path) },
	"overwrite": func(u *User, path string) (*os.File, error) { return u.Overwrite(path, 0o644) },
}

func TestLinksThatTheUserPlants(t *testing.T) {
	u := nobody(t)
	for name, open := range openers {
		t.Run(name, func(t *testing.T) {
			target := secret(t)
			theirs := folder(t, u)
			for link, to := range map[string]string{
				"file": target, "again": target, "folder": filepath.Dir(target),
				"missing": filepath.Join(filepath.Dir(target), "new"),
			} {
				if err := os.Symlink(to, filepath.Join(theirs, link)); err != nil {
					t.Fatal(err)
				}
			}
			for _, path := range []string{"file", "again", "folder/secret", "folder/new", "missing"} {
				file, err := open(u, filepath.Join(theirs, path))
				switch {
				case errors.Is(err, fs.ErrPermission):
				case name == "overwrite" && err == nil && filepath.Dir(path) == "." && ownerOf(t, filepath.Join(theirs, path)) == u.UID:
					file.Close() // his own in the place of his link
				default:
					t.Errorf("%s is opened: %v", path, err)
					file.Close()
				}
			}
			if text, err := os.ReadFile(target); err != nil || string(text) != "secret\n" || ownerOf(t, target) != 0 {
				t.Errorf("root's file has %q and belongs to %d: %v", text, ownerOf(t, target), err)
			}
			if entries, err := os.ReadDir(filepath.Dir(target)); err != nil || len(entries) != 1 {
				t.Errorf("root's folder has %v: %v", entries, err)
			}
		})
	}
}

func TestFilesInTheUsersFolderAreHis(t *testing.T) {
	u := nobody(t)
	for name, open := range openers {
		path := filepath.Join(folder(t, u), "file")
		file, err := open(u, path)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		file.Close()
		if owner := ownerOf(t, path); owner != u.UID {
			t.Errorf("%s: the file belongs to %d", name, owner)
		}
	}
}

// TestRootsFileInTheUsersFolder has a stale pid file of root's give way.
func TestRootsFileInTheUsersFolder(t *testing.T) {
	u := nobody(t)
	path := filepath.Join(folder(t, u), "pid")
	if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	file, err := u.Overwrite(path, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	file.Close()
	if text, _ := os.ReadFile(path); len(text) > 0 || ownerOf(t, path) != u.UID {
		t.Errorf("the file has %q and belongs to %d", text, ownerOf(t, path))
	}
}

// TestRootsFolder has root create what the user may not, through a link of root's own too.
func TestRootsFolder(t *testing.T) {
	u := nobody(t)
	dir := folder(t, nil)
	if err := os.Mkdir(filepath.Join(dir, "logs"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("logs", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "link", "file")
	for range 2 { // the second time it is there, and his
		file, err := u.Append(path)
		if err != nil {
			t.Fatal(err)
		}
		file.WriteString("line\n")
		file.Close()
	}
	if text, _ := os.ReadFile(path); string(text) != "line\nline\n" || ownerOf(t, path) != u.UID {
		t.Errorf("the file has %q and belongs to %d", text, ownerOf(t, path))
	}

	pid := filepath.Join(dir, "pid")
	if err := os.WriteFile(pid, []byte("a longer text"), 0o644); err != nil {
		t.Fatal(err)
	}
	file, err := u.Overwrite(pid, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	file.WriteString("1\n")
	file.Close()
	if text, _ := os.ReadFile(pid); string(text) != "1\n" || ownerOf(t, pid) != 0 {
		t.Errorf("the pid file has %q and belongs to %d", text, ownerOf(t, pid))
	}
	if file, err := u.Append(pid); !errors.Is(err, fs.ErrPermission) {
		file.Close()
		t.Errorf("a file of root's is given as a log: %v", err)
	}
}

// TestFoldersThatOthersChange has root create nothing below a folder that is not its alone.
func TestFoldersThatOthersChange(t *testing.T) {
	u := nobody(t)
	other := &User{UID: 4242, GID: 4242}
	for _, row := range []struct {
		mode   fs.FileMode // of the folder above
		owner  *User       // of the folder in it
		opened bool
	}{
		{0o775, nil, false},
		{0o757, nil, false},
		{0o757 | fs.ModeSticky, nil, true}, // as below /tmp: only root can take away what is root's
		{0o757 | fs.ModeSticky, other, false},
		{0o755, nil, true},
	} {
		outer := folder(t, nil)
		inner := filepath.Join(outer, "inner")
		if err := errors.Join(os.Mkdir(inner, 0o755), os.Chmod(outer, row.mode)); err != nil {
			t.Fatal(err)
		}
		if row.owner != nil {
			give(t, inner, row.owner)
		}
		file, err := u.Append(filepath.Join(inner, "file"))
		if file.Close(); err == nil != row.opened || err != nil && !errors.Is(err, fs.ErrPermission) {
			t.Errorf("below a folder of mode %v, in one of %v, it is opened: %v", row.mode, row.owner, err)
		}
	}
}

func TestRightsComeBack(t *testing.T) {
	u := nobody(t)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if err := u.do(func() {
				if now, _ := unix.SetfsuidRetUid(-1); now != int(u.UID) {
					t.Errorf("files are looked at as %d", now)
				}
			}); err != nil {
				t.Error(err)
			}
			if now, _ := unix.SetfsuidRetUid(-1); now != 0 {
				t.Errorf("afterwards they are looked at as %d", now)
			}
		})
	}
	all.Wait()
	status, err := os.ReadFile("/proc/thread-self/status")
	if err != nil || !strings.Contains(string(status), "Uid:\t0\t0\t0\t0\n") {
		t.Errorf("the thread's status is\n%s%v", status, err)
	}
}

func TestAPipeThatNobodyReads(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	var u *User
	if file, err := u.Append(path); !errors.Is(err, unix.ENXIO) {
		file.Close()
		t.Errorf("it is opened: %v", err)
	}
}

func TestTooManyLinks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink("link", path); err != nil {
		t.Fatal(err)
	}
	if _, err := follow(path); !errors.Is(err, unix.ELOOP) {
		t.Errorf("a link to itself gives %v", err)
	}
}

// TestLogsInAFolderThatTheUserCannotEnter are opened again, and shifted, by root if they are the user's.
func TestLogsInAFolderThatTheUserCannotEnter(t *testing.T) {
	u := nobody(t)
	dir := folder(t, nil)
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "log")
	for _, line := range []string{"one\n", "two\n"} {
		file, err := u.Append(path)
		if err != nil {
			t.Fatal(err)
		}
		file.WriteString(line)
		file.Close()
	}
	if text, _ := os.ReadFile(path); string(text) != "one\ntwo\n" || ownerOf(t, path) != u.UID {
		t.Errorf("the log has %q and belongs to %d", text, ownerOf(t, path))
	}
	if err := u.Shift(path, 2); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path + ".0"); err != nil {
		t.Error(err)
	}
	roots := filepath.Join(dir, "roots")
	if err := os.WriteFile(roots, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(path+".0", link); err != nil {
		t.Fatal(err)
	}
	if file, err := u.Append(roots); !errors.Is(err, fs.ErrPermission) {
		file.Close()
		t.Errorf("a file of root's is given as a log: %v", err)
	}
}
