package logs

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
)

// Files are the log files that are open, by path: lines of the configuration that name the same
// file share it, and it stays open across a reconfiguration that still names it. The goroutine
// that reads the configuration opens them; the policies of the workers, each on its own goroutine,
// hold and release them.
type Files struct {
	log   *CacheLog
	owner *Owner

	mu      sync.Mutex
	files   map[string]*File
	cache   *File   // of log
	closing []*File // given up; their writers may not have finished
}

// NewFiles makes an empty set. Trouble with its files is logged to log. Files that it creates are
// given to owner, unless that is nil.
func NewFiles(log *CacheLog, owner *Owner) *Files {
	return &Files{log: log, owner: owner, files: make(map[string]*File)}
}

// open returns the file at path, held once more.
func (l *Files) open(path string) (*File, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.files[path]
	if f == nil {
		var err error
		if f, err = newFile(path, l.owner, slog.New(l.log)); err != nil {
			return nil, err
		}
		l.files[path] = f
	}
	f.refs++
	return f, nil
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
	}
	l.log.use(f)
	l.Release(l.cache)
	l.cache = f
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
	if f.refs == 0 {
		delete(l.files, f.path)
		l.startClosing(f)
	}
}

// startClosing has a file finish on its own, since a worker does not wait for a disk. Close waits.
func (l *Files) startClosing(f *File) {
	f.end()
	l.closing = append(slices.DeleteFunc(l.closing, (*File).ended), f)
}

// Rotate rotates every file as its configuration says.
func (l *Files) Rotate() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []error
	for _, f := range l.files {
		all = append(all, f.Rotate(f.keep, l.owner))
	}
	return errors.Join(all...)
}

// Close writes what is left and closes all files.
func (l *Files) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for path, f := range l.files {
		if f != l.cache { // trouble with the others may have to be logged there
			delete(l.files, path)
			l.startClosing(f)
		}
	}
	for _, f := range l.closing {
		<-f.done
	}
	if l.cache != nil {
		l.cache.end()
		<-l.cache.done
		delete(l.files, l.cache.path)
	}
}

// Flush returns when all lines that were appended are written, or could not be.
func (l *Files) Flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.files {
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
