package main

import (
	"fmt"
	"strings"
)

// A template is a URL with fields, in squidGuard's letters:
//
//	%a  client's address   %n  client's name   %i  user     %s  source
//	%t  category           %u  URL             %h  host     %p  path with query, as it is
//	%%  a percent sign
//
// All but %p are escaped for a query.
type template []piece

type piece struct {
	text  string
	field byte // 0: the text
}

// The fields of one answer.
type fields struct {
	q        question
	t        target
	source   string
	category string
}

func parseTemplate(s string) (template, error) {
	if strings.ContainsAny(s, "\"\\<> \t\r\n\x00") {
		return nil, fmt.Errorf("%q has a character that no URL may have", s)
	}
	var t template
	for s != "" {
		at := strings.IndexByte(s, '%')
		if at < 0 {
			return append(t, piece{text: s}), nil
		}
		t = append(t, piece{text: s[:at]})
		if at+1 == len(s) || strings.IndexByte("anistuhp%", s[at+1]) < 0 {
			return nil, fmt.Errorf("%q is no field: the fields are %%a %%n %%i %%s %%t %%u %%h %%p and %%%% for a percent sign", s[at:min(at+2, len(s))])
		}
		if s[at+1] == '%' {
			t = append(t, piece{text: "%"})
		} else {
			t = append(t, piece{field: s[at+1]})
		}
		s = s[at+2:]
	}
	return t, nil
}

// appendTo appends the URL with its fields filled in.
func (t template) appendTo(b []byte, f *fields) []byte {
	for _, p := range t {
		switch p.field {
		case 0:
			b = append(b, p.text...)
		case 'a':
			b = appendEscaped(b, f.q.client.String(), plain)
		case 'n':
			b = appendEscaped(b, f.q.name, plain)
		case 'i':
			b = appendEscaped(b, f.q.user, plain)
		case 's':
			b = appendEscaped(b, f.source, plain)
		case 't':
			b = appendEscaped(b, f.category, plain)
		case 'u':
			b = appendEscaped(b, f.q.url, plain)
		case 'h':
			b = appendEscaped(b, f.t.host, plain)
		case 'p':
			b = appendEscaped(b, f.t.rest, inURL)
		}
	}
	return b
}

// plain are the characters that may stand anywhere in a query, inURL those that a URL may have.
const (
	plain = "-._~"
	inURL = plain + ":/?#[]@!$&'()*+,;=%"
)

func appendEscaped(b []byte, s, keep string) []byte {
	const hex = "0123456789ABCDEF"
	for _, c := range []byte(s) {
		if isLetter(c) || isDigit(c) || strings.IndexByte(keep, c) >= 0 {
			b = append(b, c)
		} else {
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return b
}
