package logs

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"exaproxy/compat/account"
	"exaproxy/engine/loop"
)

const (
	// maxBacklog is how many bytes of lines wait for the disk. Beyond it transactions wait for
	// room, so that a slow disk costs no line; lines for a disk that fails are dropped and counted.
	maxBacklog = 64 << 20
	// overdraft is how far beyond it lines are taken of those who do not ask whether there is room,
	// as cache.log's, or whom others overtook.
	overdraft = 16 << 20
)

// A File is one log file and the goroutine that writes it. Any goroutine may append lines or ask for
// jobs; none of them waits for the disk. A failing disk is logged once and tried again, and no line
// is lost before the backlog is full.
type File struct {
	path   string        // of the file, or what messages call the outlet
	key    string        // what it is found by
	owner  *account.User // with whose rights it is opened
	log    *slog.Logger  // where trouble is logged; never this file
	gather atomic.Int64  // a time.Duration: how long the writer lets lines collect

	keep int // how many old files a rotation keeps; guarded by Files.mu
	refs int // guarded by Files.mu

	remote bool // there is an outlet: nobody waits for it

	mu       sync.Mutex // never held while anything waits for the disk
	lines    backlog
	room     int         // how many bytes of lines are kept; of a file that is not stuck, somewhat more
	fatal    func(error) // on-error=die: called when a line is lost; nil: it is counted
	wakes    int         // how often the writer was woken for them: for the first, and for many
	dropped  int64       // lines lost since that was last logged
	stuck    bool        // the disk refuses what it is given
	waiting  []waiter    // for room
	jobs     []*job      // that the writer has not begun
	rotation *job        // of them, the one that rotates

	wake  chan struct{} // there are lines
	asked chan struct{} // there are jobs
	quit  chan struct{} // closed to end the writer
	done  chan struct{} // closed by the writer when it has ended

	// What follows is the writer's own.
	outlet  outlet         // takes the lines in the place of a file; nil: there is a file
	file    *os.File       // nil: a pipe that nobody read when it was to be opened
	opened  func(*os.File) // is told of each new file; may be nil
	writing []byte         // taken from lines, not on the disk yet
	failing bool           // the disk refused what it was given
	delayed bool           // it takes nothing, and that was said
}

// newFile opens path with the rights of owner and starts the writer.
func newFile(path string, owner *account.User, log *slog.Logger) (*File, error) {
	file, err := openLog(path, owner)
	if err != nil && !errors.Is(err, unix.ENXIO) { // a pipe may find a reader yet
		return nil, err
	}
	f := makeFile(path, log)
	f.owner, f.file = owner, file
	go f.write()
	return f, nil
}

// newRemote has an outlet take lines in the place of a file, and starts the writer.
func newRemote(name string, o outlet, log *slog.Logger) *File {
	f := makeFile(name, log)
	f.outlet, f.remote = o, true
	go f.write()
	return f
}

func makeFile(path string, log *slog.Logger) *File {
	f := &File{path: path, key: path, log: log, room: maxBacklog, wake: make(chan struct{}, 1), asked: make(chan struct{}, 1),
		quit: make(chan struct{}), done: make(chan struct{})}
	f.gather.Store(int64(gathering))
	return f
}

// openLog opens a file for appending.
func openLog(path string, owner *account.User) (*os.File, error) {
	if stream := standardStream(path); stream != nil {
		return stream, nil
	}
	file, err := owner.Append(path)
	if err != nil {
		return nil, fmt.Errorf("open log file %s: %w", path, err)
	}
	return file, nil
}

// standardStream is the stream that a path names; nil for all other paths. They are taken as they
// are, since a socket or a pipe that is somebody's /dev/stdout cannot be opened a second time.
func standardStream(path string) *os.File {
	switch path {
	case "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1":
		return os.Stdout
	case "/dev/stderr", "/dev/fd/2", "/proc/self/fd/2":
		return os.Stderr
	}
	return nil
}

// A waiter is a transaction that waits for room, on its loop.
type waiter struct {
	loop *loop.Loop
	task *loop.Waker
}

// Ready says whether lines can be appended without going beyond the backlog. If not, the task is
// woken once when they can. There is always room in the backlog of a disk that fails, and of what is no file, for what
// does not fit is dropped.
func (f *File) Ready(l *loop.Loop, task *loop.Waker) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stuck || f.remote || len(f.lines.pending) < f.room {
		return true
	}
	f.waiting = append(f.waiting, waiter{l, task})
	return false
}

// Append adds whole lines. It copies them and returns at once.
func (f *File) Append(lines []byte) {
	f.mu.Lock()
	room := f.room
	if !f.stuck && !f.remote {
		room += overdraft
	}
	if len(f.lines.pending)+len(lines) > room {
		f.drop(lines)
		f.mu.Unlock()
		return
	}
	f.lines.add(lines)
	wake := f.needsWake()
	f.mu.Unlock()
	if wake {
		signal(f.wake)
	}
}

// bound is how many bytes of lines are kept.
func (f *File) bound() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.room
}

// drop counts lines that are lost, and with on-error=die has the program end. The lock is held.
func (f *File) drop(lines []byte) {
	if f.dropped == 0 && f.fatal != nil {
		f.fatal(f.losing())
	}
	if f.dropped == 0 && f.remote { // cache.log, which this would append to, is no such log
		f.log.Warn(f.path + " logger starts dropping records.")
	}
	f.dropped += int64(bytes.Count(lines, []byte{'\n'}))
}

// losing is why the program ends with on-error=die.
func (f *File) losing() error {
	return fmt.Errorf("%s: a line is lost, and its access_log says on-error=die", f.named())
}

// trim lets go of memory for lines that was not needed since the last time, and returns how many bytes it has.
func (f *File) trim() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return int64(f.lines.trim())
}

// memory is how many bytes a file has for lines whose writer has ended.
func (f *File) memory() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return int64(cap(f.writing) + cap(f.lines.pending) + cap(f.lines.spare))
}

// needsWake says whether the writer must be woken for the pending lines: for the first, and once
// more when there are many. The lock is held.
func (f *File) needsWake() bool {
	wakes := 1
	if len(f.lines.pending) >= fullBuffer {
		wakes = 2
	}
	more := wakes > f.wakes
	f.wakes = wakes
	return more
}

// signal wakes whoever waits for c, which holds one wake.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default: // a wake that came for nothing is still there
	}
}

// Write is Append for those who want an io.Writer.
func (f *File) Write(lines []byte) (int, error) {
	f.Append(lines)
	return len(lines), nil
}

// Path is where the file is.
func (f *File) Path() string { return f.path }
