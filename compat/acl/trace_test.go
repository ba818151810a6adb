package acl

import (
	"fmt"
	"strings"
	"testing"

	"exaproxy/compat/conf"
)

// TestTrace tells which line decides, by which acls and which of their values.
func TestTrace(t *testing.T) {
	set := NewSet()
	set.Keep = true
	many := "acl many dstdomain"
	for i := range 1000 {
		many += fmt.Sprintf(" .h%d.test", i)
	}
	list := set.NewList("http_access", Deny)
	for i, text := range []string{
		"acl here src 192.0.2.0/24 2001:db8::/32",
		many,
		"acl folded url_regex -i one +i two three",
		"acl either any-of many folded",
		"acl post method POST PUT",
		"http_access deny post",
		"http_access deny here !either",
		"http_access allow here",
	} {
		line := predefinedLine(strings.TrimPrefix(text, "acl "))
		line.Pos, line.Text = conf.Pos{File: "squid.conf", Line: i + 1}, text
		var err error
		if strings.HasPrefix(text, "acl ") {
			_, err = set.Add(line)
		} else {
			line.Tokens = line.Tokens[1:]
			_, err = list.Add(line, 0)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	set.Finish()
	for _, row := range []struct {
		request, want string
		answer        Answer
	}{
		{"GET http://x.h777.test/", "6 post does not match GET; 7 here matches 192.0.2.1 192.0.2.0/24; either matches; many matches x.h777.test .h777.test; 8* here matches 192.0.2.1 192.0.2.0/24; ", Allow},
		{"GET http://a.test/ONE", "6 post does not match GET; 7 here matches 192.0.2.1 192.0.2.0/24; either matches; many does not match a.test; folded matches http://a.test/ONE one; 8* here matches 192.0.2.1 192.0.2.0/24; ", Allow},
		{"GET http://a.test/THREE", "6 post does not match GET; 7* here matches 192.0.2.1 192.0.2.0/24; either does not match; many does not match a.test; folded does not match http://a.test/THREE; ", Deny},
		{"PUT http://a.test/", "6* post matches PUT PUT; ", Deny},
	} {
		var told []*Trace
		place := Place{Observe: func(trace *Trace) { told = append(told, trace) }}
		r := asked(t, row.request)
		answer := list.Match(r, &r.Target, &place)
		if len(told) != 1 || answer != row.answer || told[0].Answer != answer || told[0].List != "http_access" || told[0].Implied {
			t.Fatalf("%s: %v, %+v", row.request, answer, told)
		}
		if got := short(told[0]); got != row.want {
			t.Errorf("%s:\n  got %s\n want %s", row.request, got, row.want)
		}
		if plain := (Place{}); list.Match(r, &r.Target, &plain) != answer {
			t.Errorf("%s: the answer is another without an observer", row.request)
		}
	}
}

// short is a trace on one line.
func short(t *Trace) (s string) {
	for _, rule := range t.Rules {
		s += fmt.Sprint(rule.At.Line)
		if rule.Decides {
			s += "*"
		}
		for _, term := range rule.Terms {
			value, _, _ := strings.Cut(term.Value, " at ")
			s += strings.TrimRight(fmt.Sprintf(" %s %s %s %s", term.ACL, term.Outcome, term.Saw, value), " ") + ";"
		}
		s += " "
	}
	return s
}
