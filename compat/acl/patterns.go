package acl

import "regexp"

// patterns is a list of regular expressions; a text matches if any of them does.
//
// Patterns that are plain texts are compared, not run. Of most others some part is known (see
// needle); an index of these parts tells which few of a thousand patterns a text must be shown.
type patterns struct {
	list   []pattern
	index  grams
	always []int // places in list of those that no needle stands for

	needles [][]string // of each in list; gone after finish
}

// A pattern is one regular expression: compiled, or plain if re is nil.
type pattern struct {
	plain plain
	re    *regexp.Regexp
}

// add takes a pattern. See parsePOSIX for the errors.
func (x *patterns) add(text string, fold bool) error {
	e, err := parsePOSIX(text, fold)
	if err != nil {
		return err
	}
	var made pattern
	needles := e.needles()
	if t, ok := e.plain(); ok {
		made.plain = t
		needles = []string{string(lowered(t.text))}
	} else if made.re, err = goRegexp(e); err != nil {
		return err
	}
	x.list = append(x.list, made)
	x.needles = append(x.needles, needles)
	return nil
}

func lowered(text string) []byte {
	out := []byte(text)
	for i := range out {
		out[i] = lower(out[i])
	}
	return out
}

// finish makes the list ready for match.
func (x *patterns) finish() {
	for i, needles := range x.needles {
		if worth(needles) == 0 || !x.index.take(needles) {
			x.always = append(x.always, i)
			continue
		}
		for _, needle := range needles {
			x.index.add(needle, i)
		}
	}
	x.needles = nil
	x.index.finish()
}

// match looks for any of the patterns in text.
func (x *patterns) match(text []byte, p *Place) bool {
	t := trial{patterns: x, text: text, place: p}
	for _, i := range x.always {
		if t.run(i) {
			return true
		}
	}
	return len(x.index.heads) > 0 && t.search()
}

// A trial is one text that is shown to patterns.
type trial struct {
	*patterns
	text  []byte
	place *Place
	wide  []byte // text as regexps want it, once one has been run
	begun bool   // place.shown says which regexps were run
}

// search walks over the text and tries the patterns for which a needle stands there.
func (t *trial) search() bool {
	gram := uint32(0)
	for i, c := range t.text {
		gram = (gram<<8 | uint32(lower(c))) & gramMask
		if i < gramSize-1 {
			continue
		}
		for at := t.index.head(gram); at != 0; {
			entry := &t.index.entries[at]
			if entry.gram == gram && t.try(entry, i-(gramSize-1)-entry.offset) {
				return true
			}
			at = entry.next
		}
	}
	return false
}

// try shows the text to a pattern if its needle stands at start.
func (t *trial) try(entry *gramEntry, start int) bool {
	end := start + len(entry.needle)
	if start < 0 || end > len(t.text) || !equalFold(entry.needle, t.text[start:end]) {
		return false
	}
	made := &t.list[entry.pattern]
	if made.re == nil {
		return made.plain.at(t.text, start)
	}
	return t.first(entry.pattern) && t.run(entry.pattern)
}

// first reports whether a pattern has not been run on this text yet.
func (t *trial) first(pattern int) bool {
	if !t.begun {
		t.begun = true
		t.place.shown = zeroed(t.place.shown, (len(t.list)+63)/64)
	}
	word, bit := pattern/64, uint64(1)<<(pattern%64)
	seen := t.place.shown[word]&bit != 0
	t.place.shown[word] |= bit
	return !seen
}

// zeroed is a slice of n zeros, in the memory of s if there is enough.
func zeroed(s []uint64, n int) []uint64 {
	if cap(s) < n {
		return make([]uint64, n)
	}
	s = s[:n]
	clear(s)
	return s
}

// run shows the text to one pattern.
func (t *trial) run(i int) bool {
	made := &t.list[i]
	if made.re == nil {
		return made.plain.match(t.text)
	}
	if t.wide == nil {
		t.wide = t.text
		if !ascii(t.text) {
			t.place.wide = widen(t.place.wide[:0], t.text)
			t.wide = t.place.wide
		}
	}
	return made.re.Match(t.wide)
}

func ascii(text []byte) bool {
	for _, c := range text {
		if c >= 0x80 {
			return false
		}
	}
	return true
}
