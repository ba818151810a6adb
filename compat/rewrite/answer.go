package rewrite

import (
	"bytes"
	"strconv"

	"exaproxy/compat/answer"
	"exaproxy/engine"
	"exaproxy/engine/h1"
)

// An Action is what an answer asks for.
type Action uint8

const (
	Unchanged Action = iota // go on with the request as it is
	Rewrite                 // go on with Answer.Target in place of the request's
	Redirect                // answer Answer.Status with Answer.Location
	Again                   // the helper could not tell (BH): ask once more
	File                    // answer with the local page Answer.Name
	Intercept               // go to Answer.Host with the request as it is
	Invalid                 // nothing that could be done; Answer.Complaint says why
	BadTarget               // to go, or be sent, to a target that cannot be used; Answer.Complaint says why
)

// An Answer is what a helper answered.
type Answer struct {
	Action   Action
	Target   h1.Target // Rewrite: absolute form; authority form for a CONNECT
	Status   int       // Redirect: 301, 302, 303, 307 or 308; File: 403, or what the helper has said
	Location []byte    // Redirect: control characters are escaped; may be empty
	Name     []byte    // File: as given, so the caller confines it to a folder
	Host     []byte    // Intercept: a name, or an address without brackets
	Port     uint16    // Intercept: 0 is the request's
	// Complaint is what Squid would say of an Invalid answer, or a BadTarget, in cache.log.
	Complaint string
	// Garbage is what stands behind the first word of an answer without a result, with the blank before it. It is left out.
	Garbage []byte

	result  string // the first word: OK, ERR, BH, TT or Unknown
	pairs   []byte // what may begin with pairs
	message []byte // the text behind ERR and BH, the token behind TT
	group   []byte // the URL group of Squid 2
}

// ParseURL reads a URL, or a word of ExaProxy 1.x, that a helper names for r in another language than lines.
func ParseURL(url []byte, r *engine.Request, ws h1.Whitespace) Answer {
	p := parser{request: r, whitespace: ws}
	if !p.isSame(url) {
		p.legacyURL(url)
	}
	return p.Answer
}

// SetMessage has a text be the message of the answer, if there is one.
func (a *Answer) SetMessage(text []byte) { a.message = text }

// A parser makes an Answer of a line.
type parser struct {
	Answer
	request    *engine.Request
	whitespace h1.Whitespace
}

// Parse reads what a helper answered about r. ws is uri_whitespace, which applies to URLs of
// helpers too. line has neither channel number nor line end; it must be left alone for as long
// as the Answer is used.
func Parse(line []byte, r *engine.Request, ws h1.Whitespace) Answer {
	p := parser{request: r, whitespace: ws}
	word, rest, _ := bytes.Cut(line, space)
	switch string(word) {
	case "":
		if len(line) > 0 {
			p.unknown(line)
		}
	case "OK":
		p.ok(rest)
	case "ERR":
		p.noted("ERR", rest)
	case "BH":
		p.noted("BH", rest)
		p.Action = Again
	case "TT", "AF", "NA":
		p.authentication(line)
	default:
		p.unknown(line)
	}
	if p.Action == Invalid && (bytes.Contains(line, authority) || targetsNamed(line) > 0) {
		// Whatever it is, it named a target: that is never the same as to let pass.
		p.Action = BadTarget
	}
	return p.Answer
}

var space = []byte(" ")

// noted keeps the pairs and the text behind a result.
func (p *parser) noted(result string, b []byte) {
	p.result, p.pairs = result, b
	for ok := true; ok; {
		_, b, ok = answer.Next(b)
	}
	p.message = b
}

// ok reads what follows OK: url= is a redirect, rewrite-url= a rewrite, of several the first.
func (p *parser) ok(b []byte) {
	p.result, p.pairs = "OK", b
	var location, target, status answer.Pair
	for {
		next, rest, ok := answer.Next(b)
		if !ok {
			break
		}
		switch {
		case location.Key == nil && string(next.Key) == "url":
			location = next
		case target.Key == nil && string(next.Key) == "rewrite-url":
			target = next
		case status.Key == nil && string(next.Key) == "status":
			status = next
		}
		b = rest
	}
	switch {
	case location.Key != nil && status.Key != nil:
		p.redirect(leadingNumber(status.Text()), location.Text())
	case location.Key != nil:
		p.redirect(found, location.Text())
	case target.Key != nil:
		p.rewrite(target.Text())
	}
	switch {
	case p.Action == Invalid:
		p.Action = BadTarget
	case target.Key != nil:
		p.refuseHidden(p.pairs, 1)
	default:
		p.refuseHidden(p.pairs, 0)
	}
}

// authentication reads the answers that authentication helpers give. Squid lets AF pass for OK
// and NA for ERR; TT makes no sense here.
func (p *parser) authentication(line []byte) {
	word, rest, ok := bytes.Cut(line, space)
	switch {
	case !ok:
		p.unknown(line)
	case string(word) == "TT":
		p.result, p.message = "TT", rest[:answer.WordEnd(rest)]
		p.wrongHelper()
	case string(word) == "AF":
		p.result = "OK"
		p.refuseHidden(rest, 0)
	default:
		p.result = "ERR"
	}
}

// wrongHelper refuses an answer that has no place in the protocol.
func (p *parser) wrongHelper() {
	p.invalid("URL rewrite helper returned invalid result code. Wrong helper? " + p.String())
}

func (p *parser) invalid(complaint string) {
	p.Action, p.Complaint = Invalid, "ERROR: "+complaint
}

// redirect sends the client to another URL. The status must be one of a redirect.
func (p *parser) redirect(status int, location []byte) {
	if !isRedirect(status) || len(location) > maxLocation {
		p.invalid("URL-rewrite produces invalid " + strconv.Itoa(status) + " redirect Location: " + printable(location))
		return
	}
	p.Action, p.Status, p.Location = Redirect, status, withoutControls(location)
}

// maxLocation is the longest Location in bytes. (Squid 5.7 passes 9 KiB and dies of 70 KiB.)
const maxLocation = 1<<16 - 1

// found is the status of a redirect that names none.
const found = 302

func isRedirect(status int) bool {
	switch status {
	case 301, 302, 303, 307, 308:
		return true
	}
	return false
}

// leadingNumber reads the decimal number at the beginning of b, as atoi(3) does.
func leadingNumber(b []byte) (n int) {
	b = bytes.TrimPrefix(answer.SkipBlanks(b), plus)
	for _, c := range b {
		if c < '0' || c > '9' || n > 1<<20 {
			break
		}
		n = n*10 + int(c-'0')
	}
	return n
}

var plus = []byte("+")
