package helper

import (
	"bytes"
	"errors"
)

// A Framing says where answers end that are no lines. Questions then end by themselves too: they are written as
// they are, with the line feeds in them and none behind. A Framing is a value that == compares, and has no state.
type Framing interface {
	// Length returns how many bytes the answer has that b begins with, 0 if not all of it has come. An error is why
	// b begins with no answer. It is called again with more bytes, so it must not cost much more than to look at the
	// head of an answer. Line ends before an answer are never in b.
	Length(b []byte) (n int, err error)
}

// ErrGarbled settles a question whose child has written something that is no answer (Framing). The child is
// replaced: nobody knows where the next one would begin.
var ErrGarbled = errors.New("the helper has written something that is no answer")

// next cuts the first answer off what was read, p, as lines.next does. An error is that of Framing.Length.
func (c *child) next(p []byte) (answer, rest []byte, ok bool, err error) {
	framing := c.pool.config.Framing
	if framing == nil {
		answer, rest, ok = c.in.next(p)
		return answer, rest, ok, nil
	}
	return c.in.nextFramed(p, framing)
}

// nextFramed cuts the first answer off p, with what came before it. If not all of it has come it keeps p, and ok is
// false. The answer is valid until the next call.
func (l *lines) nextFramed(p []byte, f Framing) (answer, rest []byte, ok bool, err error) {
	l.reset()
	if len(l.part) == 0 {
		p = bytes.TrimLeft(p, "\r\n") // some end their answers with an empty line, some do not
	}
	whole := p
	if len(l.part) > 0 {
		l.part = append(l.part, p...)
		whole = l.part
	}
	n := 0
	if len(whole) > 0 {
		n, err = f.Length(whole)
	}
	switch {
	case err != nil:
		l.used = len(l.part) > 0
		return whole, nil, false, err
	case n == 0 && len(l.part) == 0:
		l.part = append(l.part, p...)
		return nil, nil, false, nil
	case n == 0:
		return nil, nil, false, nil
	case len(l.part) > 0:
		l.used = true
		return whole[:n], bytes.Clone(whole[n:]), true, nil
	}
	return whole[:n], whole[n:], true, nil
}

// garbled handles what is no answer: text is what was written. What a child writes before it has read its first
// question is dropped, as lines are.
func (c *child) garbled(text []byte, err error) {
	if c.state == warming || c.answered == 0 && c.hasReadNothing() {
		c.pool.warnBanner(c, text)
		return
	}
	why := "wrote what is no answer: " + quote(text) + ": " + err.Error()
	if q := c.channels.at(0); q != nil && !q.held && q.end <= c.writtenBytes && !c.unread(q) {
		c.channels.release(0)
		c.dismiss(q, nil, ErrGarbled)
	}
	c.kill(why)
}
