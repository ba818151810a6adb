package acl

import "strings"

// The literals of a pattern are texts in lower case of which every match contains one, in whatever
// case: the pattern need not be run on a text that contains none.

const maxLiterals = 32 // of one pattern; more would fill the index

// literals are the literals of e; nil if none are known.
func (e *expression) literals() []string {
	switch e.op {
	case one:
		if c, ok := e.set.letter(); ok {
			return []string{string(c)}
		}
	case repeat:
		if e.min > 0 {
			return e.parts[0].literals()
		}
	case choice:
		return e.choiceLiterals()
	case sequence:
		return e.sequenceLiterals()
	}
	return nil
}

// choiceLiterals are those of all parts together.
func (e *expression) choiceLiterals() (sum []string) {
	for _, part := range e.parts {
		found := part.literals()
		if found == nil || len(sum)+len(found) > maxLiterals {
			return nil
		}
		sum = append(sum, found...)
	}
	return sum
}

// sequenceLiterals are the best of any part; consecutive bytes make one literal.
func (e *expression) sequenceLiterals() (best []string) {
	var run []byte
	consider := func(found []string) {
		if selectivity(found) > selectivity(best) {
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
		consider(part.literals())
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

// commonParts stand in so many URLs that looking for them rules out few.
var commonParts = [...]string{"https://www.", "http://www.", ".com/", ".org/", ".net/", ".html", "index", "/images/"}

// selectivity is how many texts literals rule out, in no unit: as many as the worst of them, and
// more if they are few.
func selectivity(literals []string) int {
	if len(literals) == 0 {
		return 0
	}
	least := 1 << 20
	for _, n := range literals {
		least = min(least, selectivityOf(n))
	}
	if least == 0 {
		return 0
	}
	return least*maxLiterals - len(literals)
}

func selectivityOf(literal string) int {
	for _, f := range commonParts {
		if strings.Contains(f, literal) {
			return min(len(literal), 1)
		}
	}
	return len(literal)
}

// plain is a pattern without any choice: a text, perhaps at an end.
type plain struct {
	text       string // in lower case if fold
	fold       bool   // letters match in either case
	start, end bool   // only at the start, only at the end
}

// plain is e as a plain pattern; ok is false if it is none.
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
