package conf

import "strings"

// lex fills Tokens as the directive wants them. Lines of unknown directives have plain words.
func (l *Line) lex(quotedValues bool) error {
	l.dialect = dialectOf(quotedValues)
	words := Plain
	if l.Directive != nil {
		words = l.Directive.Words
	}
	x := lineLexer{lexer{rest: l.Rest, dialect: l.dialect}, l}
	switch words {
	case Strings:
		return x.all(l.dialect.quoted())
	case OneString:
		return x.one(l.dialect.quoted())
	case ToEnd:
		return x.toEnd()
	case NameToEnd:
		if err := x.one(l.dialect); err != nil {
			return err
		}
		return x.toEnd()
	case NameStrings:
		if err := x.one(l.dialect); err != nil {
			return err
		}
		if err := x.one(l.dialect.quoted()); err != nil {
			return err
		}
	case ACL:
		return x.acl()
	case AuthParam:
		return x.authParam()
	}
	return x.all(l.dialect)
}

// lineLexer lexes what follows a directive's name into the line's tokens.
type lineLexer struct {
	lexer
	line *Line
}

// add appends what next returned, if that is a word; more is false if it is not.
func (x *lineLexer) add(token Token, ok bool, err error) (more bool, _ error) {
	if err != nil || !ok {
		return false, err
	}
	token.end = uint32(len(x.line.Rest) - len(x.rest))
	x.line.Tokens = append(x.line.Tokens, token)
	return true, nil
}

// one lexes one word, if there is one.
func (x *lineLexer) one(d dialect) error {
	x.dialect = d
	_, err := x.add(x.next())
	return err
}

// all lexes words until there are no more.
func (x *lineLexer) all(d dialect) error {
	x.dialect = d
	for {
		if more, err := x.add(x.next()); !more {
			return err
		}
	}
}

// authParam lexes a line of auth_param.
func (x *lineLexer) authParam() error {
	for range 2 {
		if err := x.one(x.line.dialect); err != nil {
			return err
		}
	}
	if len(x.line.Tokens) < 2 {
		return nil
	}
	switch x.line.Tokens[1].Text {
	case "realm", "key_extras":
		return x.toEnd()
	case "program":
		return x.all(x.line.dialect.quoted())
	}
	return x.all(x.line.dialect)
}

// toEnd lexes the rest of the line as one word, whatever it holds; where quotes delimit strings, it
// may be a string.
func (x *lineLexer) toEnd() error {
	x.dialect = x.line.dialect
	x.rest = strings.TrimLeft(x.rest, space)
	if x.rest == "" || x.rest[0] == '#' || x.quotes && (x.rest[0] == '"' || x.rest[0] == '\'') {
		return x.one(x.dialect)
	}
	text := strings.TrimRight(x.rest, space)
	x.rest = ""
	_, err := x.add(Token{Text: text}, true, nil)
	return err
}

// acl lexes patterns from the third word on, when the acl type is one of patterns: a backslash
// keeps the blank behind it.
func (x *lineLexer) acl() error {
	d := x.line.dialect
	for range 2 {
		if err := x.one(d); err != nil {
			return err
		}
	}
	if tokens := x.line.Tokens; len(tokens) == 2 && takesPatterns(tokens[1].Text) {
		if d.quotes {
			return invalid("FATAL: Can not read regex expression while configuration_includes_quoted_values is enabled")
		}
		d = dialect{pattern: true}
	}
	return x.all(d)
}

// takesPatterns reports whether an acl type takes regular expressions.
func takesPatterns(aclType string) bool {
	switch aclType {
	case "browser", "req_mime_type", "rep_mime_type", "req_header", "rep_header", "urllogin":
		return true
	}
	return strings.HasSuffix(aclType, "_regex")
}
