package helpertest

import (
	"errors"
	"strings"

	"exaproxy/compat/answer"
	"exaproxy/compat/auth"
	"exaproxy/engine"
)

// Credentials makes the Talk of an auth_param basic program.
func Credentials(engine.Services) Talk { return authenticator{} }

// An authenticator is that Talk.
type authenticator struct{}

// Question takes "user password", each escaped (%20) if it has blanks.
func (authenticator) Question(line string) (Question, error) {
	user, _, found := strings.Cut(line, " ")
	if !found || user == "" || isDigestLine(line) {
		return nil, errors.New("a line is a user, a blank, and a password")
	}
	return &login{user, []byte(line)}, nil
}

// OfRequest cannot: no log has passwords.
func (authenticator) OfRequest(*engine.Request) (Question, error) {
	return nil, errors.New("an access log has no passwords")
}

// Probes are none: users and passwords come escaped.
func (authenticator) Probes() []Probe { return nil }

// A login is a question whether credentials are good.
type login struct {
	user string
	line []byte
}

func (q *login) Line() []byte { return q.line }

// Means judges as the proxy does.
func (q *login) Means(line []byte, err error) Meaning {
	good, complaint := auth.JudgeBasic(line, err)
	m := Meaning{Does: otherCredentials}
	if good {
		m.Does = "knows user " + q.user
	}
	m.judge(q.line, line, err, complaint)
	return m
}

// otherCredentials is what becomes of clients whose credentials are not good.
const otherCredentials = "407: asks for other credentials"

// judge completes what is said of the answer to a question of whoever may answer OK, ERR or BH.
func (m *Meaning) judge(question, line []byte, err error, complaint string) {
	switch {
	case err != nil:
		return
	case answer.Parse(line).Result == answer.Broken:
		m.Does, m.Again = "cannot tell (BH): "+m.Does, true
	default:
		if m.Fault = complaint; complaint != "" {
			m.expectNumbers(question, line)
		}
	}
	m.Does += pairs(line)
}
