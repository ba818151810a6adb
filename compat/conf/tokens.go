package conf

import "strings"

// dialectOf is the dialect in force between configuration_includes_quoted_values on and off.
func dialectOf(quotedValues bool) dialect {
	return dialect{quotes: quotedValues, strict: quotedValues}
}

// tokenise fills Tokens as the directive wants them. Unknown names have plain words.
func (l *Line) tokenise(quotedValues bool) error {
	l.dialect = dialectOf(quotedValues)
	words := Plain
	if d, ok := Lookup(l.Name); ok {
		words = d.Words
	}
	args := l.Args()
	switch words {
	case Strings:
		return l.take(args.QuotedWord)
	case OneString:
		return l.takeOne(args.QuotedWord)
	case ToEnd:
		return l.takeOne(args.ToEnd)
	case NameToEnd:
		if err := l.takeOne(args.Word); err != nil || len(l.Tokens) == 0 {
			return err
		}
		return l.takeOne(args.ToEnd)
	case NameStrings:
		if err := l.takeOne(args.Word); err != nil || len(l.Tokens) == 0 {
			return err
		}
		if err := l.takeOne(args.QuotedWord); err != nil {
			return err
		}
		return l.take(args.Word)
	case ACL:
		return l.tokeniseACL(args)
	}
	return l.take(args.Word)
}

// tokeniseACL reads patterns from the third word on, when the acl type is one of patterns.
func (l *Line) tokeniseACL(args *Args) error {
	for range 2 {
		if err := l.takeOne(args.Word); err != nil {
			return err
		}
	}
	if len(l.Tokens) == 2 && patterns(l.Tokens[1].Text) {
		return l.take(args.Pattern)
	}
	return l.take(args.Word)
}

// patterns reports whether an acl type takes regular expressions.
func patterns(aclType string) bool {
	switch aclType {
	case "browser", "req_mime_type", "rep_mime_type", "req_header", "rep_header", "urllogin":
		return true
	}
	return strings.HasSuffix(aclType, "_regex")
}

// take appends words until there are no more.
func (l *Line) take(next func() (Token, bool, error)) error {
	for {
		token, ok, err := next()
		if err != nil || !ok {
			return err
		}
		l.Tokens = append(l.Tokens, token)
	}
}

// takeOne appends one word, if there is one.
func (l *Line) takeOne(next func() (Token, bool, error)) error {
	token, ok, err := next()
	if ok && err == nil {
		l.Tokens = append(l.Tokens, token)
	}
	return err
}
