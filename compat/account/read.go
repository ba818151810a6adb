package account

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Open opens a file to read it, as os.Open does. But root follows the links of others only where they might
// go themselves: he who can put a link into a folder would see, in messages or pages, what root alone can
// read.
func Open(path string) (*os.File, error) {
	if os.Geteuid() != 0 {
		return os.Open(path)
	}
	way, err := follow(path)
	if len(way.links) == 0 && strings.HasPrefix(way.place, "/proc/") {
		return os.Open(path) // what links there lead to has no place: /dev/stdin
	}
	for i := 0; i < len(way.links) && err == nil; i++ {
		link := &way.links[i]
		err = (&User{UID: link.uid, GID: link.gid}).mayRead(way.place)
		if errors.Is(err, fs.ErrPermission) {
			err = fmt.Errorf("user %d, who owns the link %s, may not read where it leads: %w", link.uid, link.path, err)
		}
	}
	if err != nil {
		return nil, err
	}
	return openPlace(path, way.place)
}

// mayRead looks whether the user may open the file at a place.
func (u *User) mayRead(place string) (err error) {
	failed := u.do(func() {
		var file *os.File
		if file, err = openFile(place, unix.O_RDONLY, 0); err == nil {
			file.Close()
		}
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil // whoever opens it says so
	}
	return errors.Join(failed, err)
}

// openPlace opens what is at a place without links, for it has been looked at. A kernel before 5.6 cannot
// be asked for that.
func openPlace(path, place string) (*os.File, error) {
	how := unix.OpenHow{Flags: unix.O_RDONLY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_SYMLINKS}
	for {
		fd, err := unix.Openat2(unix.AT_FDCWD, place, &how)
		switch err {
		case nil:
			return os.NewFile(uintptr(fd), path), nil
		case unix.EINTR, unix.EAGAIN:
		case unix.ENOSYS, unix.EPERM: // EPERM is what containers that do not know the call say
			return os.Open(place)
		default:
			return nil, &os.PathError{Op: "open", Path: path, Err: err}
		}
	}
}
