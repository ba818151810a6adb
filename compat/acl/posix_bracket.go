package acl

import "strings"

// bracket reads a bracket expression from behind its [.
func (p *posixParser) bracket() (*expression, error) {
	var s byteSet
	inverted := p.accept('^')
	if p.rest == "" {
		return nil, badPattern
	}
	for first := true; ; first = false {
		if p.rest == "" {
			return nil, openBracket
		}
		if !first && p.accept(']') {
			break
		}
		if err := p.member(&s, first); err != nil {
			return nil, err
		}
	}
	if inverted {
		s.invert()
		s[0] &^= 1 // a text has no NUL
	}
	return &expression{set: p.folded(s)}, nil
}

// member reads an element or a range and puts its bytes into s.
func (p *posixParser) member(s *byteSet, first bool) error {
	start, err := p.element(first)
	if err != nil {
		return err
	}
	if start.class || !p.rangeFollows() {
		s.unite(&start.set)
		return nil
	}
	p.rest = p.rest[1:]
	end, err := p.element(true)
	if err != nil {
		return err
	}
	if end.class || end.c < start.c {
		return badRange
	}
	for c := int(start.c); c <= int(end.c); c++ {
		s.add(byte(c))
	}
	return nil
}

// rangeFollows distinguishes the hyphen of a range from one that ends the brackets.
func (p *posixParser) rangeFollows() bool {
	return strings.HasPrefix(p.rest, "-") && !strings.HasPrefix(p.rest, "-]") && !p.tripleHyphen()
}

// tripleHyphen reports whether --- comes next, which stands for one hyphen that is no range.
func (p *posixParser) tripleHyphen() bool { return strings.HasPrefix(p.rest, "---") }

// element is a byte, or a class of bytes, which can be no end of a range.
type element struct {
	set   byteSet
	c     byte
	class bool
}

func (p *posixParser) element(hyphen bool) (e element, err error) {
	switch {
	case p.rest == "":
		return e, openBracket
	case len(p.rest) > 1 && p.rest[0] == '[' && strings.IndexByte(".=:", p.rest[1]) >= 0:
		return p.named(p.rest[1])
	case p.tripleHyphen():
		p.rest = p.rest[2:]
	case p.rest[0] == '-' && !hyphen && !strings.HasPrefix(p.rest, "-]"):
		return e, badRange
	}
	e.c = p.upper(p.rest[0])
	e.set.add(e.c)
	p.rest = p.rest[1:]
	return e, nil
}

// named reads [:alpha:], [.x.] or [=x=].
func (p *posixParser) named(kind byte) (e element, err error) {
	const longest = 32 // BRACKET_NAME_BUF_SIZE of the GNU C library
	end := strings.Index(p.rest[2:], string(kind)+"]")
	if end < 0 || end >= longest {
		return e, openBracket
	}
	name := p.rest[2 : 2+end]
	p.rest = p.rest[2+end+2:]
	if kind == ':' {
		belongs, ok := classes[name]
		if !ok {
			return e, badClass
		}
		if p.fold && (name == "upper" || name == "lower") {
			belongs = letter
		}
		return element{set: setOf(belongs), class: true}, nil
	}
	if len(name) != 1 {
		return e, badCollate
	}
	e.c, e.class = p.upper(name[0]), kind == '='
	e.set.add(e.c)
	return e, nil
}

// classes are the character classes of the C locale.
var classes = map[string]func(c byte) bool{
	"alpha":  letter,
	"digit":  digit,
	"alnum":  func(c byte) bool { return letter(c) || digit(c) },
	"upper":  func(c byte) bool { return c-'A' < 26 },
	"lower":  func(c byte) bool { return c-'a' < 26 },
	"space":  isSpace,
	"blank":  func(c byte) bool { return c == ' ' || c == '\t' },
	"cntrl":  func(c byte) bool { return c < ' ' || c == 0x7f },
	"graph":  func(c byte) bool { return c-'!' < 94 },
	"print":  func(c byte) bool { return c-' ' < 95 },
	"punct":  func(c byte) bool { return c-'!' < 94 && !letter(c) && !digit(c) },
	"xdigit": func(c byte) bool { _, ok := hex(c); return ok },
}
