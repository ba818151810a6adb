package auth

import (
	"fmt"
	"strings"
	"testing"
)

// The answers of helpers of both generations, as Squid 5.7 takes them.
func TestParseStep(t *testing.T) {
	for _, row := range []struct {
		line  string
		want  result
		token string
		user  string
		notes string
	}{
		{`TT dG9rZW4=`, another, "dG9rZW4=", "", ""},
		{`TT a b`, another, "a", "", ""},
		{`TT token=abc`, another, "token=abc", "", ""},
		{`TT a group=x`, another, "a", "", "group=x"},
		{`TT`, unable, "", "", ""},
		{`TT `, unable, "", "", ""},
		{`TT "a b"`, unable, "", "", ""},
		{`TT "a\r\nX: y"`, unable, "", "", ""},
		{`AF bob`, accepted, "", "bob", "user=bob"},
		{`AF   bob  `, accepted, "", "bob", "user=bob"},
		{`AF DOM\bob`, accepted, "", `DOM\bob`, `user=DOM\bob`},
		{`AF j%20doe`, accepted, "", "j%20doe", "user=j%20doe"},
		{`AF "j doe"`, accepted, "", "j doe", "user=j doe"},
		{`AF tok bob`, accepted, "tok", "bob", "user=bob"},
		{`AF tok "a\"b"`, accepted, "tok", `a"b`, `user=a"b`},
		{`AF tok bob group=a x="b c" rest y=z`, accepted, "tok", "bob", "user=bob|group=a|x=b c"},
		{`AF * bob`, accepted, "*", "bob", "user=bob"},
		{`AF`, unable, "", "", ""},
		{`AF `, unable, "", "", ""},
		{`AF "two\nlines"`, unable, "", "", ""},
		{`NA no such user`, rejected, "", "", "message=no such user"},
		{`NA`, rejected, "", "", ""},
		{`NA message="as it is"`, rejected, "", "", `message=message="as it is"`},
		{`OK user=bob@X token=tok group=a group=b`, accepted, "tok", "bob@X", "user=bob@X|group=a|group=b"},
		{`OK token=tok user=j%20doe user=eve`, accepted, "tok", "j doe", "user=j doe|user=eve"},
		{`OK user="DOM\\bob" token=tok`, accepted, "tok", `DOM\bob`, `user=DOM\bob`},
		{`OK token=tok`, unable, "", "", ""},
		{`OK user= token=tok`, unable, "", "", ""},
		{`OK junk user=bob token=tok`, unable, "", "", ""},
		{`OK`, unable, "", "", ""},
		{`ERR message="not today" token=x`, rejected, "x", "", "message=not today"},
		{`ERR not today`, rejected, "", "", "message=not today"},
		{`ERR`, rejected, "", "", ""},
		{`BH broken thing`, unable, "", "", "message=broken thing"},
		{`BH message=broken`, unable, "", "", "message=broken"},
		{`BH`, unable, "", "", ""},
		{``, unable, "", "", ""},
		{`LD bob`, unable, "", "", ""},
		{`af bob`, unable, "", "", ""},
		{"AF\tbob", unable, "", "", ""},
	} {
		s := parseStep([]byte(row.line))
		var notes []string
		for _, n := range s.notes {
			notes = append(notes, fmt.Sprintf("%s=%s", n.Key, n.Value))
		}
		if got := strings.Join(notes, "|"); s.result != row.want || s.token != row.token || s.user != row.user || got != row.notes {
			t.Errorf("%q: result %d, token %q, user %q, notes %q; want %+v", row.line, s.result, s.token, s.user, got, row)
		}
	}
}

// Whatever a helper says, nobody is accepted without a name, and what clients are told fits a field.
func FuzzParseStep(f *testing.F) {
	f.Add([]byte("AF tok bob group=x"))
	f.Add([]byte("OK token=a user=%41%0d"))
	f.Fuzz(func(t *testing.T, line []byte) {
		s := parseStep(line)
		if s.result == accepted && (s.user == "" || strings.ContainsAny(s.user, "\r\n\x00")) {
			t.Errorf("%q: user %q", line, s.user)
		}
		if s.result != rejected && strings.ContainsAny(s.token, " \r\n\x00") || s.result == another && s.token == "" {
			t.Errorf("%q: token %q", line, s.token)
		}
	})
}

func TestIsToken(t *testing.T) {
	for text, want := range map[string]bool{
		"TlRMTVNTUAABAAAA": true, "a+/=": true, "a-._~": true,
		"": false, "a b": false, "a\tb": false, "a,b": false, "\x00": false, `"a"`: false, "\xe9": false,
	} {
		if got := isToken68([]byte(text)); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
