package compat

import (
	"errors"
	"log/slog"
	"slices"
	"sync"
)

// Logs are the log files that are open, by path: access_log lines that name the same file
// share it, and it stays open across a reconfiguration that still names it. The goroutine that
// reads the configuration opens them; the policies of the workers, each on its own goroutine,
// hold and release them.
type Logs struct {
	log *CacheLog
	who *Credential

	mu    sync.Mutex
	files map[string]*LogFile
	cache *LogFile   // of log
	going []*LogFile // given up; their writers may not have finished
}

// NewLogs makes an empty set. Trouble with its files is told to log. Files that it creates are
// given to who, unless that is nil.
func NewLogs(log *CacheLog, who *Credential) *Logs {
	return &Logs{log: log, who: who, files: make(map[string]*LogFile)}
}

// open returns the file at path, held once more.
func (l *Logs) open(path string, keep int, buffered bool) (*LogFile, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.files[path]
	if f == nil {
		var err error
		if f, err = newLogFile(path, l.who, slog.New(l.log)); err != nil {
			return nil, err
		}
		l.files[path] = f
	}
	f.refs++
	f.keep = keep
	if buffered {
		f.do(func() { f.gather = bufferedGathering })
	} else {
		f.do(func() { f.gather = gathering })
	}
	return f, nil
}

// OpenCacheLog opens the file of cache_log and has the cache log go there. If it cannot be
// opened the log goes on where it went.
func (l *Logs) OpenCacheLog(s *Settings) error {
	var file *LogFile
	if s.CacheLog != "" {
		var err error
		if file, err = l.open(s.CacheLog, s.Rotate, false); err != nil {
			return err
		}
	}
	l.log.Open(file)
	if l.cache != nil {
		l.release(l.cache)
	}
	l.cache = file
	return nil
}

// hold counts one more user of f.
func (l *Logs) hold(f *LogFile) {
	l.mu.Lock()
	f.refs++
	l.mu.Unlock()
}

// release is the opposite of open and hold; the last one closes the file.
func (l *Logs) release(f *LogFile) {
	l.mu.Lock()
	f.refs--
	if f.refs == 0 {
		delete(l.files, f.path)
		l.letGo(f)
	}
	l.mu.Unlock()
}

// letGo has a file finish on its own, since a worker does not wait for a disk. Close waits.
func (l *Logs) letGo(f *LogFile) {
	f.end()
	l.going = append(slices.DeleteFunc(l.going, (*LogFile).ended), f)
}

// Rotate rotates every file as its configuration says.
func (l *Logs) Rotate() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []error
	for _, f := range l.files {
		all = append(all, f.Rotate(f.keep, l.who))
	}
	return errors.Join(all...)
}

// Close writes what is left and closes all files.
func (l *Logs) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for path, f := range l.files {
		if f != l.cache { // it may have to tell of the others
			delete(l.files, path)
			l.letGo(f)
		}
	}
	for _, f := range l.going {
		<-f.done
	}
	if l.cache != nil {
		l.cache.end()
		<-l.cache.done
		delete(l.files, l.cache.path)
	}
}

// Flush returns when all lines that were appended are written, or could not be.
func (l *Logs) Flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.files {
		f.Flush()
	}
}
