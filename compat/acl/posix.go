package acl

import "strconv"

// A posixError is what regcomp(3) finds wrong with a pattern, in its words. Squid warns of it
// and goes on without the pattern.
type posixError string

func (e posixError) Error() string { return string(e) }

const (
	badRepeat   posixError = "Invalid preceding regular expression"
	badInterval posixError = `Invalid content of \{\}`
	openBrace   posixError = `Unmatched \{`
	openParen   posixError = `Unmatched ( or \(`
	openBracket posixError = "Unmatched [, [^, [:, [., or [="
	badRange    posixError = "Invalid range end"
	badClass    posixError = "Invalid character class name"
	badCollate  posixError = "Invalid collation character"
	badBackRef  posixError = "Invalid back reference"
	badEscape   posixError = "Trailing backslash"
	badPattern  posixError = "Invalid regular expression"
	tooBig      posixError = "Regular expression too big"
)

// An expression is a piece of a parsed pattern.
type expression struct {
	op       op
	set      byteSet       // one: the bytes that match
	parts    []*expression // sequence, choice, repeat
	min, max int           // repeat; max is -1 if there is none
}

type op uint8

const (
	one       op = iota // one byte of a set
	sequence            // its parts, one after another; the empty text if it has none
	choice              // one of its parts
	repeat              // its part, from min to max times
	textStart           // ^ and \`
	textEnd             // $ and \'
	wordStart           // \<
	wordEnd             // \>
	wordEdge            // \b
	notEdge             // \B
)

// byteSet is a set of bytes.
type byteSet [4]uint64

func (s *byteSet) add(c byte)      { s[c>>6] |= 1 << (c & 63) }
func (s *byteSet) has(c byte) bool { return s[c>>6]&(1<<(c&63)) != 0 }
func (s *byteSet) within(t *byteSet) bool {
	return s[0]&^t[0]|s[1]&^t[1]|s[2]&^t[2]|s[3]&^t[3] == 0
}

func (s *byteSet) unite(t *byteSet) {
	for i := range s {
		s[i] |= t[i]
	}
}

func (s *byteSet) invert() {
	for i := range s {
		s[i] = ^s[i]
	}
}

// setOf are the bytes for which f is true.
func setOf(f func(c byte) bool) (s byteSet) {
	for c := range 256 {
		if f(byte(c)) {
			s.add(byte(c))
		}
	}
	return s
}

// maxRepeat is RE_DUP_MAX.
const maxRepeat = 0x7fff

// posixParser reads a POSIX extended regular expression as regcomp(3) of the GNU C library does
// in the C locale, with its additions \w \W \s \S \b \B \< \> \` \'.
//
// With fold, as under REG_ICASE, pattern and text are compared in upper case. Of this follows
// what is odd about it: an escaped lower-case letter then matches nothing.
type posixParser struct {
	rest   string
	fold   bool
	groups int // closed so far, for back references
}

// parsePOSIX parses a whole pattern. Errors are posixErrors, or say what of a good pattern
// cannot be followed here.
func parsePOSIX(pattern string, fold bool) (*expression, error) {
	p := posixParser{rest: pattern, fold: fold}
	return p.alternatives(0)
}

func (p *posixParser) next() byte {
	if p.rest == "" {
		return 0
	}
	return p.rest[0]
}

// accept takes c if it comes next.
func (p *posixParser) accept(c byte) bool {
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// alternatives reads branches with | between them, within so many parentheses.
func (p *posixParser) alternatives(depth int) (*expression, error) {
	const deepest = 200 // of parentheses; Go's regexp allows 1000, counting more
	if depth > deepest {
		return nil, errUnsupported("more than " + strconv.Itoa(deepest) + " parentheses within one another")
	}
	e := &expression{op: choice}
	for {
		branch, err := p.branch(depth)
		if err != nil {
			return nil, err
		}
		e.parts = append(e.parts, branch)
		if !p.accept('|') {
			break
		}
	}
	if len(e.parts) == 1 {
		return e.parts[0], nil
	}
	return e, nil
}

func (p *posixParser) branch(depth int) (*expression, error) {
	e := &expression{op: sequence}
	for p.rest != "" && p.next() != '|' && (depth == 0 || p.next() != ')') {
		part, err := p.piece(depth)
		if err != nil {
			return nil, err
		}
		e.parts = append(e.parts, part)
	}
	if len(e.parts) == 1 {
		return e.parts[0], nil
	}
	return e, nil
}

// piece reads an atom and the repetitions behind it. An anchor takes none.
func (p *posixParser) piece(depth int) (*expression, error) {
	atom, err := p.atom(depth)
	if err != nil || atom.op >= textStart {
		return atom, err
	}
	for {
		low, high, ok, err := p.repetition()
		if err != nil || !ok {
			return atom, err
		}
		atom = &expression{op: repeat, parts: []*expression{atom}, min: low, max: high}
	}
}

func (p *posixParser) repetition() (low, high int, ok bool, err error) {
	switch {
	case p.accept('*'):
		return 0, -1, true, nil
	case p.accept('+'):
		return 1, -1, true, nil
	case p.accept('?'):
		return 0, 1, true, nil
	case p.accept('{'):
		low, high, err = p.interval()
		return low, high, true, err
	}
	return 0, 0, false, nil
}

func (p *posixParser) atom(depth int) (*expression, error) {
	c := p.rest[0]
	p.rest = p.rest[1:]
	switch c {
	case '*', '+', '?', '{':
		return nil, badRepeat
	case '(':
		return p.group(depth)
	case '[':
		return p.bracket()
	case '\\':
		return p.escape()
	case '^':
		return &expression{op: textStart}, nil
	case '$':
		return &expression{op: textEnd}, nil
	case '.':
		return &expression{set: setOf(func(c byte) bool { return c != 0 })}, nil
	}
	return p.oneOf(p.upper(c)), nil
}

func (p *posixParser) group(depth int) (*expression, error) {
	inner, err := p.alternatives(depth + 1)
	if err != nil {
		return nil, err
	}
	if !p.accept(')') {
		return nil, openParen
	}
	p.groups++
	if inner.op >= textStart { // so that it may be repeated
		inner = &expression{op: sequence, parts: []*expression{inner}}
	}
	return inner, nil
}

func (p *posixParser) upper(c byte) byte {
	if p.fold && letter(c) {
		return c &^ 0x20
	}
	return c
}

// oneOf is a byte as it stands in the pattern, in upper case with fold.
func (p *posixParser) oneOf(c byte) *expression {
	var s byteSet
	s.add(c)
	return &expression{set: p.folded(s)}
}

// folded are the bytes of a text of which the upper case is in s.
func (p *posixParser) folded(s byteSet) byteSet {
	if !p.fold {
		return s
	}
	return setOf(func(c byte) bool { u := p.upper(c); return s.has(u) })
}

var (
	wordBytes  = setOf(func(c byte) bool { return letter(c) || digit(c) || c == '_' })
	spaceBytes = setOf(isSpace)
)

func (p *posixParser) escape() (*expression, error) {
	if p.rest == "" {
		return nil, badEscape
	}
	c := p.rest[0]
	p.rest = p.rest[1:]
	switch c {
	case 'w', 'W':
		return classOf(wordBytes, c == 'W'), nil
	case 's', 'S':
		return classOf(spaceBytes, c == 'S'), nil
	case '`':
		return &expression{op: textStart}, nil
	case '\'':
		return &expression{op: textEnd}, nil
	case '<':
		return &expression{op: wordStart}, nil
	case '>':
		return &expression{op: wordEnd}, nil
	case 'b':
		return &expression{op: wordEdge}, nil
	case 'B':
		return &expression{op: notEdge}, nil
	case '1', '2', '3', '4', '5', '6', '7', '8', '9':
		if int(c-'0') > p.groups {
			return nil, badBackRef
		}
		return nil, errUnsupported(`the back reference \` + string(c))
	}
	return p.oneOf(c), nil
}

func classOf(s byteSet, inverted bool) *expression {
	if inverted {
		s.invert()
	}
	return &expression{set: s}
}

// interval reads what follows the brace of {2}, {2,}, {,3} or {2,3}.
func (p *posixParser) interval() (low, high int, err error) {
	low, err = p.number()
	if err != nil {
		return 0, 0, err
	}
	if low < 0 {
		if p.next() != ',' {
			return 0, 0, badInterval
		}
		low = 0
	}
	high = low
	if p.accept(',') {
		if high, err = p.number(); err != nil {
			return 0, 0, err
		}
	}
	switch {
	case !p.accept('}'), high >= 0 && low > high:
		return 0, 0, badInterval
	case low > maxRepeat, high > maxRepeat:
		return 0, 0, tooBig
	}
	return low, high, nil
}

// number reads the digits up to a comma or a closing brace; -1 if there are none.
func (p *posixParser) number() (n int, err error) {
	n = -1
	for i := 0; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == ',' || c == '}':
			p.rest = p.rest[i:]
			return n, err
		case !digit(c):
			err = badInterval
		default:
			n = min(max(n, 0)*10+int(c-'0'), maxRepeat+1)
		}
	}
	return 0, openBrace
}
