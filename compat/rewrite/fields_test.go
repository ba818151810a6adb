package rewrite

import (
	"fmt"
	"strings"
	"testing"

	"exaproxy/engine/h1"
)

func TestChanges(t *testing.T) {
	for _, row := range []struct{ answer, want string }{
		{`OK`, ``},
		{`OK rewrite-url=http://b.test/ set-header="Cookie: a=b; c=d" del-header=Accept`, `Cookie="a=b; c=d" Accept-`},
		{`OK set-header=X:1 set-header=Y:%20two set-header="Z:" x=y set-header="quoted: \"q\" \\"`, `X="1" Y="two" Z="" quoted="\"q\" \\"`},
		{`OK del-header="X" and more`, `X-`},
		{`ERR set-header="X: 1"`, ``},
		{`BH set-header="X: 1"`, ``},
		{`http://b.test/ set-header="X: 1"`, ``},
		{`OK set-header="no colon"`, `'no colon' has no colon`},
		{`OK set-header=": x"`, `'' is no name of a field`},
		{`OK set-header="X : 1"`, `'X ' is no name of a field`},
		{`OK set-header=" X: 1"`, `' X' is no name of a field`},
		{"OK set-header=\"X\xfc: 1\"", "'X\xfc' is no name of a field"},
		{`OK set-header="X: a\nY: b"`, `'X: a\x0aY: b' has a line end or a NUL`},
		{`OK set-header="X: a\r"`, `'X: a\x0d' has a line end or a NUL`},
		{"OK set-header=\"X: a\x00\"", `'X: a\x00' has a line end or a NUL`},
		{`OK set-header=X:%0Ay`, `'X:\x0ay' has a line end or a NUL`},
		{`OK del-header="a\nb"`, `'a\x0ab' is no name of a field`},
		{`OK set-header="Good: 1" set-header="HOST: b.test"`, `HOST is not for helpers`},
		{`OK del-header=transfer-Encoding`, `transfer-Encoding is not for helpers`},
		{`OK set-header="Content-Length: 0"`, `Content-Length is not for helpers`},
		{`OK set-header="Connection: X"`, `Connection is not for helpers`},
	} {
		a := Parse([]byte(row.answer), asked(t, "GET", "http://a.test/"), h1.Strip)
		changes, err := a.Changes()
		var said []string
		for _, c := range changes {
			if c.Value == nil {
				said = append(said, c.Name+"-")
			} else {
				said = append(said, fmt.Sprintf("%s=%q", c.Name, c.Value))
			}
		}
		got := strings.Join(said, " ")
		if err != nil {
			got = err.Error()
		}
		if got != row.want || err != nil && changes != nil {
			t.Errorf("%q: %s, want %s", row.answer, got, row.want)
		}
	}
}

func TestApply(t *testing.T) {
	var h h1.Header
	for _, name := range []string{"A", "B", "a", "C"} {
		h.Add(name, []byte("old"))
	}
	for _, c := range []Change{{"a", []byte("new")}, {"c", nil}, {"D", []byte{}}, {"nobody", nil}} {
		c.Apply(&h)
	}
	if got := string(h.AppendTo(nil)); got != "a: new\r\nB: old\r\nD: \r\n" {
		t.Errorf("the fields are %q", got)
	}
}
