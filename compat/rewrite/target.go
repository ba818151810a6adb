package rewrite

import (
	"bytes"
	"fmt"
	"strconv"

	"exaproxy/engine/h1"
)

// rewrite puts another target in place of the request's. http_access is not asked again about
// it. What cannot be a target of this request is refused.
func (p *parser) rewrite(url []byte) {
	if p.isSame(url) {
		return
	}
	if p.request.IsConnect() && isPage(url) {
		// An answer meant for a page in a browser. Squid opens a tunnel to a host of the name
		// http; the intent is to show that page instead.
		p.redirect(found, url)
		return
	}
	t, _, err := h1.ParseTarget(p.request.Method, withoutControls(url), p.whitespace, nil)
	if err != nil || t.Form != p.wantedForm() || hasControl(t.Path) {
		p.invalidRequest(url)
		return
	}
	p.Action, p.Target = Rewrite, t
}

// isSame says whether url is the request's own: an answer that changes nothing.
func (p *parser) isSame(url []byte) bool {
	var buf [512]byte // most URLs are shorter, and then this costs no memory
	return bytes.Equal(url, p.request.Target.AppendURL(buf[:0]))
}

// isPage says whether url is that of a web page.
func isPage(url []byte) bool {
	_, plain := cutScheme(url, "http")
	_, secure := cutScheme(url, "https")
	return plain || secure
}

func (p *parser) wantedForm() h1.Form {
	if p.request.IsConnect() {
		return h1.Authority
	}
	return h1.Absolute
}

// invalidRequest refuses a target, in Squid's words.
func (p *parser) invalidRequest(url []byte) {
	r := p.request
	p.invalid("URL-rewrite produces invalid request: " + r.Method + " " + printable(url) +
		" HTTP/" + strconv.Itoa(int(r.Major)) + "." + strconv.Itoa(int(r.Minor)))
}

// withoutControls is a URL as Squid takes it from a helper, which may repeat what a client has sent:
// without line ends, and with other control characters escaped.
func withoutControls(url []byte) []byte {
	if !hasControl(url) {
		return url
	}
	out := make([]byte, 0, len(url)+16)
	for _, c := range url {
		switch {
		case c == '\r' || c == '\n':
		case c != '\t' && hasControl([]byte{c}): // a tab is white space, of which uri_whitespace decides
			out = fmt.Appendf(out, "%%%02X", c)
		default:
			out = append(out, c)
		}
	}
	return out
}

// hasControl says whether b has a byte that could end a line or move a terminal's cursor.
func hasControl(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c == 0x7f {
			return true
		}
	}
	return false
}

// printable returns b for a log: of endurable length, on one line.
func printable(b []byte) string {
	const enough = 1024
	tail := ""
	if len(b) > enough {
		b, tail = b[:enough], "…"
	}
	out := make([]byte, 0, len(b))
	for _, c := range b {
		if hasControl([]byte{c}) && c != '\t' {
			out = fmt.Appendf(out, `\x%02x`, c)
		} else {
			out = append(out, c)
		}
	}
	return string(out) + tail
}
