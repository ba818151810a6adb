package acl

import (
	"errors"
	"fmt"
	"strings"

	"exaproxy/compat/conf"
)

// textPatterns are the values of an acl type that takes regular expressions.
type textPatterns struct{ patterns }

const longestPattern = 8191 // BUFSIZ-1

// add adds patterns, and the flags -i and +i between them, each for those behind it. A pattern
// that regcomp(3) would refuse is left out with a warning, as in Squid.
func (x *textPatterns) add(v *values) error {
	fold := false
	wildcards := limitedWarnings{summary: "WARNING: %d more regular expressions have unnecessary wildcards"}
	for _, item := range v.items {
		switch item.Text {
		case "-i", "+i":
			fold = item.Text == "-i"
			continue
		}
		text := withoutWildcards(item, v.line, &wildcards)
		if len(text) > longestPattern {
			v.warn(context(item, v.line), fmt.Sprintf("ERROR: Skipping regular expression. Larger than %d characters: '%s'", longestPattern, text))
			continue
		}
		if err := x.addPattern(text, fold, item, v); err != nil {
			return err
		}
	}
	v.warn(wildcards.lines()...)
	return nil
}

// addPattern adds one pattern, or warns why not.
func (x *textPatterns) addPattern(text string, fold bool, item conf.Item, v *values) error {
	err := x.patterns.add(text, fold)
	var wrong posixError
	switch {
	case errors.As(err, &wrong):
		v.warn(context(item, v.line),
			fmt.Sprintf("ERROR: invalid regular expression: '%s': %s", text, wrong),
			fmt.Sprintf("ERROR: Skipping regular expression. Compile failed: '%s'", text))
		return nil
	case err != nil:
		return fmt.Errorf("ERROR: regular expression '%s' (%s): %w", text, item.Pos.Chain(), err)
	}
	return nil
}

// context is the line that Squid prints before what it has against a value.
func context(item conf.Item, line *conf.Line) string {
	if item.Pos == line.Pos {
		return lineContext(line)
	}
	return fmt.Sprintf("%s line %d: %s", item.Pos.File, item.Pos.Line, item.Text)
}

func lineContext(line *conf.Line) string {
	return fmt.Sprintf("%s line %d: %s", line.Pos.File, line.Pos.Line, line.Input)
}

// withoutWildcards cuts off a beginning that matches everything, with a warning.
func withoutWildcards(item conf.Item, line *conf.Line, warnings *limitedWarnings) string {
	text := item.Text
	if text == ".*" {
		return text
	}
	text = strings.TrimPrefix(text, "^.*")
	for strings.HasPrefix(text, ".*") {
		text = text[2:]
	}
	switch {
	case text == "" && item.Text != "":
		warnings.add(context(item, line),
			fmt.Sprintf("WARNING: regular expression '%s' has only wildcards and matches all strings. Using '.*' instead.", item.Text))
		return ".*"
	case text != item.Text:
		warnings.add(context(item, line),
			fmt.Sprintf("WARNING: regular expression '%s' has unnecessary wildcard(s). Using '%s' instead.", item.Text, text))
	}
	return text
}

func (x *textPatterns) finish(string) []string {
	x.patterns.finish()
	return nil
}

func (x *textPatterns) empty() bool { return len(x.list) == 0 }

func (x *textPatterns) has(text []byte, p *Place) bool { return x.patterns.match(text, p) }

// textTest is an acl of patterns for some text of the request.
type textTest struct {
	textPatterns
	of func(p *Place) (text []byte, ok bool) // ok is false if the request has no such text
}

func newURL() tester {
	return &textTest{of: func(p *Place) ([]byte, bool) { return p.unescapedURL(), true }}
}

func newPath() tester {
	return &textTest{of: func(p *Place) ([]byte, bool) { return p.path(), len(p.target.Path) > 0 }}
}

// newURLLogin makes the type of the user and password in a URL.
func newURLLogin() tester {
	return &textTest{of: func(p *Place) ([]byte, bool) {
		p.text = unescape(append(p.text[:0], p.target.Userinfo...))
		return p.text, len(p.target.Userinfo) > 0
	}}
}

// newField makes the type of a named field of the request, of which the first counts.
func newField(name string) func() tester {
	return func() tester {
		return &textTest{of: func(p *Place) ([]byte, bool) {
			value := p.request.Header.Get(name)
			return value, value != nil
		}}
	}
}

func (t *textTest) slow() bool { return false }

func (t *textTest) match(p *Place) outcome {
	text, ok := t.of(p)
	return outcomeOf(ok && t.has(text, p))
}
