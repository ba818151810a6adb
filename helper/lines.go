package helper

import (
	"bytes"

	"exaproxy/engine/canary"
)

const (
	maxLine     = 1 << 20  // bytes of an answer; a child that writes more without a line end is replaced
	maxKeptPart = 16 << 10 // bytes of capacity that a child's buffer keeps once a long line is over
)

// lines puts together the lines that a child writes, however they were cut into reads.
type lines struct {
	part []byte // of a line whose end has not come
	used bool   // part was returned as a line, and is to be emptied
}

// next cuts the first line off p, and returns it without its line end: a line feed with at
// most one carriage return before it. If there is no whole line it keeps p, and ok is false.
// The line is valid until the next call.
func (l *lines) next(p []byte) (line, rest []byte, ok bool) {
	l.reset()
	i := bytes.IndexByte(p, '\n')
	if i < 0 {
		l.part = append(l.part, p...)
		return nil, nil, false
	}
	line, rest = p[:i], p[i+1:]
	if len(l.part) > 0 {
		l.part = append(l.part, line...)
		line, l.used = l.part, true
	}
	return bytes.TrimSuffix(line, []byte{'\r'}), rest, true
}

// reset empties part if it was returned.
func (l *lines) reset() {
	if !l.used {
		return
	}
	l.part, l.used = canary.Again(l.part, canary.ChildLine, 0), false
	if cap(l.part) > maxKeptPart {
		l.part = nil
	}
}

// partial returns the beginning of a line that has no end yet.
func (l *lines) partial() []byte {
	l.reset()
	return l.part
}

// drop forgets the beginning of a line that has no end yet.
func (l *lines) drop() { l.part = canary.Again(l.part, canary.ChildLine, 0) }

// cutNumber takes the channel number off a line, as strtol(3) would read it: blanks, a sign,
// decimal digits; and the blanks that follow. A number must end at a blank or with the line:
// "302:…" is the answer of a program that knows nothing of channels. Without a number ok is
// false.
func cutNumber(line []byte) (number int, rest []byte, ok bool) {
	s := skipBlanks(line)
	negative := len(s) > 0 && s[0] == '-'
	if negative || len(s) > 0 && s[0] == '+' {
		s = s[1:]
	}
	i := 0
	for ; i < len(s) && '0' <= s[i] && s[i] <= '9'; i++ {
		number = min(number*10+int(s[i]-'0'), 1<<40) // no child has so many channels
	}
	rest = skipBlanks(s[i:])
	if i == 0 || len(s) > i && len(rest) == len(s)-i {
		return 0, line, false
	}
	if negative {
		number = -number
	}
	return number, rest, true
}

// skipBlanks drops what isspace(3) calls white space from the front.
func skipBlanks(s []byte) []byte {
	for len(s) > 0 && (s[0] == ' ' || '\t' <= s[0] && s[0] <= '\r') {
		s = s[1:]
	}
	return s
}
