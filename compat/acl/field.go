package acl

import (
	"fmt"
	"strings"

	"exaproxy/compat/conf"
)

// fieldTest is an acl of the type req_header or rep_header: patterns for a field of the request or the reply, which is
// named before them.
type fieldTest struct {
	textPatterns
	name  string
	reply bool
}

func newRequestField() tester { return &fieldTest{} }

func (t *fieldTest) add(v *values) error {
	if len(v.items) == 0 {
		v.warn("ERROR: "+lineContext(v.line), "ERROR: Missing header name in ACL")
		return nil
	}
	name := v.items[0].Text
	switch differs := t.name != "" && !strings.EqualFold(name, t.name); {
	case differs && v.set.Version >= conf.Squid6:
		return fmt.Errorf("ERROR: acl '%s' is about the field %s, and cannot be about %s too", v.acl, t.name, name)
	case differs:
		v.warn("ERROR: "+lineContext(v.line),
			fmt.Sprintf("ERROR: ACL cannot match both %s and %s headers. Use 'anyof' ACL instead.", t.name, name))
		return nil
	}
	t.name = name
	v.items = v.items[1:]
	return t.textPatterns.add(v)
}

func (t *fieldTest) slow() bool { return false }

// match looks at all fields of the name as one list (RFC 9110 section 5.2).
func (t *fieldTest) match(p *Place) outcome {
	p.text = p.text[:0]
	found := false
	header := &p.request.Header
	if t.reply {
		if p.request.Reply == nil {
			return mismatch
		}
		header = &p.request.Reply.Header
	}
	header.All(t.name, func(value []byte) bool {
		if found {
			p.text = append(p.text, ", "...)
		}
		found = true
		p.text = append(p.text, value...)
		return true
	})
	return outcomeOf(found && t.has(p.text, p))
}
