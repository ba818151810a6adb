package account

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// An opener opens the file at a path.
type opener func(path string) (*os.File, error)

// logMode is the mode of a log that is created.
const logMode fs.FileMode = 0o640

// Append opens a log to append to it, and creates it if it is not there. It belongs to the user then;
// a file that is there is left as it is. A pipe that nobody reads is no reason to wait: the error
// is ENXIO.
func (u *User) Append(path string) (*os.File, error) {
	const flags = unix.O_WRONLY | unix.O_APPEND | unix.O_CREAT
	file, err := u.open(path,
		func(path string) (*os.File, error) { return openFile(path, flags, logMode) },
		func(path string) (*os.File, error) { return u.createFor(path, flags, logMode) })
	if errors.Is(err, fs.ErrPermission) && u != nil && u.Root != nil && os.Geteuid() != 0 {
		if file, failed := u.Root.Append(path); failed == nil {
			return file, nil
		}
	}
	return file, err
}

// Read opens a file to read it.
func (u *User) Read(path string) (*os.File, error) {
	read := func(path string) (*os.File, error) { return openFile(path, unix.O_RDONLY, 0) }
	return u.open(path, read, read)
}

// Remove removes a file, or the link that is there. One that is not there is no error.
func (u *User) Remove(path string) error {
	remove := func(path string) (*os.File, error) { return nil, os.Remove(path) }
	_, err := u.open(path, remove, remove)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Overwrite opens a file to write it anew, and creates it if it is not there. It has that mode, whatever
// the umask. In a folder where the user can write, one that he cannot, or a link to it, gives way
// to one of his. What root has to create, or owns already, stays root's.
func (u *User) Overwrite(path string, mode fs.FileMode) (*os.File, error) {
	const flags = unix.O_WRONLY | unix.O_TRUNC | unix.O_CREAT
	return u.open(path,
		func(path string) (*os.File, error) {
			file, err := openWithMode(path, flags, mode)
			if errors.Is(err, fs.ErrPermission) && os.Remove(path) == nil {
				return openWithMode(path, flags|unix.O_EXCL, mode)
			}
			return file, err
		},
		func(path string) (*os.File, error) { return openWithMode(path, flags|unix.O_NOFOLLOW, mode) })
}

// open has the user open a file. If he may not, and root would not follow him anywhere, root does, at
// the file's place without links.
func (u *User) open(path string, asUser, asRoot opener) (file *os.File, err error) {
	if u == nil || u.UID == 0 || os.Geteuid() != 0 {
		return asUser(path)
	}
	if failed := u.do(func() { file, err = asUser(path) }); failed != nil {
		return nil, failed
	}
	if !errors.Is(err, fs.ErrPermission) || u.Alone {
		return file, err
	}
	way, failed := follow(path)
	if failed != nil || way.untrusted {
		return nil, err
	}
	file, failed = asRoot(way.place)
	if errors.Is(failed, fs.ErrExist) {
		return nil, err
	}
	return file, failed
}

// openWithMode opens a file and gives it its mode.
func openWithMode(path string, flags int, mode fs.FileMode) (*os.File, error) {
	file, err := openFile(path, flags, mode)
	if err != nil {
		return nil, err
	}
	if err := file.Chmod(mode); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// createFor has root create a file that is the user's, or open one that is, in a folder that he cannot
// enter. The error for somebody else's is fs.ErrExist.
func (u *User) createFor(place string, flags int, mode fs.FileMode) (*os.File, error) {
	file, err := openFile(place, flags|unix.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return u.openOwn(place, flags&^unix.O_CREAT, err)
	}
	if err != nil {
		return nil, err
	}
	if err := file.Chown(int(u.UID), int(u.GID)); err != nil {
		file.Close()
		return nil, fmt.Errorf("give %s to user %s: %w", place, u.Name, err)
	}
	return file, nil
}

// openOwn has root open a file if it is the user's and no link; otherwise the error is taken.
func (u *User) openOwn(place string, flags int, taken error) (*os.File, error) {
	file, err := openFile(place, flags|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, taken
	}
	facts, err := file.Stat()
	if err == nil {
		if system, ok := facts.Sys().(*syscall.Stat_t); ok && system.Uid == u.UID && facts.Mode().IsRegular() {
			return file, nil
		}
	}
	file.Close()
	return nil, taken
}

// Shift makes room at path by giving each of some old files the number after its own: path.0 becomes
// path.1 and so on, and path itself path.0. So many are kept; with 0 nothing is done.
func (u *User) Shift(path string, keep int) error {
	shift := func(path string) (*os.File, error) { return nil, shift(path, keep) }
	_, err := u.open(path, shift, shift)
	if errors.Is(err, fs.ErrPermission) && u != nil && u.Root != nil && os.Geteuid() != 0 && u.Root.Shift(path, keep) == nil {
		return nil
	}
	return err
}

func shift(path string, keep int) error {
	older := fmt.Sprintf("%s.%d", path, keep-1)
	for n := keep - 1; n >= 0; n-- {
		newer := path
		if n > 0 {
			newer = fmt.Sprintf("%s.%d", path, n-1)
		}
		if err := os.Rename(newer, older); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("rotate log file %s: %w", newer, err)
		}
		older = newer
	}
	return nil
}

// openFile opens a file without ever waiting for another process at a pipe's or a device's other end.
func openFile(path string, flags int, mode fs.FileMode) (*os.File, error) {
	for {
		fd, err := unix.Open(path, flags|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOCTTY, uint32(mode))
		switch err {
		case nil:
			return os.NewFile(uintptr(fd), path), nil
		case unix.EINTR: // a network's file system may answer so
		default:
			return nil, &fs.PathError{Op: "open", Path: path, Err: err}
		}
	}
}

// do calls f on a thread that looks at files as the user does. What it creates is his.
func (u *User) do(f func()) error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread()
		groups, err := syscall.Getgroups()
		if err == nil {
			err = takeFileRights(u.UID, u.GID, []uint32{u.GID})
		}
		if err == nil {
			f()
		}
		back := takeFileRights(0, uint32(os.Getegid()), unsigned(groups))
		if back == nil {
			runtime.UnlockOSThread() // otherwise the thread ends with this goroutine
		}
		result <- errors.Join(err, back)
	}()
	return <-result
}
