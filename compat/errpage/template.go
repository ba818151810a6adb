package errpage

import (
	"errors"
	"fmt"
	"strings"

	"exaproxy/compat/logformat"
	"exaproxy/engine"
)

// A template is a compiled page: pieces of text, each followed by the value of a code.
type template []piece

type piece struct {
	text   string
	code   byte              // 0: none
	format *logformat.Format // of @Squid{…}; nil: none
}

// compile parses a page. A code that Squid does not know stays as it is written, with a warning in
// Squid's words.
func compile(name, page string) (t template, warnings []error) {
	text := 0 // where the text of the present piece begins
	for i := 0; i < len(page); i++ {
		if page[i] != '%' && page[i] != '@' {
			continue
		}
		p, length, err := parseCode(page[i:])
		if err != nil {
			warnings = append(warnings, fmt.Errorf("%s: %w", name, err))
			i += length
			continue
		}
		if length == 0 {
			continue
		}
		p.text = page[text:i]
		t = append(t, p)
		text = i + length
		i = text - 1
	}
	return append(t, piece{text: page[text:]}), warnings
}

// parseCode reads what page begins with: %c, or a code of logformat in @Squid{…}. length is 0 if it is neither. With an error
// it is how much more of the page is only text.
func parseCode(page string) (p piece, length int, err error) {
	if page[0] == '@' {
		return parseFormat(page)
	}
	if len(page) == 1 || codes[page[1]].value == nil {
		return p, 0, errors.New("Unsupported error page %code near " + near(page))
	}
	return piece{code: page[1]}, 2, nil
}

// formatMark begins a code of logformat in a page, of Squid 5 and later.
const formatMark = "@Squid{"

// parseFormat reads a code of logformat. Those are refused that show secrets.
func parseFormat(page string) (p piece, length int, err error) {
	spec, ok := strings.CutPrefix(page, formatMark)
	if !ok {
		return p, 0, nil
	}
	end := closing(spec)
	if end < 0 {
		return p, len(formatMark), errors.New("Bad @Squid{logformat} sequence near " + near(page) + ": Missing closing brace (})")
	}
	length = len(formatMark) + end + 1
	if p.format, err = logformat.Compile(spec[:end]); err != nil {
		return p, length - 1, fmt.Errorf("Bad @Squid{logformat} sequence near %s: %w", near(page), err)
	}
	for _, field := range p.format.RequestFields() {
		if field == "" || secret([]byte(field)) {
			return p, length - 1, errors.New("@Squid{logformat} near " + near(page) + ": pages show no credentials, and so neither this field nor all of them; %R has those that have none")
		}
	}
	return p, length, nil
}

// closing is where the brace is that closes one before s; -1 if there is none.
func closing(s string) int {
	open := 1
	for i := range len(s) {
		switch s[i] {
		case '{':
			open++
		case '}':
			if open--; open == 0 {
				return i
			}
		}
	}
	return -1
}

// near is the beginning of what a complaint is about, cut as Squid cuts it, and at the end of a line.
func near(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	if len(s) > 15 {
		return s[:15] + "..."
	}
	return s
}

// append appends the page filled in.
func (t template) append(dst []byte, v *Values) []byte {
	for i := range t {
		p := &t[i]
		dst = append(dst, p.text...)
		start := len(dst)
		switch c := &codes[p.code]; {
		case p.format != nil:
			dst = p.format.Append(dst, &engine.Record{Request: v.Request, Ended: v.Now})
		case p.code == 0:
			continue
		case c.trusted:
			dst = c.value(dst, v)
			continue
		default:
			dst = c.value(dst, v)
		}
		dst = forHTML.escape(dst, start)
	}
	return dst
}

// namesClients says whether the page has the name of the client.
func (t template) namesClients() bool {
	for i := range t {
		if t[i].format.NamesClients() {
			return true
		}
	}
	return false
}
