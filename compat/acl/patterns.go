package acl

import "regexp"

// patterns is a list of regular expressions; a text matches if any of them does.
//
// Patterns that are plain texts are compared, not run. Of most others some literals are known
// (expression.literals); an index of these finds the few of a thousand patterns that have to be run.
type patterns struct {
	list      []pattern
	index     trigramIndex
	unindexed []int // places in list of those without literals

	literals [][]string // of each in list; gone after finish
}

// A pattern is one regular expression: compiled, or plain if re is nil.
type pattern struct {
	plain plain
	re    *regexp.Regexp
}

// add adds a pattern. See parsePOSIX for the errors.
func (x *patterns) add(text string, fold bool) error {
	e, err := parsePOSIX(text, fold)
	if err != nil {
		return err
	}
	var p pattern
	literals := e.literals()
	if t, ok := e.plain(); ok {
		p.plain = t
		literals = []string{string(lowered(t.text))}
	} else if p.re, err = goRegexp(e); err != nil {
		return err
	}
	x.list = append(x.list, p)
	x.literals = append(x.literals, literals)
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
	for i, literals := range x.literals {
		if selectivity(literals) == 0 || !x.index.covers(literals) {
			x.unindexed = append(x.unindexed, i)
			continue
		}
		for _, literal := range literals {
			x.index.add(literal, i)
		}
	}
	x.literals = nil
	x.index.finish()
}

// match looks for any of the patterns in text.
func (x *patterns) match(text []byte, p *Place) bool {
	m := matcher{patterns: x, text: text, place: p}
	for _, i := range x.unindexed {
		if m.run(i) {
			return true
		}
	}
	return len(x.index.heads) > 0 && m.search()
}

// A matcher tries patterns on one text.
type matcher struct {
	*patterns
	text  []byte
	place *Place
	utf8  []byte // text as regexps want it, once one has been run
	begun bool   // place.tried says which regexps were run
}

// search walks over the text and tries the patterns whose literals stand in it.
func (m *matcher) search() bool {
	trigram := uint32(0)
	for i, c := range m.text {
		trigram = (trigram<<8 | uint32(lower(c))) & trigramMask
		if i < trigramSize-1 {
			continue
		}
		for at := m.index.head(trigram); at != 0; {
			entry := &m.index.entries[at]
			if entry.trigram == trigram && m.try(entry, i-(trigramSize-1)-entry.offset) {
				return true
			}
			at = entry.next
		}
	}
	return false
}

// try tries a pattern if its literal stands at start.
func (m *matcher) try(entry *trigramEntry, start int) bool {
	end := start + len(entry.literal)
	if start < 0 || end > len(m.text) || !equalFold(entry.literal, m.text[start:end]) {
		return false
	}
	p := &m.list[entry.pattern]
	if p.re == nil {
		return p.plain.at(m.text, start)
	}
	return m.firstTry(entry.pattern) && m.run(entry.pattern)
}

// firstTry reports whether a pattern has not been run on this text yet.
func (m *matcher) firstTry(pattern int) bool {
	if !m.begun {
		m.begun = true
		m.place.tried = zeroed(m.place.tried, (len(m.list)+63)/64)
	}
	word, bit := pattern/64, uint64(1)<<(pattern%64)
	seen := m.place.tried[word]&bit != 0
	m.place.tried[word] |= bit
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

// run tries one pattern.
func (m *matcher) run(i int) bool {
	p := &m.list[i]
	if p.re == nil {
		return p.plain.match(m.text)
	}
	if m.utf8 == nil {
		m.utf8 = m.text
		if !ascii(m.text) {
			m.place.utf8 = latin1ToUTF8(m.place.utf8[:0], m.text)
			m.utf8 = m.place.utf8
		}
	}
	return p.re.Match(m.utf8)
}

func ascii(text []byte) bool {
	for _, c := range text {
		if c >= 0x80 {
			return false
		}
	}
	return true
}
