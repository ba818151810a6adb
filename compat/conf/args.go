package conf

import "strings"

// Args walks over what follows a directive's name, word by word, for a setter. The readers of
// typed values are methods too. Errors are Invalid; give them to Line.Bungle.
type Args struct {
	lexer
	line *Line

	// Warnings are what Squid would have said about values that it took all the same.
	Warnings []string
}

// Args begins at the first word after the directive's name.
func (l *Line) Args() *Args {
	return &Args{lexer: lexer{rest: l.Rest, dialect: l.dialect}, line: l}
}

// Word is the next word.
func (a *Args) Word() (Token, bool, error) { return a.next() }

// QuotedWord is the next word, in which quotes delimit a string whatever
// configuration_includes_quoted_values says.
func (a *Args) QuotedWord() (Token, bool, error) {
	return a.with(dialect{quotes: true, strict: a.strict})
}

// Pattern is the next word as a regular expression: a backslash keeps the blank behind it.
func (a *Args) Pattern() (Token, bool, error) {
	if a.quotes {
		return Token{}, false, invalid("FATAL: Can not read regex expression while configuration_includes_quoted_values is enabled")
	}
	return a.with(dialect{pattern: true})
}

func (a *Args) with(d dialect) (Token, bool, error) {
	saved := a.dialect
	a.dialect = d
	defer func() { a.dialect = saved }()
	return a.next()
}

// ToEnd is the rest of the line, whatever it holds; a quoted string if quotes are recognised.
func (a *Args) ToEnd() (Token, bool, error) {
	a.rest = strings.TrimLeft(a.rest, space)
	if a.rest == "" || a.rest[0] == '#' || a.quotes && (a.rest[0] == '"' || a.rest[0] == '\'') {
		return a.next()
	}
	token := Token{Text: strings.TrimRight(a.rest, space)}
	a.rest = ""
	return token, true, nil
}

// Peek is the next word without taking it; empty at the end or where there is no good word.
func (a *Args) Peek() string {
	saved := a.rest
	token, ok, err := a.next()
	a.rest = saved
	if !ok || err != nil {
		return ""
	}
	return token.Text
}

// KeyValue takes key=value; the value may be a quoted string. ok is false at the end of the line.
// A missing value is an error, where Squid complains and forgets the rest of the line.
func (a *Args) KeyValue() (key, value string, ok bool, err error) {
	a.rest = strings.TrimLeft(a.rest, space)
	if a.rest == "" || a.rest[0] == '#' {
		return "", "", false, nil
	}
	key, rest, found := strings.Cut(a.rest, "=")
	a.rest = rest
	token, ok, err := a.QuotedWord()
	if err != nil {
		return key, "", false, err
	}
	if !found || !ok {
		return key, "", false, invalid("Error while parsing key=value token. Value missing after: %s", key)
	}
	return key, token.Text, true, nil
}

// text is the next word, which has to be there.
func (a *Args) text() (string, error) {
	token, ok, err := a.Word()
	if err == nil && !ok {
		err = Invalid(nil)
	}
	return token.Text, err
}

// String takes a word as it is.
func (a *Args) String() (string, error) { return a.text() }

func (a *Args) warn(text string) { a.Warnings = append(a.Warnings, text) }
