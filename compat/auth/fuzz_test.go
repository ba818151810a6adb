package auth

import (
	"bytes"
	"regexp"
	"testing"
)

var token68 = regexp.MustCompile(`^[A-Za-z0-9._~+/=-]+$`)

// FuzzCredentials finds the scheme of any Proxy-Authorization, and puts no token to a helper of NTLM or Negotiate that is none.
func FuzzCredentials(f *testing.F) {
	for _, field := range []string{"NTLM TlRMTVNTUAABAAAA", "Negotiate YII=", "negotiate  YII= ", "Basic am9lOnNlY3JldA==", "NTLM", "NTLM ", "NTLM A\tB",
		"NTLM A user=root", "Negotiate A,B", "NTLM\tA", "", " NTLM A", "Digest username=\"a\"", "NTLM \x00", "NTLM \xc3\xa4"} {
		f.Add([]byte(field))
	}
	ntlm, negotiate, basic := &statefulProver{Stateful: newNTLM()}, &statefulProver{Stateful: newNegotiate()}, &statefulProver{Stateful: &Stateful{Name: "Basic"}}
	p := &Policy{schemes: []offered{{name: "NTLM", prover: ntlm}, {name: "Negotiate", prover: negotiate}, {name: "Basic", prover: basic}}}
	f.Fuzz(func(t *testing.T, field []byte) {
		by, credentials := p.of(field)
		if by == nil {
			return
		}
		name := by.(*statefulProver).Name
		if len(field) < len(name) || !bytes.EqualFold(field[:len(name)], []byte(name)) || !bytes.Contains(field, credentials) {
			t.Fatalf("%q is %s, with %q", field, name, credentials)
		}
		if got, want := isToken68(credentials), token68.Match(credentials); got != want {
			t.Fatalf("%q is a token: %v, want %v", credentials, got, want)
		}
	})
}
