package helper

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"time"

	"exaproxy/engine/canary"
)

const maxStderrLine = 64 << 10 // bytes; a longer line of standard error is written in pieces

// While children end of what they are asked, no more of what they write to standard error is passed on than
// some lines at once and then some each second: each might tell a client's request in twenty lines.
const (
	stormLines     = 200
	stormLineEvery = 100 * time.Millisecond
)

// A stderrLimit counts lines that children write to standard error. It is used by their goroutines and the loop.
type stderrLimit struct {
	mu      sync.Mutex
	until   time.Time // a storm rages, by the clock of this machine
	room    int       // lines that may be passed on at once
	filled  time.Time // when that was counted last
	dropped int       // lines, since the last that was passed on
}

// stormy limits the lines for a while.
func (s *stderrLimit) stormy() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now(); !now.Before(s.until) {
		s.room, s.filled = stormLines, now
	}
	s.until = time.Now().Add(stormTime)
}

// allow returns how many of some lines may be passed on, and how many were not since the last time.
func (s *stderrLimit) allow(lines int) (allowed, dropped int) {
	if s == nil {
		return lines, 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if now.Before(s.until) {
		gained := int(now.Sub(s.filled) / stormLineEvery)
		s.filled = s.filled.Add(time.Duration(gained) * stormLineEvery)
		s.room = min(s.room+gained, stormLines)
		allowed = min(lines, s.room)
		s.room -= allowed
	} else {
		allowed = lines
	}
	if allowed > 0 {
		dropped, s.dropped = s.dropped, 0
	}
	s.dropped += lines - allowed
	return allowed, dropped
}

// A lineWriter writes text in whole lines, so that those of several writers do not mix.
type lineWriter struct {
	to    io.Writer
	part  []byte       // of a line whose end has not come
	limit *stderrLimit // nil: none
}

// write writes the lines that p completes. Errors of the writer are ignored: a child is not to
// suffer from a full disk.
func (w *lineWriter) write(p []byte) {
	end := bytes.LastIndexByte(p, '\n') + 1
	if end > 0 {
		w.part = append(w.part, p[:end]...)
		w.emit()
	}
	w.part = append(w.part, p[end:]...)
	if len(w.part) > maxStderrLine {
		w.flush()
	}
}

// flush writes a line that has no end, with one.
func (w *lineWriter) flush() {
	if len(w.part) > 0 {
		w.part = append(w.part, '\n')
		w.emit()
	}
}

func (w *lineWriter) emit() {
	allowed, dropped := w.limit.allow(bytes.Count(w.part, []byte{'\n'}))
	if dropped > 0 {
		fmt.Fprintf(w.to, "(%d lines of the standard error of helpers were left out, since many of them end)\n", dropped)
	}
	end := 0
	for range allowed {
		end += bytes.IndexByte(w.part[end:], '\n') + 1
	}
	if end > 0 {
		w.to.Write(w.part[:end])
	}
	w.part = canary.Again(w.part, canary.ChildError, 0)
}
