package acl

import (
	"strings"
	"testing"

	"exaproxy/engine"
)

// crowded says of everybody that he comes from so many addresses.
type crowded struct {
	from   int
	seen   int
	strict bool
}

func (c *crowded) Seen(*engine.Request) { c.seen++ }

func (c *crowded) TooMany(_ *engine.Request, most int, strict bool) bool {
	c.strict = strict
	return c.from > most
}

func TestMaxUserIP(t *testing.T) {
	for _, row := range []struct {
		acl, user string
		from      int
		want      Answer
		strict    bool
	}{
		{"max_user_ip 2", "bob", 2, Deny, false},
		{"max_user_ip 2", "bob", 3, Allow, false},
		{"max_user_ip -s 2 9", "bob", 3, Allow, true},
		{"max_user_ip 2", "", 3, Deny, false}, // who is not known, and cannot be asked
	} {
		s := NewSet()
		s.Schemes = func() bool { return true }
		list := s.NewList("http_access", Deny)
		for _, text := range []string{"acl m " + row.acl, "acl m max_user_ip 1"} { // the second changes nothing
			if _, err := s.Add(predefinedLine(strings.TrimPrefix(text, "acl "))); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := list.AddConditions(predefinedLine("m"), 0); err != nil {
			t.Fatal(err)
		}
		s.Finish()
		c := &crowded{from: row.from}
		r := &engine.Request{User: row.user}
		p := &Place{Services: Services{Addresses: c}}
		if got := list.Match(r, &r.Target, p); got != row.want || c.strict != row.strict || (c.seen > 0) != (row.user != "") {
			t.Errorf("%s, %d addresses of %q: %v, strict %v, seen %d", row.acl, row.from, row.user, got, c.strict, c.seen)
		}
	}
}

func TestMaxUserIPMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"m max_user_ip":      "Invalid ACL",
		"m max_user_ip -s":   "Invalid ACL",
		"m max_user_ip 0":    "Invalid ACL",
		"m max_user_ip -1":   "-1",
		"m max_user_ip many": "",
		"m max_user_ip -i 2": "-i",
	} {
		s := NewSet()
		s.Schemes = func() bool { return true }
		if _, err := s.Add(predefinedLine(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := NewSet().Add(predefinedLine("m max_user_ip 2")); err == nil || !strings.Contains(err.Error(), "no authentication schemes") {
		t.Errorf("without a scheme: %v", err)
	}
}
