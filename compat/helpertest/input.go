package helpertest

import (
	"bufio"
	"io"

	"exaproxy/engine/loop"
)

// A Source are the lines of an input.
type Source struct {
	Lines   io.Reader
	FromLog bool // they are those of an access log
}

// An input is lines as they are read, on a goroutine of its own: standard input may be somebody who types.
type input struct {
	lines chan string // closed at the end
	next  string
	have  bool
	ended bool
	stop  chan struct{}
}

// mostAhead is how many lines are read before they are wanted.
const mostAhead = 64

// read begins to read. w is woken, on its loop, for every line.
func read(from io.Reader, l *loop.Loop, w *loop.Waker) *input {
	in := &input{lines: make(chan string, mostAhead), stop: make(chan struct{})}
	go func() {
		defer l.Post(w.Wake)
		defer close(in.lines)
		for lines := bufio.NewReader(from); ; {
			line, err := lines.ReadString('\n')
			if line != "" {
				select {
				case in.lines <- trimEnd(line):
					l.Post(w.Wake)
				case <-in.stop:
					return
				}
			}
			if err != nil {
				return
			}
		}
	}()
	return in
}

func trimEnd(line string) string {
	for _, end := range []byte("\n\r") {
		if n := len(line); n > 0 && line[n-1] == end {
			line = line[:n-1]
		}
	}
	return line
}

// peek says whether a line is there.
func (in *input) peek() bool {
	if in.have || in.ended {
		return in.have
	}
	select {
	case line, ok := <-in.lines:
		in.next, in.have, in.ended = line, ok, !ok
	default:
	}
	return in.have
}

// take takes it.
func (in *input) take() string {
	in.have = false
	return in.next
}
