package conf

import (
	"fmt"
	"strings"
)

// dialect is how a line is split into words. Squid changes it with
// configuration_includes_quoted_values, and some directives choose their own.
type dialect struct {
	quotes  bool // "…" and '…' are strings, parameters("…") is a file
	strict  bool // other words may hold only harmless characters
	pattern bool // a backslash keeps the blank that follows it in the word
}

// dialectOf is the dialect in force between configuration_includes_quoted_values on and off.
func dialectOf(quotedValues bool) dialect {
	return dialect{quotes: quotedValues, strict: quotedValues}
}

// quoted is d for directives whose values may be quoted strings whatever
// configuration_includes_quoted_values says.
func (d dialect) quoted() dialect { return dialect{quotes: true, strict: d.strict} }

// space separates words. It is narrower than C's isspace on purpose.
const space = " \t\n\r"

// maxNesting is how deep includes, and parameters() files, may go.
const maxNesting = 16

// lexer reads words from the front of rest. A # where a word could begin ends the line.
type lexer struct {
	rest string
	dialect
}

// next returns the next word; ok is false at the end of the line.
func (x *lexer) next() (token Token, ok bool, err error) {
	x.rest = strings.TrimLeft(x.rest, space)
	if x.rest == "" || x.rest[0] == '#' {
		return Token{}, false, nil
	}
	if x.quotes && (x.rest[0] == '"' || x.rest[0] == '\'') {
		text, err := x.unquote()
		return Token{Text: text, Quoted: true}, err == nil, err
	}
	word := x.rest[:x.wordEnd()]
	if x.quotes && len(word) < len(x.rest) && x.rest[len(word)] == '(' {
		return x.function(word)
	}
	if err := x.check(word); err != nil {
		return Token{}, false, err
	}
	x.rest = x.rest[len(word):]
	return Token{Text: word}, true, nil
}

// wordEnd is the length of the unquoted word at the front of rest, which is not blank.
func (x *lexer) wordEnd() int {
	stops := space
	if x.quotes && x.rest[0] != '(' {
		stops += "("
	}
	for i := 0; i < len(x.rest); i++ {
		if strings.IndexByte(stops, x.rest[i]) >= 0 {
			return i
		}
		if x.pattern && x.rest[i] == '\\' {
			i++
		}
	}
	return len(x.rest)
}

// check holds word against the dialect.
func (x *lexer) check(word string) error {
	if x.pattern && strings.HasSuffix(word, `\`) && !evenBackslashes(word) {
		return invalid(`FATAL: Unescaped '\' character in regex pattern: %s`, x.rest)
	}
	if !x.strict {
		return nil
	}
	digits := strings.TrimSuffix(word, "%")
	percent := digits != word && strings.Trim(digits, "0123456789") == ""
	for i := 0; i < len(word); i++ {
		c := word[i]
		if alphanumeric(c) || strings.IndexByte(".,()-=_/:+", c) >= 0 || percent && c == '%' {
			continue
		}
		return invalid("FATAL: Not alphanumeric character '%c' in unquoted token %s", c, x.rest)
	}
	return nil
}

// evenBackslashes reports whether the backslashes that end word escape one another.
func evenBackslashes(word string) bool {
	return (len(word)-len(strings.TrimRight(word, `\`)))%2 == 0
}

// unquote reads the quoted string at the front of rest.
func (x *lexer) unquote() (string, error) {
	quote := x.rest[0]
	var b strings.Builder
	for i := 1; i < len(x.rest); i++ {
		c := x.rest[i]
		if c == quote {
			return b.String(), x.closeQuote(i + 1)
		}
		if c == '\\' {
			if i++; i == len(x.rest) {
				return "", invalid(`FATAL: Unterminated escape sequence: \`)
			}
			if c = unescape(x.rest[i]); c == 0 {
				return "", invalid("FATAL: Unsupported escape sequence: %s", x.rest[i:])
			}
		}
		b.WriteByte(c)
	}
	last := x.rest[len(x.rest)-1:]
	return "", invalid("FATAL: missing quote char at the end of quoted string: %s", last)
}

// closeQuote moves rest to at, which is right behind a quoted string.
func (x *lexer) closeQuote(at int) error {
	if at < len(x.rest) && strings.IndexByte(space+"()#", x.rest[at]) < 0 {
		return invalid("FATAL: Expecting space after the end of quoted token: %s", x.rest)
	}
	x.rest = x.rest[at:]
	return nil
}

// unescape is what a backslash makes of c; 0 if it may not stand before it.
func unescape(c byte) byte {
	switch c {
	case 'r':
		return '\r'
	case 'n':
		return '\n'
	case 't':
		return '\t'
	}
	if alphanumeric(c) {
		return 0
	}
	return c
}

// function reads name("argument") from the front of rest. The only function is parameters.
func (x *lexer) function(name string) (Token, bool, error) {
	if !strings.HasPrefix("parameters", name) { // Squid accepts an abbreviated name too
		return Token{}, false, invalid("FATAL: Unknown cfg function: %s", x.rest)
	}
	x.rest = x.rest[len(name)+1:]
	path, ok, err := x.next()
	if err != nil {
		return Token{}, false, err
	}
	if !ok || !path.Quoted {
		return Token{}, false, invalid("FATAL: Quoted filename missing: %s", name)
	}
	end, ok, err := x.next()
	if err != nil {
		return Token{}, false, err
	}
	if !ok || end.Quoted || end.Text != ")" {
		return Token{}, false, Invalid{fmt.Sprintf("FATAL: missing ')' after %s(%q", name, path.Text)}
	}
	return Token{Text: path.Text, File: true}, true, nil
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
