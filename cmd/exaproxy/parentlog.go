package main

import (
	"io"
	"os"
	"sync"
	"time"

	"exaproxy/compat/logs"
)

// A parentLog is where the parent says what it has to: the proxy's cache.log, or standard error as long as
// there is none. It never waits for who reads it.
type parentLog struct {
	stderr io.Writer
	stream *logs.Stream

	mu   sync.Mutex
	file *os.File
}

func newParentLog(stderr io.Writer) *parentLog {
	l := &parentLog{stderr: stderr}
	l.stream = logs.NewStream(l, time.Now)
	return l
}

func (l *parentLog) say(text string) { say(l.stream, text) }

// flush waits for what was said, though not for ever.
func (l *parentLog) flush() { l.stream.Flush(stderrPatience) }

// use changes the file; nil is none.
func (l *parentLog) use(file *os.File) {
	l.mu.Lock()
	old := l.file
	l.file = file
	l.mu.Unlock()
	if old != nil {
		old.Close()
	}
}

// current is the file; nil if there is none.
func (l *parentLog) current() *os.File {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file
}

// Write is called by the stream.
func (l *parentLog) Write(text []byte) (int, error) {
	if file := l.current(); file != nil {
		return file.Write(text)
	}
	return l.stderr.Write(text)
}
