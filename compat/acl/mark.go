package acl

import (
	"fmt"
	"strconv"
	"strings"

	"exaproxy/compat/conf"
)

// A Mark is a mark of the packet filter's, and which of its bits count (Squid's NfMarkConfig).
type Mark struct{ Mark, Mask uint32 }

// ParseMark reads MARK or MARK/MASK, in decimal, octal or hexadecimal digits.
func ParseMark(text string) (m Mark, err error) {
	mark, mask, masked := strings.Cut(text, "/")
	m.Mask = ^uint32(0)
	if m.Mark, err = parseMark(mark, text); err == nil && masked {
		m.Mask, err = parseMark(mask, text)
	}
	return m, err
}

func parseMark(digits, text string) (uint32, error) {
	n, err := strconv.ParseUint(digits, 0, 32)
	if err != nil {
		return 0, conf.Invalid{fmt.Sprintf("configuration error: NfMarkConfig: invalid value '%s' in '%s'", digits, text)}
	}
	return uint32(n), nil
}

// markTest is an acl of the type client_connection_mark: of the mark that the packet filter keeps with the client's connection.
// Where nobody knows that, nobody knows whether it matches.
type markTest struct {
	simple
	marks []Mark
}

func newMark() tester { return &markTest{} }

func (t *markTest) add(v *values) error {
	for _, item := range v.items {
		m, err := ParseMark(item.Text)
		if err != nil {
			return err
		}
		t.marks = append(t.marks, m)
	}
	return nil
}

func (t *markTest) empty() bool { return len(t.marks) == 0 }

func (t *markTest) match(p *Place) outcome {
	c := p.request.Connection
	if c == nil || !c.Mark.Known {
		return unknown
	}
	for _, m := range t.marks {
		if c.Mark.Mark&m.Mask == m.Mark {
			return match
		}
	}
	return mismatch
}
