package rewrite

import (
	"bytes"
	"strings"

	"exaproxy/engine/h1"
)

// legacy reads an answer without a result: those of Squid up to 3.3, and of ExaProxy 1.x.
func (a *answer) legacy(line []byte) {
	a.result, a.pairs = "Unknown", line
	if echo, _, _ := bytes.Cut(line, space); a.isSame(echo) {
		a.pairs = nil // whatever it looks like: a CONNECT may be to a host of the name 302
		return
	}
	text, ok := line, true
	for ok {
		_, text, ok = nextPair(text)
	}
	if len(text) == 0 {
		a.wrongHelper()
		return
	}
	if text[0] == '!' {
		if group, rest, ok := bytes.Cut(text[1:], bang); ok {
			a.group, text = group, rest
		}
	}
	if status := leadingNumber(text); isRedirect(status) {
		a.legacyRedirect(status, text)
	} else if len(text) > 0 {
		a.legacyURL(text)
	}
}

var bang = []byte("!")

// legacyRedirect reads 302:URL, where Squid takes all that follows the first colon verbatim.
func (a *answer) legacyRedirect(status int, text []byte) {
	_, location, ok := bytes.Cut(text, colon)
	if !ok {
		a.invalid("URL-rewrite produces invalid " + string(text[:3]) + " redirect Location: " + printable(text))
		return
	}
	a.redirect(status, location)
}

var colon = []byte(":")

// legacyURL reads a URL, or a word with one of the schemes of ExaProxy 1.x. Helpers that echo
// what they were asked are common, so a URL ends at the first space; Squid does the same up to
// 3.5 and from 7.6.
func (a *answer) legacyURL(text []byte) {
	if location, ok := cutScheme(text, "redirect"); ok {
		a.redirect(found, location)
		return
	}
	if name, ok := cutScheme(text, "file"); ok {
		a.file(name)
		return
	}
	url, _, _ := bytes.Cut(text, space)
	if host, ok := cutScheme(url, "intercept"); ok {
		a.intercept(host)
		return
	}
	a.rewrite(url)
}

// cutScheme returns what follows scheme:// in text.
func cutScheme(text []byte, scheme string) (rest []byte, ok bool) {
	n := len(scheme) + len("://")
	if len(text) < n || !strings.EqualFold(string(text[:len(scheme)]), scheme) || string(text[len(scheme):n]) != "://" {
		return nil, false
	}
	return text[n:], true
}

// file serves a local page.
func (a *answer) file(name []byte) {
	if name = bytes.TrimSpace(name); len(name) == 0 || hasControl(name) {
		a.invalidRequest(name)
		return
	}
	a.Kind, a.Name = File, name
}

// intercept goes to another host; a port that is no number means the request's.
func (a *answer) intercept(text []byte) {
	host, port, _ := bytes.Cut(bytes.TrimSuffix(text, slash), colon)
	if end := bytes.IndexByte(text, ']'); end >= 0 {
		host, port = text[:end+1], bytes.TrimPrefix(bytes.TrimSuffix(text[end+1:], slash), colon)
	}
	t, _, err := h1.ParseTarget("CONNECT", host, a.whitespace, nil)
	if err != nil {
		a.invalidRequest(text)
		return
	}
	a.Kind, a.Host = Intercept, t.Host
	if n := leadingNumber(port); n < 1<<16 {
		a.Port = uint16(n)
	}
}

var slash = []byte("/")
