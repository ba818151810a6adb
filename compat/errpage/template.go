package errpage

import "fmt"

// A template is a compiled page: pieces of text, each followed by the value of a code.
type template []piece

type piece struct {
	text string
	code byte // 0: none
}

// compile parses a page. A code that Squid does not know stays as it is written, with a warning in
// Squid's words.
func compile(name, page string) (t template, warnings []error) {
	text := 0 // where the text of the present piece begins
	for i := 0; i < len(page); i++ {
		if page[i] != '%' {
			continue
		}
		if i+1 == len(page) || codes[page[i+1]].value == nil {
			warnings = append(warnings, fmt.Errorf("%s: Unsupported error page %%code near %s", name, near(page[i:])))
			continue
		}
		t = append(t, piece{text: page[text:i], code: page[i+1]})
		i++
		text = i + 1
	}
	return append(t, piece{text: page[text:]}), warnings
}

// near is the beginning of what a complaint is about, cut as Squid cuts it.
func near(s string) string {
	if len(s) > 15 {
		return s[:15] + "..."
	}
	return s
}

// append appends the page filled in.
func (t template) append(dst []byte, v *Values) []byte {
	for _, p := range t {
		dst = append(dst, p.text...)
		if p.code == 0 {
			continue
		}
		c, start := codes[p.code], len(dst)
		if dst = c.value(dst, v); !c.trusted {
			dst = forHTML.escape(dst, start)
		}
	}
	return dst
}
