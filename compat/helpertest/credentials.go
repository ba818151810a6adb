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
	if !found || user == "" {
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
	m := Meaning{Does: "407: asks for other credentials", Again: err == nil && answer.Parse(line).Result == answer.Broken}
	if good {
		m.Does = "knows user " + q.user
	}
	if err == nil {
		m.Fault = complaint
	}
	m.Does += pairs(line)
	return m
}
