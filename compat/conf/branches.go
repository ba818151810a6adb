package conf

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// branches are the if-statements that are open, outermost first: whether their lines count.
//
// As in Squid only the innermost counts: the lines of an if that holds count even inside one that does not.
type branches []bool

func (b branches) open() bool { return len(b) > 0 }

// active reports whether a line here counts.
func (b branches) active() bool { return len(b) == 0 || b[len(b)-1] }

// parse obeys text if it is an if, else or endif; conditional is false if it is none. The error is
// Squid's wording.
func (b *branches) parse(text string) (conditional bool, err error) {
	if expression, ok := statement(text, "if"); ok {
		value, err := evaluate(expression)
		*b = append(*b, value || err != nil) // lines that may count are looked at
		return true, err
	}
	if _, ok := statement(text, "endif"); ok {
		if !b.open() {
			return true, errors.New("'endif' without 'if'")
		}
		*b = (*b)[:len(*b)-1]
		return true, nil
	}
	if _, ok := statement(text, "else"); ok {
		if !b.open() {
			return true, errors.New("'else' without 'if'")
		}
		last := len(*b) - 1
		(*b)[last] = !(*b)[last]
		return true, nil
	}
	return false, nil
}

// statement reports whether the first word of text is word, and what follows it.
func statement(text, word string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(text, word)
	if !ok || rest != "" && strings.IndexByte(isspace, rest[0]) < 0 {
		return "", false
	}
	return strings.TrimLeft(rest, isspace), true
}

// evaluate knows true, false, and the comparison of two numbers.
func evaluate(expression string) (bool, error) {
	switch expression {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	left, right, ok := strings.Cut(expression, "=")
	if !ok {
		return false, fmt.Errorf("Unable to evaluate expression '%s'", expression)
	}
	a, err := number(strings.TrimRight(left, isspace))
	if err != nil {
		return false, err
	}
	b, err := number(strings.TrimLeft(right, isspace))
	return a == b, err
}

// number reads decimal, octal (012) and hexadecimal (0x1f), as strtol(3) with base 0.
func number(text string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimLeft(text, isspace), 0, 64)
	if err != nil {
		return 0, fmt.Errorf("String is not a integer number: '%s'", text)
	}
	return n, nil
}
