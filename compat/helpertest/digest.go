package helpertest

import (
	"errors"
	"strings"

	"exaproxy/compat/auth"
	"exaproxy/engine"
)

// DigestUsers makes the Talk of an auth_param digest program.
func DigestUsers(engine.Services) Talk { return digester{} }

// A digester is that Talk.
type digester struct{}

// isDigestLine says whether a line has a user and a realm, each in quotation marks.
func isDigestLine(line string) bool {
	rest, found := strings.CutPrefix(line, `"`)
	user, realm, ok := strings.Cut(rest, `":"`)
	return found && ok && user != "" && strings.Contains(realm, `"`)
}

// Question takes "user":"realm", with the marks, and what key_extras adds.
func (digester) Question(line string) (Question, error) {
	if !isDigestLine(line) {
		return nil, errors.New(`a line is "user":"realm", with the quotation marks`)
	}
	user, _, _ := strings.Cut(line[1:], `":"`)
	return &known{user, []byte(line)}, nil
}

// OfRequest cannot: no log has what a client has proved itself by.
func (digester) OfRequest(*engine.Request) (Question, error) {
	return nil, errors.New("an access log has no credentials")
}

// Probes are none: what could end a name, or the line, is not put to the helper.
func (digester) Probes() []Probe { return nil }

// known is a question whether the helper knows a user.
type known struct {
	user string
	line []byte
}

func (q *known) Line() []byte { return q.line }

// Means judges as the proxy does.
func (q *known) Means(line []byte, err error) Meaning {
	knows, old, complaint := auth.JudgeDigest(line, err)
	m := Meaning{Does: otherCredentials}
	if knows {
		m.Does = "knows user " + q.user
	}
	if knows && old {
		m.Does += " (its answer is of the form from before Squid 3.4)"
	}
	m.judge(q.line, line, err, complaint)
	return m
}
