package logs

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"exaproxy/compat/account"
)

// pipe makes a named pipe.
func pipe(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "access.log")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// fill appends lines until there is no room.
func fill(f *File) (bytes int) {
	block := []byte(strings.Repeat("x", 1<<20-1) + "\n")
	room := func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.lines.pending) < maxBacklog
	}
	for room() {
		f.Append(block)
		bytes += len(block)
	}
	return bytes
}

// TestAPipeThatNobodyReads has rotation, flushing and closing come to an end whether nobody has opened
// the pipe or nobody reads from it.
func TestAPipeThatNobodyReads(t *testing.T) {
	for _, opened := range []bool{false, true} {
		path := pipe(t)
		said := newMessages()
		files := NewFiles(said.CacheLog, nil)
		if opened {
			reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer reader.Close()
		}
		f, err := openFile(files, path, 3)
		if err != nil {
			t.Fatal(err)
		}
		want := "cannot write log file: open log file " + path
		if opened {
			fill(f)
			want = "nobody reads from log file " + path
		} else {
			f.Append([]byte("a line\n"))
		}
		said.await(t, want)
		if err := files.Rotate(); err != nil {
			t.Errorf("rotation says %v", err)
		}
		files.Flush()
		files.Close()
		if names, _ := filepath.Glob(path + "*"); len(names) != 1 {
			t.Errorf("there are %v: a pipe is not renamed", names)
		}
		said.await(t, "bytes could not be written and are lost")
	}
}

// TestAPipeIsReadAtLast has nothing lost for a reader that comes late.
func TestAPipeIsReadAtLast(t *testing.T) {
	path := pipe(t)
	said := newMessages()
	files := NewFiles(said.CacheLog, nil)
	f, err := openFile(files, path, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.Append([]byte("a line\n"))
	f.Flush()
	said.await(t, "cannot write log file")
	reader, err := os.Open(path) // returns when the writer has opened it
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if line, err := bufio.NewReader(reader).ReadString('\n'); line != "a line\n" {
		t.Errorf("it is read as %q: %v", line, err)
	}
	said.await(t, "is written again; 0 lines were lost")
	files.Close()
}

// TestAPipeThatIsReplaced has a rotation go over to a file that took a stuck pipe's place.
func TestAPipeThatIsReplaced(t *testing.T) {
	path := pipe(t)
	reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	files := NewFiles(newMessages().CacheLog, nil)
	f, err := openFile(files, path, 0)
	if err != nil {
		t.Fatal(err)
	}
	size := fill(f)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := files.Rotate(); err != nil {
		t.Fatal(err)
	}
	files.Close()
	facts, err := os.Stat(path)
	if err != nil || facts.Size() == 0 || facts.Size() > int64(size) {
		t.Errorf("of %d bytes the file has %v: %v", size, facts, err)
	}
}

// stuckFile is a file whose writer is in a write that does not return, as to a network's disk whose
// server is gone, until the returned function is called.
func stuckFile(t *testing.T, files *Files) (f *File, free func()) {
	t.Helper()
	f, err := openFile(files, filepath.Join(t.TempDir(), "a.log"), 2)
	if err != nil {
		t.Fatal(err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	write.Fd() // from now on it blocks
	good := f.file
	runJob(f, func() { f.file = write })
	f.Append([]byte(strings.Repeat("x", 1<<20-1) + "\n"))
	in := bufio.NewReader(read)
	if _, err := in.ReadByte(); err != nil { // the write has begun
		t.Fatal(err)
	}
	return f, func() {
		read.Close()
		runJob(f, func() { f.file = good; write.Close() })
	}
}

// TestAFileThatIsStuck has control go on, and say which file it is, while a write does not return.
func TestAFileThatIsStuck(t *testing.T) {
	said := newMessages()
	files := NewFiles(said.CacheLog, nil)
	files.patience = time.Millisecond
	f, free := stuckFile(t, files)
	other, err := openFile(files, filepath.Join(t.TempDir(), "b.log"), 2)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := files.Rotate(); err == nil || !strings.Contains(err.Error(), "log file "+f.path+" is stuck") {
			t.Errorf("rotation says %v", err)
		}
	}
	f.mu.Lock()
	if len(f.jobs) != 1 {
		t.Errorf("%d rotations wait, want 1", len(f.jobs))
	}
	f.mu.Unlock()
	other.Flush()
	files.hold(f)
	files.Release(f) // as a worker does
	files.Release(f)
	files.Close()
	said.await(t, "log file "+f.path+" is stuck: its last lines are lost")
	if _, err := os.Stat(other.path); err != nil {
		t.Errorf("the other file was not rotated: %v", err)
	}
	free()
}

// TestCacheLogWithoutRoom has cache.log, whose writers never ask whether there is room, stay within its
// bounds.
func TestCacheLogWithoutRoom(t *testing.T) {
	files := NewFiles(newMessages().CacheLog, nil)
	files.patience = time.Millisecond
	f, free := stuckFile(t, files)
	fill(f)
	block := []byte(strings.Repeat("x", 1<<20-1) + "\n")
	for range overdraft>>20 + 10 {
		f.Append(block)
	}
	f.mu.Lock()
	if len(f.lines.pending) > maxBacklog+overdraft || f.dropped < 9 {
		t.Errorf("%d bytes are kept and %d lines dropped", len(f.lines.pending), f.dropped)
	}
	f.mu.Unlock()
	free()
	files.Close()
}

// TestLinksInTheUsersFolder has root open logs as the user does: what he planted leads to nothing of
// root's.
func TestLinksInTheUsersFolder(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root opens files as somebody else")
	}
	who, err := account.Lookup("nobody", "")
	if err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(t.TempDir(), "secret")
	dir, err := os.MkdirTemp("", "logs")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "a.log")
	for _, err := range []error{os.Chmod(dir, 0o777), os.WriteFile(target, nil, 0o600), os.Symlink(target, path)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	files := NewFiles(newMessages().CacheLog, who)
	defer files.Close()
	if _, err := openFile(files, path, 0); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a link to root's file gives %v", err)
	}
	if f, err := openFile(files, path+".1", 0); err != nil {
		t.Errorf("a file of his own gives %v", err)
	} else {
		files.Release(f)
	}
}

// TestCacheLogIsAnnounced has each file of cache.log told of, for what the runtime says of a crash.
func TestCacheLogIsAnnounced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache.log")
	files := NewFiles(newMessages().CacheLog, nil)
	opened := make(chan string, 4)
	files.CacheLogOpened = func(f *os.File) { opened <- f.Name() }
	useCacheLog(t, files, path)
	useCacheLog(t, files, path) // the same file: nothing new
	if err := files.Rotate(); err != nil {
		t.Fatal(err)
	}
	useCacheLog(t, files, path+".new")
	files.Close()
	close(opened)
	var names []string
	for name := range opened {
		names = append(names, filepath.Base(name))
	}
	if got := strings.Join(names, " "); got != "cache.log cache.log cache.log.new" {
		t.Errorf("the files told of are %s", got)
	}
}
