package account

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// maxLinks is how many links are followed to a file, as by the kernel.
const maxLinks = 40

// A stop is a folder or a file on the way to a file.
type stop struct {
	path     string
	mode     fs.FileMode
	uid, gid uint32
	listed   bool // an access list (acl(5)) says more than the mode
}

// A way is how the kernel comes to a file: through folders, those too that links lead to.
type way struct {
	folders   []stop
	place     string // of the file, without links; it need not be there
	file      *stop  // nil if it is not
	untrusted bool   // somebody but root can change where it leads
	links     []stop // those that are not root's
}

// follow finds the way to a file. Its folders must be there. With an error the way is that to the
// trouble.
func follow(path string) (*way, error) {
	w := &way{place: "/"}
	path, err := filepath.Abs(path)
	if err != nil {
		return w, err
	}
	rest := strings.Split(path, "/")
	for links := 0; len(rest) > 0; {
		name := rest[0]
		rest = rest[1:]
		link, err := w.step(name, len(rest) == 0)
		if err != nil {
			return w, err
		}
		if link == "" {
			continue
		}
		if links++; links > maxLinks {
			return w, &fs.PathError{Op: "follow", Path: path, Err: syscall.ELOOP}
		}
		if filepath.IsAbs(link) {
			w.place = "/"
		}
		rest = append(strings.Split(link, "/"), rest...)
	}
	return w, nil
}

// OnlyRoot says whether nobody but root can change the file at path, or what is found under that name. A
// file that cannot be looked at is not root's.
func OnlyRoot(path string) bool {
	w, err := follow(path)
	return err == nil && !w.untrusted && w.file != nil && w.file.uid == 0 && w.file.mode.Perm()&0o022 == 0
}

// step goes to what is called name in the present place, or returns where the link of that name
// leads.
func (w *way) step(name string, last bool) (link string, err error) {
	switch name {
	case "", ".":
		return "", nil
	case "..":
		w.place = filepath.Dir(w.place)
		return "", nil
	}
	folder, err := look(w.place)
	if err != nil {
		return "", err
	}
	w.folders = append(w.folders, folder)
	next := filepath.Join(w.place, name)
	found, err := look(next)
	w.untrusted = w.untrusted || !folder.keeps(found, err)
	switch {
	case os.IsNotExist(err) && last:
		w.place = next
		return "", nil
	case err != nil:
		return "", err
	case found.mode.Type() == fs.ModeSymlink:
		if found.uid != 0 {
			w.links = append(w.links, found)
		}
		return os.Readlink(next)
	}
	w.place, w.file = next, &found
	return "", nil
}

// look looks at a file and follows no link.
func look(path string) (stop, error) {
	facts, err := os.Lstat(path)
	if err != nil {
		return stop{}, err
	}
	system, ok := facts.Sys().(*syscall.Stat_t)
	if !ok {
		return stop{}, fmt.Errorf("look at %s: its owner is not known", path)
	}
	_, err = unix.Lgetxattr(path, "system.posix_acl_access", nil)
	return stop{path: path, mode: facts.Mode(), uid: system.Uid, gid: system.Gid, listed: err == nil}, nil
}

// keeps says whether nobody but root can put something else in the place of what was found in the
// folder, or was not. Where the sticky bit is set, what is root's is only his to remove.
func (s *stop) keeps(found stop, err error) bool {
	if s.uid != 0 {
		return false
	}
	if s.mode.Perm()&0o022 == 0 { // the bits of the group bound those of an access list
		return true
	}
	return s.mode&fs.ModeSticky != 0 && err == nil && found.uid == 0
}
