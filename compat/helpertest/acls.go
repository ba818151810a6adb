package helpertest

import (
	"errors"
	"fmt"
	"strings"

	"exaproxy/compat/acl"
	"exaproxy/compat/answer"
	"exaproxy/compat/external"
	"exaproxy/engine"
)

// External makes the Talk of an external_acl_type. acls are those of that type, of which a line is made for a request of a log.
func External(t *external.Type, acls []acl.ExternalACL) func(engine.Services) Talk {
	return func(engine.Services) Talk { return &decider{t, acls} }
}

// A decider is that Talk.
type decider struct {
	kind *external.Type
	acls []acl.ExternalACL
}

// Question takes a line as the helper gets it.
func (t *decider) Question(line string) (Question, error) {
	if strings.TrimSpace(line) == "" {
		return nil, errors.New("the line is empty")
	}
	return &decided{[]byte(line), "the acl"}, nil
}

// OfRequest makes the line for the first acl of the type.
func (t *decider) OfRequest(r *engine.Request) (Question, error) {
	if len(t.acls) == 0 {
		return nil, fmt.Errorf("there is no acl of the type external %s: nobody is asked", t.kind.Name)
	}
	a := &t.acls[0]
	return &decided{t.kind.Question(a, r), "acl " + a.Name}, nil
}

// Probes are none: every value comes escaped.
func (t *decider) Probes() []Probe { return nil }

// decided is a question whether an acl matches.
type decided struct {
	line []byte
	acl  string
}

func (q *decided) Line() []byte { return q.line }

// Means judges as the proxy does.
func (q *decided) Means(line []byte, err error) Meaning {
	outcome, complaint := external.Judge(line, err)
	m := Meaning{Does: q.acl + " does not match"}
	switch outcome {
	case acl.Allow:
		m.Does = q.acl + " matches"
	case acl.Unknown:
		m.Does = "nobody knows whether " + q.acl + " matches: what depends on it is refused"
	}
	m.judge(q.line, line, err, complaint)
	return m
}

// pairs are what an answer says beside OK or ERR.
func pairs(line []byte) (s string) {
	a := answer.Parse(line)
	a.Each(func(key, value []byte) {
		if string(key) != "ha1" {
			s += fmt.Sprintf(", %s=%s", key, Printable(value, shown))
		}
	})
	return s
}
