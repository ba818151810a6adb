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
	format *logformat.Format // nil: one of the others
	cert   certificate       // of the client's certificate; nil: the acl's name, or its values
	data   bool              // its values
}

// modern is a code of Squid's as one of logformat: %>{Field}.
func modern(c *directive.Context, word string) string {
	if strings.HasPrefix(word, "%>{") || strings.HasPrefix(word, "%<{") {
		code := map[byte]string{'>': ">ha", '<': "<h"}[word[1]]
		c.Say(1, "WARNING: external_acl_type format %s{...} is deprecated. Use %%%s%s", word[:2], code, word[2:])
		return "%" + code + word[2:]
	}
	return word
}

// addPart takes one code.
func (t *Type) addPart(c *directive.Context, word string) (err error) {
	p := part{data: word == "%DATA"}
	if word != "%ACL" && !p.data {
		if p.cert, err = certificateCode(c, word); err == nil && p.cert == nil {
			p.format, err = logformat.CompileExtras(modern(c, word))
		}
	}
	if err != nil {
		return conf.Invalid{"configuration error: " + err.Error()}
	}
	t.User = t.User || p.format.Uses("ul")
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
		case p.cert != nil:
			dst = t.appendCertificate(dst, p.cert, rec.Request)
		case p.data:
			dst, told = t.appendData(dst, a), true
		default:
			dst = append(dst, a.Name...)
		}
		dst = append(dst, ' ')
	}
	if !told {
		dst = t.appendData(dst, a)
	}
	logformat.OneLine(dst[start:])
	return dst
}

// appendData writes the values of an acl.
func (t *Type) appendData(dst []byte, a *acl.ExternalACL) []byte {
	if len(a.Data) == 0 {
		return append(dst, '-')
	}
	for i, value := range a.Data {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = t.quote(dst, value)
	}
	return dst
}

// quote writes a value that is not one of logformat's.
func (t *Type) quote(dst []byte, value string) []byte {
	if t.Shell {
		return logformat.AppendWord(dst, value)
	}
	return logformat.AppendEscaped(dst, value)
}
