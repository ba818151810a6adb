package auth

import (
	"bytes"
	"strings"
	"testing"

	"exaproxy/compat/acl"
	"exaproxy/compat/compattest"
	"exaproxy/engine"
	"exaproxy/engine/loop"
)

// memory is a request's and a connection's, one of each.
type memory struct {
	state      State
	connection *Connection
}

func (m *memory) OfRequest(*engine.Request) *State { return &m.state }

func (m *memory) OfConnection(_ *engine.Request, begin bool) *Connection {
	if m.connection == nil && begin {
		m.connection = &Connection{}
	}
	return m.connection
}

// shaker is a scheme that proves connections as NTLM does: the client says "first", is told a token, says
// "second", and is known from then on.
type shaker struct {
	policy *Policy
	closed int
}

func (h *shaker) prove(r *engine.Request, st *State, credentials []byte, _ *loop.Waker) (acl.Answer, acl.Inquiry) {
	if string(credentials) == "first" {
		h.policy.memory.OfConnection(r, true).begin(&agreed{shaker: h})
		st.ask(h, []byte("Shake token"), true)
	}
	return acl.Challenge, nil
}

func (h *shaker) challenge(dst []byte) []byte { return append(dst, "Shake"...) }

func (h *shaker) close() {}

// agreed is what it keeps of a connection.
type agreed struct {
	*shaker
	proved []byte // by which field
}

func (a *agreed) prove(r *engine.Request, _ *State, field []byte, _ *loop.Waker) (answer acl.Answer, inquiry acl.Inquiry, over bool) {
	switch {
	case a.proved == nil && string(field) == "Shake second":
		a.proved = bytes.Clone(field)
	case a.proved == nil || len(field) > 0 && !bytes.Equal(field, a.proved):
		return acl.Challenge, nil, true
	}
	r.User = "joe"
	return acl.Allow, nil, false
}

func (a *agreed) close() { a.closed++ }

// plain is a scheme that knows one password.
type plain struct{}

func (plain) prove(r *engine.Request, _ *State, credentials []byte, _ *loop.Waker) (acl.Answer, acl.Inquiry) {
	if string(credentials) != "secret" {
		return acl.Challenge, nil
	}
	r.User = "bob"
	return acl.Allow, nil
}

func (plain) challenge(dst []byte) []byte { return append(dst, "Plain"...) }

func (plain) close() {}

// shaking is a policy with both, and what it remembers.
func shaking() (p *Policy, m *memory, h *shaker) {
	m = &memory{}
	p = &Policy{memory: m}
	h = &shaker{policy: p}
	p.schemes = []offered{{"shake", h}, {"plain", plain{}}}
	return p, m, h
}

// prove puts one request with a Proxy-Authorization field.
func (m *memory) prove(t *testing.T, p *Policy, field string) (answer acl.Answer, user, challenge string) {
	t.Helper()
	m.state = State{}
	head := "GET http://a.test/ HTTP/1.1\n"
	if field != "" {
		head += "Proxy-Authorization: " + field + "\n"
	}
	r := compattest.NewRequest(t, head)
	answer, _ = p.Prove(r, nil)
	fields, _ := p.Challenge(nil, r)
	challenge = strings.ReplaceAll(string(fields), "Proxy-Authenticate: ", "")
	return answer, r.User, strings.ReplaceAll(challenge, "\r\n", "|")
}

func TestASchemeIsFoundByItsName(t *testing.T) {
	p, m, _ := shaking()
	for field, want := range map[string]acl.Answer{
		"":                  acl.Challenge,
		"Plain secret":      acl.Allow,
		"pLAIN   secret \t": acl.Allow,
		"Plain other":       acl.Challenge,
		"Plain":             acl.Challenge,
		"Plains secret":     acl.Challenge,
		"Bearer secret":     acl.Challenge,
	} {
		if got, user, challenge := m.prove(t, p, field); got != want || (user == "bob") != (want == acl.Allow) || challenge != "Shake|Plain|" {
			t.Errorf("%q: got %v, user %q, challenge %q; want %v", field, got, user, challenge, want)
		}
	}
}

// TestASessionJudgesItsConnection has a client prove who it is once for all requests of a connection.
func TestASessionJudgesItsConnection(t *testing.T) {
	p, m, h := shaking()
	for _, row := range []struct {
		field     string
		want      acl.Answer
		user      string
		challenge string
		closed    int
	}{
		{"Shake second", acl.Challenge, "", "Shake|Plain|", 0}, // nothing was begun
		{"Shake first", acl.Challenge, "", "Shake token|", 0},
		{"Shake other", acl.Challenge, "", "Shake|Plain|", 1},
		{"Shake first", acl.Challenge, "", "Shake token|", 1},
		{"Shake second", acl.Allow, "joe", "Shake|Plain|", 1},
		{"", acl.Allow, "joe", "Shake|Plain|", 1},
		{"Shake second", acl.Allow, "joe", "Shake|Plain|", 1},
		{"Plain secret", acl.Allow, "bob", "Shake|Plain|", 2},
		{"", acl.Challenge, "", "Shake|Plain|", 2},
		{"Shake first", acl.Challenge, "", "Shake token|", 2},
	} {
		got, user, challenge := m.prove(t, p, row.field)
		if got != row.want || user != row.user || challenge != row.challenge || h.closed != row.closed {
			t.Errorf("%q: got %v, user %q, challenge %q, %d closed; want %+v", row.field, got, user, challenge, h.closed, row)
		}
	}
	p.Disconnected(m.connection)
	p.Disconnected(m.connection)
	if h.closed != 3 {
		t.Errorf("%d sessions were closed, want 3", h.closed)
	}
}
