package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"exaproxy/cmd/exaproxy/privsep"
	"exaproxy/compat/account"
	"exaproxy/compat/conf"
)

// A pidFile says which process is the proxy (pid_filename). It is written when the proxy is
// ready to serve and removed when it ends.
type pidFile struct {
	path string
	file *os.File
	who  *account.User // with whose rights it was written
}

// writePIDFile writes this process's number to path, over a number that belongs to no running
// process. An empty path is no file (pid_filename none) and gives a nil pidFile, which may be
// removed all the same. As root it is written with the rights of who, unless its folder is root's
// alone. The error is in Squid's words.
func writePIDFile(path string, who *account.User) (*pidFile, error) {
	if path == "" {
		return nil, nil
	}
	if err := checkPIDFile(path, os.Getpid()); err != nil {
		return nil, err
	}
	file, err := who.Overwrite(path, pidFileMode)
	if errors.Is(err, fs.ErrPermission) && who != nil && who.Alone {
		who, file, err = overwriteAsRoot(path, who)
	}
	if err != nil {
		return nil, fmt.Errorf("failed to open %s: %s", path, conf.SystemText(err))
	}
	if _, err := file.WriteString(strconv.Itoa(os.Getpid()) + "\n"); err != nil {
		file.Close()
		return nil, fmt.Errorf("failed to write %s: %w", path, err)
	}
	return &pidFile{path: path, file: file, who: who}, nil
}

// pidFileMode is what scripts of other users rely on.
const pidFileMode = 0o644

// overwriteAsRoot is for a User whom root otherwise leaves alone, since others than root may have written
// the configuration: a pid file in root's folder is usual. Only what looks like one is overwritten.
func overwriteAsRoot(path string, who *account.User) (*account.User, *os.File, error) {
	text, err := readSmallFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	if number := strings.TrimSpace(string(text)); number != "" {
		if _, err := strconv.Atoi(number); err != nil {
			return nil, nil, errors.New("it is there, and no pid file")
		}
	}
	who = withRoot(who)
	file, err := who.Overwrite(path, pidFileMode)
	return who, file, err
}

// withRoot is a User whom root helps.
func withRoot(who *account.User) *account.User {
	helped := *who
	helped.Alone = false
	return &helped
}

// name is the path of the file; "" if there is none.
func (p *pidFile) name() string {
	if p == nil {
		return ""
	}
	return p.path
}

// checkPIDFile returns an error if path names a process that runs and is not self.
func checkPIDFile(path string, self int) error {
	pid, err := readPIDFile(path)
	if err != nil || pid == self || !running(pid) || !isProxy(pid) {
		return nil
	}
	return fmt.Errorf("Squid is already running: Found fresh instance PID file (%s) with PID %d", path, pid)
}

// readPIDFile returns the number in the file. The error is in Squid's words.
func readPIDFile(path string) (int, error) {
	if path == "" {
		return 0, errors.New("There is no PID file to look at")
	}
	text, err := readSmallFile(path)
	if err != nil {
		return 0, fmt.Errorf("failed to open %s: %s", path, conf.SystemText(err))
	}
	if len(text) == 0 {
		return 0, fmt.Errorf("no Squid is running: instance PID file (%s) is empty", path)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid < 1 {
		return 0, fmt.Errorf("bad contents of instance PID file (%s): '%s'", path, strings.TrimSpace(string(text)))
	}
	return pid, nil
}

// longestPIDFile is more than a number needs.
const longestPIDFile = 4096

// readSmallFile reads what may be somebody else's by now: it waits for nobody, and reads no more than
// a pid file has.
func readSmallFile(path string) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	facts, err := file.Stat()
	switch {
	case err != nil:
		return nil, err
	case !facts.Mode().IsRegular():
		return nil, errors.New("it is no regular file")
	}
	return io.ReadAll(io.LimitReader(file, longestPIDFile))
}

// isProxy says whether a process may be a proxy, ours or Squid: another may have the number of one that is
// gone. One that cannot be looked at may be.
func isProxy(pid int) bool {
	theirs, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	if err != nil {
		return true
	}
	theirs = strings.TrimSuffix(theirs, " (deleted)") // it was upgraded
	name := filepath.Base(theirs)
	ours, err := os.Executable()
	return err != nil || theirs == ours || strings.HasPrefix(name, "exaproxy") || strings.HasPrefix(name, "squid")
}

// running says whether there is a process with that number; one that we may not signal is one.
func running(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

// ours says whether the file names this process.
func (p *pidFile) ours() bool {
	if p == nil {
		return false
	}
	pid, err := readPIDFile(p.path)
	return err == nil && pid == os.Getpid()
}

// remove takes the file away if it still names this process. From root's folder only root can; where
// nobody is left who may, the file is emptied, so that nobody takes the number for a running proxy's.
func (p *pidFile) remove(root *privsep.Client) error {
	if p == nil {
		return nil
	}
	defer p.file.Close()
	if !p.ours() {
		return nil // somebody else's by now
	}
	err := p.who.Remove(p.path)
	if err == nil || root.RemovePIDFile() == nil || p.file.Truncate(0) == nil {
		return nil
	}
	return err
}
