package logs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"exaproxy/compat/account"
)

// patience is how long control waits for files that are busy.
const patience = 2 * time.Second

// Files are the log files that are open, by path: lines of the configuration that name the same
// file share it, and it stays open across a reconfiguration that still names it. One goroutine at a
// time opens them; the policies of the workers, each on its own goroutine, hold and release them.
type Files struct {
	// CacheLogOpened, if set, is called with each file that cache.log goes to from now on, on a
	// goroutine of the log's. The file is the log's.
	CacheLogOpened func(*os.File)

	// Lost, if set, is called when a log with on-error=die loses a line, on any goroutine. It must not wait.
	Lost func(error)

	log      *CacheLog
	owner    *account.User
	patience time.Duration

	mu      sync.Mutex // never held while anything waits for a disk
	files   map[string]*File
	closing []*File // given up; their writers may not have finished

	cache *File // of log; of the goroutine that calls UseCacheLog and Close
}

// NewFiles makes an empty set. Trouble with its files is logged to log. They are opened with the rights
// of owner; nil is whoever we are.
func NewFiles(log *CacheLog, owner *account.User) *Files {
	return &Files{log: log, owner: owner, patience: patience, files: make(map[string]*File)}
}

// open returns the file at path, held once more. It may wait for the disk.
func (l *Files) open(path string) (*File, error) {
	if f := l.find(path); f != nil {
		return f, nil
	}
	f, err := newFile(path, l.owner, slog.New(l.log))
	if err != nil {
		return nil, err
	}
	return l.keep(f), nil
}

// openPlace returns what an access log is written to, held once more.
func (l *Files) openPlace(log *AccessLog, buffered bool) (*File, error) {
	if log.Module == ToFile {
		return l.open(log.Path)
	}
	key := log.key(buffered)
	if f := l.find(key); f != nil {
		return f, nil
	}
	o := l.outlet(log, buffered)
	d, isDaemon := o.(*daemonLog)
	if isDaemon {
		if err := d.start(); err != nil {
			return nil, err
		}
	}
	f := newRemote(log.place(), o, slog.New(l.log))
	f.key = key
	l.keep(f)
	if isDaemon {
		f.do(d.greet)
	}
	return f, nil
}

// outlet makes what takes the lines of an access log that is no file.
func (l *Files) outlet(log *AccessLog, buffered bool) outlet {
	switch log.Module {
	case ToUDP:
		return &datagramLog{address: log.Path}
	case ToTCP:
		return &streamLog{address: log.Path}
	case ToSyslog:
		return &syslogLog{socket: syslogSocket, priority: log.Priority, tag: l.log.program(), clock: l.log.clock}
	case ToDaemon:
		d := &daemonLog{program: log.Program, path: log.Path, keep: log.Rotate, buffer: buffered, owner: l.owner}
		if l.cache != nil {
			d.errors = l.cache.path
		}
		return d
	case ToFile:
	}
	panic("BUG: a file is no outlet")
}

// keep has a file that was opened found by its key.
func (l *Files) keep(f *File) *File {
	f.refs = 1
	l.mu.Lock()
	defer l.mu.Unlock()
	l.files[f.key] = f
	return f
}

// find returns the file at path if it is open, held once more.
func (l *Files) find(path string) *File {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.files[path]
	if f != nil {
		f.refs++
	}
	return f
}

// configure says how many old files a rotation keeps, and whether lines may wait for longer
// (buffered_logs).
func (l *Files) configure(f *File, keep int, buffered bool) {
	l.mu.Lock()
	f.keep = keep
	l.mu.Unlock()
	if buffered {
		f.gather.Store(int64(bufferedGathering))
	} else {
		f.gather.Store(int64(gathering))
	}
}

// limit has a log follow the options of its line: buffer-size=, how much is kept of what is not taken, if it is no file; and
// on-error=die.
func (l *Files) limit(f *File, log *AccessLog) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.room, f.fatal = maxBacklog, nil
	if f.remote && log.Buffer > 0 {
		f.room = max(log.Buffer, leastBuffer)
	}
	if log.Die {
		f.fatal = l.Lost
	}
}

// OpenCacheLog opens the file of cache_log. The cache log goes on where it went until UseCacheLog;
// a file that is not to be used after all is given to Release. It is nil for cache_log none.
func (l *Files) OpenCacheLog(s *Settings) (*File, error) {
	if s.CacheLog == "" {
		return nil, nil
	}
	return l.open(s.CacheLog)
}

// UseCacheLog has the cache log go to the file that OpenCacheLog opened, and closes the one before.
func (l *Files) UseCacheLog(f *File, s *Settings) {
	if f != nil {
		l.configure(f, s.Rotate, false)
		if f != l.cache {
			l.announce(f)
		}
	}
	l.log.use(f)
	l.Release(l.cache)
	l.cache = f
}

// announce has CacheLogOpened called for the file that f has open, and for each that takes its place.
func (l *Files) announce(f *File) {
	if l.CacheLogOpened == nil {
		return
	}
	f.do(func() error {
		f.opened = l.CacheLogOpened
		f.use(f.file)
		return nil
	})
}

// hold counts one more user of f.
func (l *Files) hold(f *File) {
	l.mu.Lock()
	f.refs++
	l.mu.Unlock()
}

// Release is the opposite of opening and of hold; the last one closes the file. A nil file is none.
func (l *Files) Release(f *File) {
	if f == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	f.refs--
	if f.refs == 0 && l.files[f.key] == f { // after Close it is not there any more
		delete(l.files, f.key)
		l.startClosing(f)
	}
}

// startClosing has a file finish on its own, since a worker does not wait for a disk. Close waits. The
// lock is held.
func (l *Files) startClosing(f *File) {
	f.end()
	l.closing = append(l.closing, f)
}

// Trim lets go of memory for lines that nobody has needed since the last Trim, and of files that have ended. It
// returns how many bytes they have.
func (l *Files) Trim() (bytes int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.files {
		bytes += f.trim()
	}
	l.closing = slices.DeleteFunc(l.closing, func(f *File) bool {
		ended := closed(f.done)
		if ended {
			bytes += f.memory()
		}
		return ended
	})
	return bytes
}

// Rotate rotates every file as its configuration says. A file that is stuck does so when it can, and is
// named in the error.
func (l *Files) Rotate() error {
	type asked struct {
		file *File
		job  *job
	}
	var all []asked
	l.mu.Lock()
	for _, f := range l.files {
		all = append(all, asked{f, f.rotate(f.keep)})
	}
	l.mu.Unlock()
	slices.SortFunc(all, func(a, b asked) int { return cmp.Compare(a.file.path, b.file.path) })
	ctx, cancel := context.WithTimeout(context.Background(), l.patience)
	defer cancel()
	var trouble []error
	for _, a := range all {
		trouble = append(trouble, a.file.wait(ctx, a.job))
	}
	return errors.Join(trouble...)
}

// Close writes what is left and closes all files. Those that are stuck are given up after a while.
func (l *Files) Close() {
	l.mu.Lock()
	for path, f := range l.files {
		delete(l.files, path)
		if f != l.cache { // trouble with the others may have to be logged there
			l.startClosing(f)
		}
	}
	closing := l.closing
	l.closing = nil
	l.mu.Unlock()
	l.awaitEnds(closing)
	if l.cache != nil {
		l.cache.end()
		l.awaitEnds([]*File{l.cache})
	}
}

// awaitEnds waits for writers that were told to end.
func (l *Files) awaitEnds(files []*File) {
	ctx, cancel := context.WithTimeout(context.Background(), l.patience)
	defer cancel()
	for _, f := range files {
		select {
		case <-f.done:
		case <-ctx.Done():
			l.log.Say(0, fmt.Sprintf("ERROR: %s is stuck: its last lines are lost", f.named()))
		}
	}
}

// Flush returns when all lines that were appended are written, or could not be.
func (l *Files) Flush() {
	l.mu.Lock()
	all := slices.Collect(maps.Values(l.files))
	l.mu.Unlock()
	for _, f := range all {
		f.Flush()
	}
}

// ownerName is whom a folder must let write, for messages.
func (l *Files) ownerName() string {
	if l.owner != nil {
		return fmt.Sprintf("'%s', which is the cache_effective_user", l.owner.Name)
	}
	return "that runs the proxy"
}
