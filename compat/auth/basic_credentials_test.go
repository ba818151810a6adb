package auth

import (
	"encoding/base64"
	"testing"
)

func TestParse(t *testing.T) {
	code := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, row := range []struct {
		value          string
		sensitive, utf bool
		user, password string
		complete, ok   bool
	}{
		{code("bob:secret"), false, false, "bob", "secret", true, true},
		{code("BoB:SeCret"), false, false, "bob", "SeCret", true, true},
		{code("BoB:SeCret"), true, false, "BoB", "SeCret", true, true},
		{code("bob:a:b:c"), false, false, "bob", "a:b:c", true, true},
		{code(":secret"), false, false, "", "secret", false, true},
		{code("bob:"), false, false, "bob", "", false, true},
		{code("bob"), false, false, "bob", "", false, true},
		{code("\xc9ve:p\xe4ss"), false, false, "\xc9ve", "p\xe4ss", true, true},
		{code("\xe9ve:p\xe4ss"), false, true, "éve", "päss", true, true},
		{code("éve:päss"), false, true, "éve", "päss", true, true},
		{code("bo\x00b:secret"), false, false, "", "", false, false},
		{code("bob:sec\nret"), false, false, "", "", false, false},
		{code("bob:sec\rret"), false, false, "", "", false, false},
		{code("bob:secret")[:15], false, false, "", "", false, false},
		{"!!!", false, false, "", "", false, false},
		{"Basic " + code("bob:secret"), false, false, "", "", false, false},
		{"", false, false, "", "", false, false},
	} {
		b := Basic{CaseSensitive: row.sensitive, Program: Program{UTF8: row.utf}}
		c, _, ok := b.parse([]byte(row.value), []byte("what was here before"))
		if string(c.user) != row.user || string(c.password) != row.password || c.complete != row.complete || ok != row.ok {
			t.Errorf("%q: user %q, password %q, complete %v, ok %v; want %q, %q, %v, %v",
				row.value, c.user, c.password, c.complete, ok, row.user, row.password, row.complete, row.ok)
		}
	}
}

// Whatever a client sends is one line of two words to the helper, or none.
func FuzzParse(f *testing.F) {
	f.Add([]byte("bob:secret"), true)
	f.Add([]byte("b\xe9\x00 b:\n"), false)
	f.Fuzz(func(t *testing.T, text []byte, utf bool) {
		p := &basicProver{Basic: &Basic{Program: Program{UTF8: utf}}}
		value := base64.StdEncoding.EncodeToString(text)
		c, memory, ok := p.parse([]byte(value), nil)
		if !ok {
			return
		}
		p.line = memory
		spaces := 0
		for _, x := range p.question(c, nil) {
			if x == ' ' {
				spaces++
			}
			if x < ' ' || x > '~' {
				t.Errorf("%q: the line has byte %#x", text, x)
			}
		}
		if spaces != 1 {
			t.Errorf("%q: the line has %d spaces", text, spaces)
		}
	})
}
