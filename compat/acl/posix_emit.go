package acl

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// errUnsupported is something that regcomp(3) understands and Go's regexp, which never goes
// back, cannot follow. A filter must not drop such a pattern silently: the line is refused.
type errUnsupported string

func (e errUnsupported) Error() string { return string(e) + " is not supported" }

// goRegexp compiles a parsed pattern for texts in which every byte is a rune (see latin1ToUTF8).
func goRegexp(e *expression) (*regexp.Regexp, error) {
	var b strings.Builder
	if err := e.emit(&b); err != nil {
		return nil, err
	}
	compiled, err := regexp.Compile(b.String())
	if err != nil { // too large, or a repetition of more than a thousand
		return nil, errUnsupported("a repetition so large")
	}
	return compiled, nil
}

// emit writes e in the syntax of Go's regexp.
func (e *expression) emit(b *strings.Builder) error {
	switch e.op {
	case one:
		e.set.emit(b)
		return nil
	case sequence:
		return e.emitSequence(b)
	case choice:
		return e.emitChoice(b)
	case repeat:
		return e.emitRepeat(b)
	case textStart:
		b.WriteString(`\A`)
	case textEnd:
		b.WriteString(`\z`)
	case wordStart, wordEnd:
		return errUnsupported(`\< or \> beside what may be no part of a word`)
	case wordEdge:
		b.WriteString(`\b`)
	case notEdge:
		b.WriteString(`\B`)
	default:
		panic("BUG: expression without op")
	}
	return nil
}

// emitSequence writes parts one after another. Go's regexp has no \< and \>, but beside something
// that belongs to a word they mean the same as \b.
func (e *expression) emitSequence(b *strings.Builder) error {
	b.WriteString("(?:")
	for i, part := range e.parts {
		after := &expression{op: sequence, parts: e.parts[i+1:]}
		before := &expression{op: sequence, parts: e.parts[:i]}
		if part.op == wordStart && after.edge(false).word() || part.op == wordEnd && before.edge(true).word() {
			b.WriteString(`\b`)
			continue
		}
		if err := part.emit(b); err != nil {
			return err
		}
	}
	b.WriteString(")")
	return nil
}

func (e *expression) emitChoice(b *strings.Builder) error {
	b.WriteString("(?:")
	for i, part := range e.parts {
		if i > 0 {
			b.WriteByte('|')
		}
		if err := part.emit(b); err != nil {
			return err
		}
	}
	b.WriteString(")")
	return nil
}

func (e *expression) emitRepeat(b *strings.Builder) error {
	b.WriteString("(?:")
	if err := e.parts[0].emit(b); err != nil {
		return err
	}
	fmt.Fprintf(b, "){%d,", e.min)
	if e.max >= 0 {
		b.WriteString(strconv.Itoa(e.max))
	}
	b.WriteString("}")
	return nil
}

// emit writes a set of bytes as a class of runes.
func (s *byteSet) emit(b *strings.Builder) {
	if *s == (byteSet{}) {
		b.WriteString(`[^\x00-\x{10FFFF}]`)
		return
	}
	b.WriteByte('[')
	for c := 0; c < 256; c++ {
		if !s.has(byte(c)) {
			continue
		}
		first := c
		for c < 255 && s.has(byte(c+1)) {
			c++
		}
		fmt.Fprintf(b, `\x{%x}-\x{%x}`, first, c)
	}
	b.WriteByte(']')
}

// An edge is what an expression can begin or end with.
type edge struct {
	set   byteSet
	empty bool // it may match the empty text
}

// word reports whether it is a part of a word whatever it is.
func (e edge) word() bool { return !e.empty && e.set.within(&wordBytes) }

// edge is what e can begin with; what it can end with if last.
func (e *expression) edge(last bool) edge {
	switch e.op {
	case one:
		return edge{set: e.set}
	case choice:
		var sum edge
		for _, part := range e.parts {
			x := part.edge(last)
			sum.set.unite(&x.set)
			sum.empty = sum.empty || x.empty
		}
		return sum
	case repeat:
		x := e.parts[0].edge(last)
		x.empty = x.empty || e.min == 0
		return x
	case sequence:
		return e.edgeSequence(last)
	}
	return edge{empty: true}
}

func (e *expression) edgeSequence(last bool) edge {
	sum := edge{empty: true}
	for i := range e.parts {
		part := e.parts[i]
		if last {
			part = e.parts[len(e.parts)-1-i]
		}
		x := part.edge(last)
		sum.set.unite(&x.set)
		if sum.empty = x.empty; !sum.empty {
			break
		}
	}
	return sum
}

// latin1ToUTF8 makes every byte of text a rune, so that Go's regexp, which reads UTF-8, sees bytes as
// regcomp(3) does in the C locale.
func latin1ToUTF8(dst, text []byte) []byte {
	for _, c := range text {
		if c < 0x80 {
			dst = append(dst, c)
		} else {
			dst = append(dst, 0xc0|c>>6, 0x80|c&0x3f)
		}
	}
	return dst
}
