package logs

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"time"

	"exaproxy/engine/canary"
)

// maxStream is how many bytes wait for whoever reads standard error.
const maxStream = 1 << 20

// A Stream is a writer that never blocks, before one that may: standard error, which may be a pipe that
// nobody reads. What does not fit its memory is dropped, and the number of lines is written when
// somebody reads again. Any goroutine may use it.
type Stream struct {
	to    io.Writer
	clock func() time.Time

	mu      sync.Mutex // never held over a write to to
	lines   backlog
	dropped int             // lines
	flushes []chan struct{} // closed when all is written
	wake    chan struct{}
}

// NewStream makes a stream, and starts its goroutine, which ends with the program.
func NewStream(to io.Writer, clock func() time.Time) *Stream {
	s := &Stream{to: to, clock: clock, wake: make(chan struct{}, 1)}
	go s.copy()
	return s
}

// Write takes whole lines. It never fails.
func (s *Stream) Write(lines []byte) (int, error) {
	s.mu.Lock()
	if len(s.lines.pending)+len(lines) > maxStream {
		s.dropped += bytes.Count(lines, []byte{'\n'})
	} else {
		s.lines.add(lines)
	}
	s.mu.Unlock()
	signal(s.wake)
	return len(lines), nil
}

// Flush returns when all that was written so far has been taken, or after d.
func (s *Stream) Flush(d time.Duration) {
	done := make(chan struct{})
	s.mu.Lock()
	s.flushes = append(s.flushes, done)
	s.mu.Unlock()
	signal(s.wake)
	late := time.NewTimer(d)
	defer late.Stop()
	select {
	case <-done:
	case <-late.C:
	}
}

// copy is the stream's goroutine.
func (s *Stream) copy() {
	for range s.wake {
		lines, flushes := s.take()
		if len(lines) > 0 {
			s.to.Write(lines) // there is nowhere to tell if this fails
		}
		s.putBack(canary.Again(lines, canary.StderrLines, 0))
		for _, done := range flushes {
			close(done)
		}
	}
}

// take returns what is to be written, and who waits for it.
func (s *Stream) take() (lines []byte, flushes []chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lines = s.lines.take()
	if s.dropped > 0 {
		lines = s.clock().AppendFormat(lines, stampLayout)
		lines = fmt.Appendf(lines, "| WARNING: nobody read this; %d lines are missing here\n", s.dropped)
		s.dropped = 0
	}
	flushes, s.flushes = s.flushes, nil
	return lines, flushes
}

func (s *Stream) putBack(spare []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines.putBack(spare)
}

// Trim lets go of memory for lines that nobody has needed since the last Trim, and returns how many bytes it was.
func (s *Stream) Trim() (bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int64(s.lines.trim())
}
