package logformat

import (
	"fmt"
	"strings"
)

// Compile compiles the specification of a logformat directive. StripQuery is on in the result,
// as strip_query_terms is in Squid. What is no code of Squid 5 to 7 is an error, which names the nearest that is one.
func Compile(spec string) (*Format, error) {
	f := &Format{StripQuery: true}
	context := none
	for spec != "" {
		at := strings.IndexByte(spec, '%')
		if at < 0 {
			at = len(spec)
		}
		p := part{literal: spec[:at], max: -1}
		context = context.after(spec[:at])
		if spec = spec[at:]; spec != "" {
			rest, err := p.compile(spec, context)
			if err != nil {
				return nil, err
			}
			spec = rest
		}
		f.parts = append(f.parts, p)
	}
	return f, nil
}

// CompileExtras compiles the value of url_rewrite_extras and its like. It differs from Compile
// in two ways: user names are escaped as in a URL unless the format says otherwise (%'un gives
// them raw), because helpers split the line at spaces; and an empty value gives "-", as in
// Squid 5.
func CompileExtras(spec string) (*Format, error) {
	f, err := Compile(spec)
	if err != nil {
		return nil, err
	}
	for i := range f.parts {
		p := &f.parts[i]
		if p.code != nil && p.code.user && p.quote == none {
			p.quote = urlEscape
		}
		if p.code == nil && p.arg != "" && strings.ContainsAny(p.literal, "\r\n") {
			return nil, fmt.Errorf("%%byte{%s} would end the line that it is to stand in", p.arg)
		}
	}
	if len(f.parts) == 0 {
		f.parts = []part{{literal: "-", max: -1}}
	}
	return f, nil
}

// after returns the quoting for codes that follow the literal text s: Squid quotes what stands
// between quotation marks or brackets accordingly.
func (q quoting) after(s string) quoting {
	for i := range len(s) {
		switch {
		case s[i] == '"' && q == none:
			q = inQuotes
		case s[i] == '"' && q == inQuotes:
			q = none
		case s[i] == '[' && q == none:
			q = mimeBlob
		case s[i] == ']' && q == mimeBlob:
			q = none
		}
	}
	return q
}

// compile reads one code with its modifiers from the beginning of spec, which is its %, and
// returns what follows.
func (p *part) compile(spec string, context quoting) (rest string, err error) {
	s := p.modifiers(spec[1:], context)
	s, hasArg := p.argument(s)
	written := s
	p.code, s = findCode(s)
	if p.code == nil || goesOn(s) {
		return "", unsupported(spec, written, p.code)
	}
	if !hasArg {
		s, _ = p.argument(s)
	}
	if p.code.check != nil {
		return s, p.code.check(p.arg)
	}
	return s, p.replaceByte()
}

// modifiers reads what may stand between the % and the code: quoting, alignment and widths.
func (p *part) modifiers(s string, context quoting) string {
	p.quote = context
	if s != "" {
		if q, ok := quotings[s[0]]; ok {
			p.quote, s = q, s[1:]
		}
	}
	if strings.HasPrefix(s, "-") {
		p.left, s = true, s[1:]
	}
	p.zero = strings.HasPrefix(s, "0")
	if n, after, ok := number(s); ok {
		p.min, s = n, after
	}
	if strings.HasPrefix(s, ".") {
		if n, after, ok := number(s[1:]); ok {
			p.max, s = n, after
		}
	}
	return s
}

// argument reads an {arg}.
func (p *part) argument(s string) (rest string, found bool) {
	if !strings.HasPrefix(s, "{") {
		return s, false
	}
	p.arg, rest, _ = strings.Cut(s[1:], "}")
	return rest, true
}

// maxWidth bounds widths, so that a slip in the configuration does not make endless lines.
const maxWidth = 4096

// number reads a decimal number.
func number(s string) (n int, rest string, ok bool) {
	i := 0
	for ; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
		n = min(n*10+int(s[i]-'0'), maxWidth)
	}
	return n, s[i:], i > 0
}

// findCode returns the code whose name is the longest one at the beginning of s, and what
// follows it. As in Squid the name need not end there: %03tuZ is %03tu and "Z".
func findCode(s string) (*code, string) {
	if after, ok := strings.CutPrefix(s, "http::"); ok && !strings.HasPrefix(after, "%") {
		s = after
	}
	if after, ok := strings.CutPrefix(s, "tls::"); ok {
		s = "ssl::" + after
	}
	if c, rest := findUnavailable(s); c != nil {
		return c, rest
	}
	for _, old := range legacy {
		if rest, ok := strings.CutPrefix(s, old.name); ok {
			c := &code{name: old.name, value: noValue}
			if old.code != "" {
				c, _ = findCode(old.code)
			}
			return c, rest
		}
	}
	var best *code
	for i := range codes {
		c := &codes[i]
		if strings.HasPrefix(s, c.name) && (best == nil || len(c.name) > len(best.name)) {
			best = c
		}
	}
	if best == nil {
		return nil, s
	}
	return best, s[len(best.name):]
}

// findUnavailable does the same for the codes that never have a value.
func findUnavailable(s string) (*code, string) {
	best := ""
	for _, name := range unavailable {
		if strings.HasPrefix(s, name) && len(name) > len(best) {
			best = name
		}
	}
	if best == "" {
		return nil, s
	}
	return &code{name: best, value: noValue}, s[len(best):]
}
