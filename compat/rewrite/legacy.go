package rewrite

import (
	"bytes"
	"strings"

	"exaproxy/engine/h1"

	"exaproxy/compat/answer"
)

// unknown reads an answer without a result, which may go on behind its first word: a whole question that is repeated,
// or a result behind what a helper took for its channel number. It must not be a target that nobody reads.
func (p *parser) unknown(line []byte) {
	p.legacy(line)
	p.refuseHidden(line, 0)
}

// legacy reads an answer without a result: those of Squid up to 3.3, and of ExaProxy 1.x.
func (p *parser) legacy(line []byte) {
	p.result, p.pairs = "Unknown", line
	if echo, garbage := cutGarbage(line); p.isSame(echo) {
		p.Garbage = garbage
		p.pairs = nil // whatever it looks like: a CONNECT may be to a host of the name 302
		return
	}
	text, ok := line, true
	for ok {
		_, text, ok = answer.Next(text)
	}
	_, behind, _ := bytes.Cut(text, space)
	if len(text) == 0 || len(text) < len(line) && bytes.Contains(behind, authority) {
		p.wrongHelper() // which of two targets behind pairs was the helper's, which the client's?
		return
	}
	if text[0] == '!' {
		if group, rest, ok := bytes.Cut(text[1:], bang); ok {
			p.group, text = group, rest
		}
		if bytes.Contains(p.group, authority) {
			p.wrongHelper() // a repeated URL, which may have ended the group itself
			return
		}
	}
	if status := leadingNumber(text); isRedirect(status) {
		p.legacyRedirect(status, text)
	} else if len(text) > 0 {
		p.legacyURL(text)
	}
}

var bang = []byte("!")

// legacyRedirect reads 302:URL, where Squid takes all that follows the first colon verbatim.
func (p *parser) legacyRedirect(status int, text []byte) {
	_, location, ok := bytes.Cut(text, colon)
	if !ok {
		p.invalid("URL-rewrite produces invalid " + string(text[:3]) + " redirect Location: " + printable(text))
		return
	}
	p.redirect(status, location)
}

var colon = []byte(":")

// legacyURL reads a URL, or a word with one of the schemes of ExaProxy 1.x. Helpers that echo
// what they were asked are common, so a URL ends at the first space; Squid does the same up to
// 3.5 and from 7.6.
func (p *parser) legacyURL(text []byte) {
	if location, ok := cutScheme(text, "redirect"); ok {
		p.redirect(found, location)
		return
	}
	if name, ok := cutScheme(text, "file"); ok {
		p.file(name)
		return
	}
	url, garbage := cutGarbage(text)
	p.Garbage = garbage
	if host, ok := cutScheme(url, "intercept"); ok {
		p.intercept(host)
		return
	}
	p.rewrite(url)
}

// cutGarbage ends text at its first space.
func cutGarbage(text []byte) (word, garbage []byte) {
	if end := bytes.IndexByte(text, ' '); end >= 0 {
		return text[:end], text[end:]
	}
	return text, nil
}

// cutScheme returns what follows scheme:// in text.
func cutScheme(text []byte, scheme string) (rest []byte, ok bool) {
	n := len(scheme) + len("://")
	if len(text) < n || !strings.EqualFold(string(text[:len(scheme)]), scheme) || string(text[len(scheme):n]) != "://" {
		return nil, false
	}
	return text[n:], true
}

// file serves a local page, with the status that a pair before it names, else with that of a refusal.
func (p *parser) file(name []byte) {
	if name = bytes.TrimSpace(name); len(name) == 0 || hasControl(name) {
		p.invalidRequest(name)
		return
	}
	p.Action, p.Name, p.Status = File, name, forbidden
	for rest, ok := p.pairs, true; ok; {
		var pair answer.Pair
		if pair, rest, ok = answer.Next(rest); !ok || string(pair.Key) != "status" {
			continue
		}
		if n := leadingNumber(pair.Text()); n >= 200 && n < 600 && n != 204 && n != 304 {
			p.Status = n
		}
	}
}

// forbidden is the status of a page that a helper names.
const forbidden = 403

// intercept goes to another host; a port that is no number means the request's.
func (p *parser) intercept(text []byte) {
	host, port, _ := bytes.Cut(bytes.TrimSuffix(text, slash), colon)
	if end := bytes.IndexByte(text, ']'); end >= 0 {
		host, port = text[:end+1], bytes.TrimPrefix(bytes.TrimSuffix(text[end+1:], slash), colon)
	}
	t, _, err := h1.ParseTarget("CONNECT", host, p.whitespace, nil)
	if err != nil {
		p.invalidRequest(text)
		return
	}
	p.Action, p.Host = Intercept, t.Host
	if n := leadingNumber(port); n < 1<<16 {
		p.Port = uint16(n)
	}
}

var slash = []byte("/")
