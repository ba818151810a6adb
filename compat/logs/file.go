package logs

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"exaproxy/engine/loop"
)

const (
	// maxBacklog is how many bytes of lines wait for the disk. Beyond it transactions wait for
	// room, so that a slow disk costs no line; lines for a disk that fails are dropped and counted.
	maxBacklog = 64 << 20
	// gathering is how long the writer lets lines collect before it writes them in one call.
	gathering = 100 * time.Millisecond
	// bufferedGathering is the same under buffered_logs on.
	bufferedGathering = time.Second
	// fullBuffer is how many bytes of lines end the gathering early.
	fullBuffer = 256 << 10
	// retryAfter is how long the writer waits after a failed write.
	retryAfter = time.Second
)

// An Owner is the user and group that log files are given to.
type Owner struct {
	Name     string // of the user, for messages
	UID, GID uint32
}

// A File is one log file and the goroutine that writes it. Any goroutine may append lines;
// none of them waits for the disk. A failing disk is logged once and tried again, and no line is
// lost before the backlog is full.
type File struct {
	path   string
	log    *slog.Logger // where trouble is logged; never this file
	gather atomic.Int64 // a time.Duration: how long the writer lets lines collect

	keep int // how many old files a rotation keeps; guarded by Files.mu
	refs int // guarded by Files.mu

	mu      sync.Mutex
	pending []byte   // lines that the writer has not taken
	wakes   int      // how often the writer was woken for them: for the first, and for many
	dropped int64    // lines lost since that was last logged
	stuck   bool     // the disk refuses what it is given
	waiting []waiter // for room

	wake chan struct{}
	jobs chan func()   // what the writer does beside writing: rotate, flush
	quit chan struct{} // closed to end the writer
	done chan struct{} // closed by the writer when it has ended

	// What follows is the writer's own.
	file    *os.File
	writing []byte // taken from pending, not on the disk yet
	spare   []byte // the memory of writing when it is empty
	failing bool
}

// newFile opens path and starts the writer. owner is the user and group that a file created
// here is given to; nil leaves it as it is.
func newFile(path string, owner *Owner, log *slog.Logger) (*File, error) {
	file, err := openLog(path, owner)
	if err != nil {
		return nil, err
	}
	f := &File{path: path, log: log, file: file,
		wake: make(chan struct{}, 1), jobs: make(chan func()), quit: make(chan struct{}), done: make(chan struct{})}
	f.gather.Store(int64(gathering))
	go f.write()
	return f, nil
}

// openLog opens a file for appending. The standard streams are taken as they are, since a
// socket or a pipe that is somebody's /dev/stdout cannot be opened a second time.
func openLog(path string, owner *Owner) (*os.File, error) {
	switch path {
	case "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1":
		return os.Stdout, nil
	case "/dev/stderr", "/dev/fd/2", "/proc/self/fd/2":
		return os.Stderr, nil
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
	if err != nil {
		return nil, fmt.Errorf("open log file %s: %w", path, err)
	}
	if owner != nil {
		if facts, err := file.Stat(); err == nil && facts.Mode().IsRegular() {
			err = file.Chown(int(owner.UID), int(owner.GID))
			if err != nil {
				file.Close()
				return nil, fmt.Errorf("give log file %s to user %d: %w", path, owner.UID, err)
			}
		}
	}
	return file, nil
}

// A waiter is a transaction that waits for room, on its loop.
type waiter struct {
	loop *loop.Loop
	task *loop.Waker
}

// Ready says whether lines can be appended without going beyond the backlog. If not, the task is
// woken once when they can. There is always room in the backlog of a disk that fails, for what
// does not fit is dropped.
func (f *File) Ready(l *loop.Loop, task *loop.Waker) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stuck || len(f.pending) < maxBacklog {
		return true
	}
	f.waiting = append(f.waiting, waiter{l, task})
	return false
}

// Append adds whole lines. It copies them and returns at once.
func (f *File) Append(lines []byte) {
	f.mu.Lock()
	if f.stuck && len(f.pending)+len(lines) > maxBacklog {
		f.dropped += int64(bytes.Count(lines, []byte{'\n'}))
		f.mu.Unlock()
		return
	}
	f.pending = append(f.pending, lines...)
	wake := f.needsWake()
	f.mu.Unlock()
	if wake {
		select {
		case f.wake <- struct{}{}:
		default: // a wake that came for nothing is still there
		}
	}
}

// needsWake says whether the writer must be woken for the pending lines: for the first, and once
// more when there are many. The lock is held.
func (f *File) needsWake() bool {
	wakes := 1
	if len(f.pending) >= fullBuffer {
		wakes = 2
	}
	more := wakes > f.wakes
	f.wakes = wakes
	return more
}

// Write is Append for those who want an io.Writer.
func (f *File) Write(lines []byte) (int, error) {
	f.Append(lines)
	return len(lines), nil
}

// Path is where the file is.
func (f *File) Path() string { return f.path }

// do has the writer call job, after all lines appended so far were written or failed to be.
func (f *File) do(job func()) {
	finished := make(chan struct{})
	select {
	case f.jobs <- func() { defer close(finished); f.flush(); job() }:
		<-finished
	case <-f.done:
	}
}

// Flush returns when the lines appended so far are written, or could not be.
func (f *File) Flush() { f.do(func() {}) }

// Rotate renames the file to path.0, that one to path.1 and so on, keeping old files, and opens
// a new one. With keep 0 it only opens the path again, for those who rename it themselves.
func (f *File) Rotate(keep int, owner *Owner) (err error) {
	f.do(func() { err = f.rotate(keep, owner) })
	return err
}

func (f *File) rotate(keep int, owner *Owner) error {
	if facts, err := os.Stat(f.path); err == nil && !facts.Mode().IsRegular() {
		return nil // a device or a pipe has no past
	}
	if err := shift(f.path, keep); err != nil {
		return err
	}
	file, err := openLog(f.path, owner)
	if err != nil {
		return err // the old file, wherever it is now, goes on being written
	}
	f.file.Close()
	f.file = file
	return nil
}

// shift makes room at path by giving each file the number after its own.
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

// end has the writer finish after a last attempt to write; done says when it has.
func (f *File) end() { close(f.quit) }

// ended says whether the writer has finished.
func (f *File) ended() bool {
	select {
	case <-f.done:
		return true
	default:
		return false
	}
}

// write is the writer's goroutine.
func (f *File) write() {
	defer close(f.done)
	for {
		select {
		case job := <-f.jobs:
			job()
		case <-f.wake:
			f.collect()
			f.flush()
		case <-f.retry():
			f.flush()
		case <-f.quit:
			f.flush()
			f.close()
			return
		}
	}
}

// close closes the file and logs what never got there.
func (f *File) close() {
	f.mu.Lock()
	lost := len(f.writing) + len(f.pending)
	f.mu.Unlock()
	if lost > 0 {
		f.log.Error(fmt.Sprintf("log file %s: %d bytes could not be written and are lost", f.path, lost))
	}
	if f.file != os.Stdout && f.file != os.Stderr {
		f.file.Close()
	}
}

// collect waits a moment for more lines, until there are many or something else is to do.
func (f *File) collect() {
	f.mu.Lock()
	full := len(f.pending) >= fullBuffer
	f.mu.Unlock()
	if full {
		return
	}
	gathered := time.NewTimer(time.Duration(f.gather.Load()))
	defer gathered.Stop()
	select {
	case <-gathered.C:
	case <-f.wake:
	case <-f.quit:
	case job := <-f.jobs:
		job()
	}
}

// retry fires when it is time to try a failing disk again.
func (f *File) retry() <-chan time.Time {
	if !f.failing {
		return nil
	}
	return time.After(retryAfter)
}

// flush writes what there is. What the disk does not take stays for the next time.
func (f *File) flush() {
	for f.take() {
		n, err := f.file.Write(f.writing)
		if err != nil {
			f.writing = f.writing[:copy(f.writing, f.writing[n:])]
			f.failed(err)
			return
		}
		f.spare, f.writing = f.writing[:0], nil
		f.recovered()
	}
}

// take makes sure that writing holds lines, if there are any.
func (f *File) take() bool {
	if len(f.writing) > 0 {
		return true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wakes = 0
	f.wakeWaiting()
	if len(f.pending) == 0 {
		return false
	}
	if cap(f.spare) > 1<<20 {
		f.spare = nil // the memory of a bad hour is not kept
	}
	f.writing, f.pending, f.spare = f.pending, f.spare, nil
	return true
}

// wakeWaiting wakes those who wait for room. The lock is held.
func (f *File) wakeWaiting() {
	for _, w := range f.waiting {
		w.loop.Post(w.task.Wake)
	}
	f.waiting = nil
}

func (f *File) failed(err error) {
	if f.failing {
		return
	}
	f.failing = true
	f.mu.Lock()
	f.stuck = true
	f.wakeWaiting()
	f.mu.Unlock()
	f.log.Error(fmt.Sprintf("cannot write log file: %s; lines are kept in memory and it is tried again", err))
}

// recovered logs that the disk takes lines again, and what its failure cost.
func (f *File) recovered() {
	f.mu.Lock()
	lost := f.dropped
	f.dropped, f.stuck = 0, false
	f.mu.Unlock()
	if !f.failing && lost == 0 {
		return
	}
	f.failing = false
	f.log.Warn(fmt.Sprintf("log file %s is written again; %d lines were lost", f.path, lost))
}
