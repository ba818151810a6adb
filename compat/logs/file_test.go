package logs

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"exaproxy/engine/loop"
	"exaproxy/engine/loop/looptest"
)

// messages is a cache log whose lines a test reads.
type messages struct {
	*CacheLog
	mu   sync.Mutex
	text strings.Builder
	news chan struct{} // something was said
}

func newMessages() *messages {
	s := &messages{news: make(chan struct{}, 1)}
	s.CacheLog = NewCacheLog(CacheLogOptions{Stderr: s, StderrLevel: 9, Clock: func() time.Time { return time.Time{} }})
	return s
}

func (s *messages) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.news <- struct{}{}:
	default:
	}
	return s.text.Write(b)
}

func (s *messages) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// await waits until something with text was said.
func (s *messages) await(t *testing.T, text string) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for !strings.Contains(s.String(), text) {
		select {
		case <-s.news:
		case <-limit:
			t.Fatalf("nobody said %q, but:\n%s", text, s)
		}
	}
}

// openFile opens a file that keeps old ones of itself when it is rotated.
func openFile(files *Files, path string, keep int) (*File, error) {
	f, err := files.open(path)
	if err == nil {
		files.configure(f, keep, false)
	}
	return f, err
}

// runJob has the file's writer do something, and waits for it.
func runJob(f *File, run func()) {
	f.wait(context.Background(), f.do(func() error { run(); return nil }))
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestFileKeepsOrderAndLosesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	files := NewFiles(newMessages().CacheLog, nil)
	f, err := openFile(files, path, 0)
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for i := range 5000 {
		line := fmt.Sprintf("line %d\n", i)
		want.WriteString(line)
		f.Append([]byte(line))
	}
	files.Release(f)
	files.Close()
	if got := readFile(t, path); got != want.String() {
		t.Errorf("of %d bytes %d were written", want.Len(), len(got))
	}
}

func TestManyLinesAreNotGatheredToTheEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	files := NewFiles(newMessages().CacheLog, nil)
	defer files.Close()
	f, err := openFile(files, path, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer files.Release(f)
	f.gather.Store(int64(time.Hour))
	f.Append([]byte("the first line\n"))
	const size = 1000
	for range fullBuffer/size + 1 {
		f.Append([]byte(strings.Repeat("x", size-1) + "\n"))
	}
	for deadline := time.Now().Add(20 * time.Second); len(readFile(t, path)) < fullBuffer; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d bytes are written of more than %d", len(readFile(t, path)), fullBuffer)
		}
	}
}

func TestFileIsShared(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	files := NewFiles(newMessages().CacheLog, nil)
	one, err := openFile(files, path, 0)
	if err != nil {
		t.Fatal(err)
	}
	two, err := openFile(files, path, 0)
	if err != nil {
		t.Fatal(err)
	}
	if one != two {
		t.Error("two lines that name the same file have a file each")
	}
	files.Release(one)
	two.Append([]byte("after the first was released\n"))
	files.Close()
	if got := readFile(t, path); got != "after the first was released\n" {
		t.Errorf("the file has %q", got)
	}
}

func TestFileRotates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	files := NewFiles(newMessages().CacheLog, nil)
	f, err := openFile(files, path, 2)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		f.Append(fmt.Appendf(nil, "%d\n", i))
		if err := files.Rotate(); err != nil {
			t.Fatal(err)
		}
	}
	f.Append([]byte("4\n"))
	files.Close()
	for name, want := range map[string]string{"a.log": "4\n", "a.log.0": "3\n", "a.log.1": "2\n"} {
		if got := readFile(t, filepath.Join(filepath.Dir(path), name)); got != want {
			t.Errorf("%s has %q, want %q", name, got, want)
		}
	}
	if names, _ := filepath.Glob(path + "*"); len(names) != 3 {
		t.Errorf("there are %v: only two old ones are kept", names)
	}
}

// TestFullDiskIsSaidOnce writes to the device that is always full.
func TestFullDiskIsSaidOnce(t *testing.T) {
	said := newMessages()
	files := NewFiles(said.CacheLog, nil)
	f, err := openFile(files, "/dev/full", 0)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		f.Append([]byte("a line\n"))
		f.Flush()
	}
	said.await(t, "no space left on device")
	files.Close()
	if n := strings.Count(said.String(), "cannot write log file"); n != 1 {
		t.Errorf("the full disk was said %d times:\n%s", n, said)
	}
	if !strings.Contains(said.String(), "log file /dev/full: 21 bytes could not be written and are lost") {
		t.Errorf("what was lost at the end was not said:\n%s", said)
	}
}

// TestBacklogIsBounded fills the memory for a disk that takes nothing; then the disk recovers, and
// the number of lost lines is logged.
func TestBacklogIsBounded(t *testing.T) {
	said := newMessages()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a.log")
	files := NewFiles(said.CacheLog, nil)
	f, err := openFile(files, path, 0)
	if err != nil {
		t.Fatal(err)
	}
	good := f.file
	runJob(f, func() { f.file = full })
	block := []byte(strings.Repeat("x", 1<<20-1) + "\n")
	f.Append(block)
	f.Flush() // the writer holds this one now
	for range maxBacklog>>20 + 5 {
		f.Append(block)
	}
	runJob(f, func() { f.file = good; full.Close() })
	f.Flush()
	said.await(t, "is written again; 5 lines were lost")
	files.Close()
	if facts, err := os.Stat(path); err != nil || facts.Size() != maxBacklog+1<<20 {
		t.Errorf("the file has %d bytes, want %d: %v", facts.Size(), maxBacklog+1<<20, err)
	}
}

func TestFileThatCannotBeOpened(t *testing.T) {
	files := NewFiles(newMessages().CacheLog, nil)
	if _, err := openFile(files, "/nonexistent/a.log", 0); err == nil || !strings.Contains(err.Error(), "open log file /nonexistent/a.log") {
		t.Errorf("the error is %v", err)
	}
	files.Close()
}

func TestStandardStreamIsNotClosed(t *testing.T) {
	files := NewFiles(newMessages().CacheLog, nil)
	if _, err := openFile(files, "/dev/stderr", 0); err != nil {
		t.Fatal(err)
	}
	files.Close()
	if _, err := os.Stderr.Stat(); err != nil {
		t.Errorf("standard error was closed: %v", err)
	}
}

var _ io.Writer = (*messages)(nil)

// countingTask counts how often it is run.
type countingTask struct{ ran chan struct{} }

func (c *countingTask) Run() { c.ran <- struct{}{} }

// TestSlowDiskLosesNothing fills the backlog of a disk that is slow but takes what it is given:
// there is no room, then there is, and whoever waited is woken.
func TestSlowDiskLosesNothing(t *testing.T) {
	files := NewFiles(newMessages().CacheLog, nil)
	defer files.Close()
	f, err := openFile(files, filepath.Join(t.TempDir(), "a.log"), 0)
	if err != nil {
		t.Fatal(err)
	}
	read, write, err := os.Pipe() // a disk that takes nothing until it is read
	if err != nil {
		t.Fatal(err)
	}
	good := f.file
	runJob(f, func() { f.file = write })
	l, err := loop.New(looptest.NewKernel(t))
	if err != nil {
		t.Fatal(err)
	}
	task := &countingTask{ran: make(chan struct{}, 1)}
	waker := l.NewWaker(task)
	block := []byte(strings.Repeat("x", 1<<20-1) + "\n")
	blocks := 0
	for f.Ready(l, waker) {
		f.Append(block)
		blocks++
	}
	if blocks < maxBacklog>>20 {
		t.Errorf("there was room for %d MiB, want %d at least", blocks, maxBacklog>>20)
	}
	drained := make(chan int64)
	go func() {
		n, _ := io.Copy(io.Discard, read)
		drained <- n
	}()
	for len(task.ran) == 0 {
		l.Turn(true) // until the writer posts
	}
	if !f.Ready(l, waker) {
		t.Error("whoever waited was woken, and there is no room")
	}
	f.Flush()
	runJob(f, func() { f.file = good; write.Close() })
	if n := <-drained; n != int64(blocks)<<20 {
		t.Errorf("%d bytes were written, want %d", n, int64(blocks)<<20)
	}
}
