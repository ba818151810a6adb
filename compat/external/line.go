package external

import (
	"strings"

	"exaproxy/compat/acl"
	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/compat/logformat"
	"exaproxy/engine"
)

// A part is one word of what a helper is told.
type part struct {
	format *logformat.Format // nil: the acl's name, or its values
	data   bool              // its values
}

// codes are those of Squid 2 and 3, as codes of logformat.
var codes = map[string]string{
	"%LOGIN": "%ul", "%IDENT": "%ui", "%SRC": "%>a", "%SRCPORT": "%>p", "%SRCEUI48": "%>eui", "%SRCEUI64": "%>eui",
	"%DST": "%>rd", "%PROTO": "%>rs", "%PORT": "%>rP", "%METHOD": "%>rm", "%PATH": "%>rp", "%URI": "%>ru",
	"%MYADDR": "%la", "%MYPORT": "%lp", "%EXT_USER": "%ue", "%EXT_LOG": "%ea", "%EXT_TAG": "%et", "%TAG": "%et",
}

// addPart takes one code.
func (t *Type) addPart(c *directive.Context, word string) (err error) {
	spec, known := codes[word]
	switch {
	case word == "%ACL" || word == "%DATA":
		t.line = append(t.line, part{data: word == "%DATA"})
		return nil
	case strings.HasPrefix(word, "%>{") || strings.HasPrefix(word, "%<{"): // a field
		name, way := strings.TrimSuffix(word[3:], "}"), word[1:2]
		c.Say(1, "WARNING: external_acl_type format %s{...} is deprecated. Use %%%sh{%s}", word[:2], way, name)
		spec = "%{" + name + "}" + way + "h"
	case !known:
		spec = word
	}
	p := part{}
	if p.format, err = logformat.CompileExtras(spec); err != nil {
		return conf.Invalid{"configuration error: " + err.Error()}
	}
	t.User = t.User || spec == "%ul"
	t.line = append(t.line, p)
	return nil
}

// append writes what the helper is told for an acl about a request: one word for each code, and the values of the acl,
// or "-", behind them, unless %DATA has them; then nothing stands where they would.
func (t *Type) append(dst []byte, a *acl.ExternalACL, rec *engine.Record) []byte {
	start, told := len(dst), false
	for _, p := range t.line {
		switch {
		case p.format != nil:
			dst = p.format.Append(dst, rec)
		case p.data:
			dst, told = appendData(dst, a), true
		default:
			dst = append(dst, a.Name...)
		}
		dst = append(dst, ' ')
	}
	if !told {
		dst = appendData(dst, a)
	}
	for i, c := range dst[start:] { // it is one line, whatever a value brought in
		if c == '\n' || c == '\r' || c == 0 {
			dst[start+i] = ' '
		}
	}
	return dst
}

// appendData writes the values of an acl.
func appendData(dst []byte, a *acl.ExternalACL) []byte {
	if len(a.Data) == 0 {
		return append(dst, '-')
	}
	for i, value := range a.Data {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = logformat.AppendEscaped(dst, value)
	}
	return dst
}
