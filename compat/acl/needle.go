package acl

import "strings"

// A needle is a text in lower case that some part of every match of a pattern is, in whatever
// case. Texts without any needle of a pattern need not be shown to the pattern.

const mostNeedles = 32 // of one pattern; more would fill the index

// needles are such that every match of e has one of them; none are known if it returns nil.
func (e *expression) needles() []string {
	switch e.op {
	case one:
		if c, ok := e.set.letter(); ok {
			return []string{string(c)}
		}
	case repeat:
		if e.min > 0 {
			return e.parts[0].needles()
		}
	case choice:
		return e.choiceNeedles()
	case sequence:
		return e.sequenceNeedles()
	}
	return nil
}

// choiceNeedles are those of all parts together.
func (e *expression) choiceNeedles() (sum []string) {
	for _, part := range e.parts {
		found := part.needles()
		if found == nil || len(sum)+len(found) > mostNeedles {
			return nil
		}
		sum = append(sum, found...)
	}
	return sum
}

// sequenceNeedles are the best of any part; bytes in a row make one needle.
func (e *expression) sequenceNeedles() (best []string) {
	var run []byte
	consider := func(found []string) {
		if worth(found) > worth(best) {
			best = found
		}
	}
	for _, part := range e.parts {
		if c, ok := part.set.letter(); ok && part.op == one {
			run = append(run, c)
			continue
		}
		consider([]string{string(run)})
		run = run[:0]
		consider(part.needles())
	}
	consider([]string{string(run)})
	return best
}

// letter is the byte that all of s are in lower case, if there is such a one.
func (s *byteSet) letter() (byte, bool) {
	found, ok := byte(0), false
	for c := range 256 {
		if !s.has(byte(c)) {
			continue
		}
		if ok && lower(byte(c)) != found {
			return 0, false
		}
		found, ok = lower(byte(c)), true
	}
	return found, ok
}

// frequent are parts that most URLs have, so that they tell little.
var frequent = [...]string{"https://www.", "http://www.", ".com/", ".org/", ".net/", ".html", "index", "/images/"}

// worth is how well needles tell texts apart: as well as the worst of them, and better if few.
func worth(needles []string) int {
	if len(needles) == 0 {
		return 0
	}
	least := 1 << 20
	for _, n := range needles {
		least = min(least, worthOf(n))
	}
	if least == 0 {
		return 0
	}
	return least*mostNeedles - len(needles)
}

func worthOf(needle string) int {
	for _, f := range frequent {
		if strings.Contains(f, needle) {
			return min(len(needle), 1)
		}
	}
	return len(needle)
}

// plain is a pattern without any choice: a text, perhaps at an end.
type plain struct {
	text       string // in lower case if fold
	fold       bool   // letters match in either case
	start, end bool   // only at the start, only at the end
}

// plain takes e for one.
func (e *expression) plain() (t plain, ok bool) {
	parts := e.parts
	if e.op == one {
		parts = []*expression{e}
	} else if e.op != sequence {
		return t, false
	}
	if len(parts) > 0 && parts[0].op == textStart {
		t.start, parts = true, parts[1:]
	}
	if n := len(parts) - 1; n >= 0 && parts[n].op == textEnd {
		t.end, parts = true, parts[:n]
	}
	text, letters, folded := make([]byte, 0, len(parts)), 0, 0
	for _, part := range parts {
		c, single := part.set.letter()
		if part.op != one || !single {
			return t, false
		}
		if letter(c) {
			letters++
		}
		if !part.set.has(c) { // only the capital
			c -= 'a' - 'A'
		} else if letter(c) && part.set.has(c-('a'-'A')) {
			folded++
		}
		text = append(text, c)
	}
	t.text, t.fold = string(text), folded > 0
	return t, folded == 0 || folded == letters
}

// at reports whether the text stands at a place where it may, of the right case. That it stands
// there in some case is known.
func (t *plain) at(text []byte, place int) bool {
	end := place + len(t.text)
	return (t.fold || string(text[place:end]) == t.text) && (!t.start || place == 0) && (!t.end || end == len(text))
}

// match looks for it anywhere.
func (t *plain) match(text []byte) bool {
	first, last := 0, len(text)-len(t.text)
	if t.start {
		last = min(last, 0)
	}
	if t.end {
		first = max(first, last)
		if t.start && len(text) != len(t.text) {
			return false
		}
	}
	for i := first; i <= last; i++ {
		part := text[i : i+len(t.text)]
		if t.fold && equalFold(t.text, part) || !t.fold && string(part) == t.text {
			return true
		}
	}
	return false
}
