package helper

import (
	"bytes"
	"io"

	"exaproxy/engine/canary"
)

const maxStderrLine = 64 << 10 // bytes; a longer line of standard error is written in pieces

// A lineWriter writes text in whole lines, so that those of several writers do not mix.
type lineWriter struct {
	to   io.Writer
	part []byte // of a line whose end has not come
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
	w.to.Write(w.part)
	w.part = canary.Again(w.part, canary.ChildError, 0)
}
