package conf

import "strings"

// Args walks over the words of a line, for a setter: Word gives them one by one, and a method for
// each of Squid's types of values reads one. Errors are Invalid; give them to Line.Bungle.
//
// The words are Line.Tokens, lexed when the line was read. Only the values of KeyValue are not
// words.
type Args struct {
	line  *Line
	words []Token // not read yet
	rest  string  // the text behind the last word read

	// Warnings are what Squid would have said about values that it took all the same.
	Warnings []string
}

// Args begins at the first word after the directive's name.
func (l *Line) Args() *Args { return &Args{line: l, words: l.Tokens, rest: l.Rest} }

// Word is the next word; ok is false at the end of the line.
func (a *Args) Word() (token Token, ok bool) {
	if len(a.words) == 0 {
		return Token{}, false
	}
	token, a.words = a.words[0], a.words[1:]
	a.rest = a.line.Rest[token.end:]
	return token, true
}

// Taken is how many words were read.
func (a *Args) Taken() int { return len(a.line.Tokens) - len(a.words) }

// String is the text of the next word, which has to be there.
func (a *Args) String() (string, error) {
	token, ok := a.Word()
	if !ok {
		return "", Invalid(nil)
	}
	return token.Text, nil
}

// peek is the text of the next word without reading it; empty at the end.
func (a *Args) peek() string {
	if len(a.words) == 0 {
		return ""
	}
	return a.words[0].Text
}

// KeyValue reads key=value; the value may be a quoted string, with blanks. Nothing but more of
// them can be read after it. ok is false at the end of the line. A missing value is an error, where
// Squid complains and forgets the rest of the line.
func (a *Args) KeyValue() (key, value string, ok bool, err error) {
	key, token, ok, err := a.Pair()
	return key, token.Text, ok, err
}

// Pair is KeyValue for who wants to know whether the value was quoted.
func (a *Args) Pair() (key string, value Token, ok bool, err error) {
	a.words = nil
	a.rest = strings.TrimLeft(a.rest, space)
	if a.rest == "" || a.rest[0] == '#' {
		return "", Token{}, false, nil
	}
	key, rest, found := strings.Cut(a.rest, "=")
	x := lexer{rest: rest, dialect: a.line.dialect.quoted()}
	value, ok, err = x.next()
	a.rest = x.rest
	if err != nil {
		return key, Token{}, false, err
	}
	if !found || !ok {
		return key, Token{}, false, invalid("Error while parsing key=value token. Value missing after: %s", key)
	}
	return key, value, true, nil
}

func (a *Args) warn(text string) { a.Warnings = append(a.Warnings, text) }
