package access

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/compat/errpage"
	"exaproxy/engine"
)

// A Denial is what a client gets whom a certain acl keeps out (deny_info): a page, a redirect,
// or a reset of its connection.
type Denial struct {
	Page   string // the name of an error page, ERR_… or NNN:ERR_…
	Status int    // 0: the page's own; of a redirect 302, or 307 for methods other than GET and HEAD
	URL    string // with %codes; a redirect
	Reset  bool   // TCP_RESET
}

// page is what the answer is called in the log.
func (d *Denial) page() string {
	switch {
	case d.Reset:
		return "TCP_RESET"
	case d.URL != "":
		return d.URL
	}
	return d.Page
}

// status is the redirect's, as Squid chooses it.
func (d *Denial) status(r *engine.Request) int {
	switch {
	case d.Status != 0:
		return d.Status
	case r.Method == "GET" || r.Method == "HEAD":
		return 302
	}
	return 307
}

// setDenyInfo takes what to answer and the acls for which. The first line for an acl counts.
func (s *Settings) setDenyInfo(c *directive.Context, l *conf.Line) error {
	args := c.Args(l)
	word, err := args.String()
	if err != nil {
		return err
	}
	denial, err := parseDenial(word)
	if err != nil {
		return err
	}
	for _, code := range errpage.CheckLocation(denial.URL) {
		c.Say(1, "ERROR: deny_info: Unsupported deny_info %%code near %s", code)
	}
	named := false
	for {
		token, ok := args.Word()
		if !ok {
			break
		}
		named = true
		if _, taken := s.DenyInfo[token.Text]; !taken {
			s.DenyInfo[token.Text] = denial
			s.denied = append(s.denied, denied{token.Text, l.Pos})
		}
	}
	if !named {
		c.Say(0, "aclParseDenyInfoLine: %s: no ACL's listed, ignoring 'deny_info' line", l.Pos)
	}
	return nil
}

// parseDenial reads ERR_NAME, NNN:ERR_NAME, URL, 30N:URL or TCP_RESET.
func parseDenial(word string) (*Denial, error) {
	d := &Denial{}
	rest := word
	if digits, after, found := strings.Cut(word, ":"); found && len(digits) == 3 {
		if n, err := strconv.Atoi(digits); err == nil {
			d.Status, rest = n, after
		}
	}
	redirect := strings.Contains(rest, ":")
	switch {
	case rest == "TCP_RESET":
		d.Reset = true
	case redirect:
		d.URL = rest
	default:
		d.Page = word
	}
	if d.Status != 0 && (redirect && (d.Status < 300 || d.Status > 399) || d.Status < 200 || d.Status > 599) {
		return nil, conf.Invalid{fmt.Sprintf("FATAL: status %d is not valid on '%s'", d.Status, word)}
	}
	return d, nil
}

// appendURL writes the URL with its codes replaced. What comes from the client is escaped, so
// that it cannot end a parameter or the field.
func (d *Denial) appendURL(dst []byte, r *engine.Request, pages *errpage.Policy) []byte {
	for i := 0; i < len(d.URL); i++ {
		c := d.URL[i]
		if c != '%' || i+1 == len(d.URL) || errpage.IsEscape(d.URL[i+1:]) {
			dst = append(dst, c)
			continue
		}
		i++
		start := len(dst)
		known := true
		if dst, known = appendCode(dst, d.URL[i], r, pages); !known {
			dst = append(dst, '%', d.URL[i])
			continue
		}
		if d.URL[i] != '%' {
			dst = escapeFrom(dst, start)
		}
	}
	return dst
}

// appendCode writes the value of a code of error pages as far as it makes sense in a URL.
func appendCode(dst []byte, code byte, r *engine.Request, pages *errpage.Policy) ([]byte, bool) {
	switch code {
	case '%':
		return append(dst, '%'), true
	case 'u', 's': // s is the URL in a redirect, whatever it is in a page
		return r.Effective().AppendURL(dst), true
	case 'R':
		return append(dst, r.Effective().Path...), true
	case 'a':
		return append(dst, cmp.Or(r.User, r.External.User, "-")...), true
	case 'o':
		return append(dst, r.External.Message...), true
	}
	return pages.AppendLocationCode(dst, code, r)
}

// escapeFrom escapes dst[start:] for use inside a query: all but letters, digits and -_.~.
func escapeFrom(dst []byte, start int) []byte {
	const hex = "0123456789ABCDEF"
	value := string(dst[start:])
	dst = dst[:start]
	for i := range len(value) {
		c := value[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_.~", c) >= 0 {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		}
	}
	return dst
}
