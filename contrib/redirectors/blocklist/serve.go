package main

import (
	"bufio"
	"errors"
	"io"
	"sync/atomic"
	"time"
)

// A server answers lines by the list that is current when it looks at them.
type server struct {
	current atomic.Pointer[list]
}

// maxQuestion is the length of the longest line that is judged (a proxy's is 8 KB, or 64 KB). What
// is longer is blocked: where it ends, nobody knows what it was for.
const maxQuestion = 64 << 10

// serve answers until the input ends. Answers gather while questions wait, and leave before the
// next has to be waited for.
func (s *server) serve(from io.Reader, to io.Writer) error {
	in := bufio.NewReaderSize(from, maxQuestion)
	out := bufio.NewWriterSize(to, 32<<10)
	var b []byte
	for {
		line, err := in.ReadSlice('\n')
		switch {
		case err == nil:
			b = s.current.Load().answer(b[:0], string(line[:len(line)-1]), time.Now)
		case errors.Is(err, bufio.ErrBufferFull):
			b = s.current.Load().tooLong(b[:0], string(line[:maxKept]))
			if err := skipLine(in); err != nil {
				return done(err, out)
			}
		default: // what is left without an end was never asked
			return done(err, out)
		}
		if _, err := out.Write(append(b, '\n')); err != nil {
			return err
		}
		if in.Buffered() == 0 {
			if err := out.Flush(); err != nil {
				return err
			}
		}
	}
}

// done ends the service: the end of the input is no error.
func done(err error, out *bufio.Writer) error {
	if flushed := out.Flush(); errors.Is(err, io.EOF) {
		return flushed
	}
	return err
}

func skipLine(in *bufio.Reader) error {
	for {
		if _, err := in.ReadSlice('\n'); !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// maxKept is how much of a line that is too long is told to the page.
const maxKept = 1 << 10

// tooLong answers a line of which only the beginning is there.
func (l *list) tooLong(b []byte, beginning string) []byte {
	f := fields{q: parseQuestion(beginning), category: unreadable}
	return redirectTo(append(b, f.q.channel...), l.conf.redirect, &f)
}
