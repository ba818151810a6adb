package helper

import (
	"bytes"
	"io"
)

const longestLine = 64 << 10 // bytes; a longer line of standard error is passed on in pieces

// wholeLines passes on text in whole lines, so that those of several writers do not mix.
type wholeLines struct {
	to   io.Writer
	part []byte // of a line whose end has not come
}

// write passes on the lines that p completes. Errors of the writer are its own affair: a
// child is not to suffer from a full disk.
func (w *wholeLines) write(p []byte) {
	end := bytes.LastIndexByte(p, '\n') + 1
	if end > 0 {
		w.part = append(w.part, p[:end]...)
		w.pass()
	}
	w.part = append(w.part, p[end:]...)
	if len(w.part) > longestLine {
		w.flush()
	}
}

// flush passes on a line that has no end, with one.
func (w *wholeLines) flush() {
	if len(w.part) > 0 {
		w.part = append(w.part, '\n')
		w.pass()
	}
}

func (w *wholeLines) pass() {
	w.to.Write(w.part)
	w.part = w.part[:0]
}
