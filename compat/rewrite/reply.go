package rewrite

import (
	"bytes"
	"strconv"

	"exaproxy/engine"
	"exaproxy/engine/h1"
)

// A Kind is what an answer asks for.
type Kind uint8

const (
	Unchanged Kind = iota // go on with the request as it is
	Rewrite               // go on with Reply.Target in place of the request's
	Redirect              // answer Reply.Status with Reply.Location
	Again                 // the helper could not tell (BH): ask once more
	File                  // answer with the local page Reply.Name
	Intercept             // go to Reply.Host with the request as it is
	Invalid               // nothing that could be done; Reply.Complaint says why
)

// A Reply is what a helper's answer means.
type Reply struct {
	Kind     Kind
	Target   h1.Target // Rewrite: absolute form; authority form for a CONNECT
	Status   int       // Redirect: 301, 302, 303, 307 or 308
	Location []byte    // Redirect: verbatim, without control characters; may be empty
	Name     []byte    // File: as given, so the caller confines it to a folder
	Host     []byte    // Intercept: a name, or an address without brackets
	Port     uint16    // Intercept: 0 is the request's
	// Complaint is what Squid would say of an Invalid answer in cache.log.
	Complaint string

	result  string // the first word: OK, ERR, BH, TT or Unknown
	pairs   []byte // what may begin with pairs
	message []byte // the text behind ERR and BH, the token behind TT
	group   []byte // the URL group of Squid 2
}

// An answer is being read.
type answer struct {
	Reply
	request    *engine.Request
	whitespace h1.Whitespace
}

// Parse reads what a helper answered about r. ws is uri_whitespace, which applies to URLs of
// helpers too. line has neither channel number nor line end; it must be left alone for as long
// as the Reply is used.
func Parse(line []byte, r *engine.Request, ws h1.Whitespace) Reply {
	a := answer{request: r, whitespace: ws}
	word, rest, _ := bytes.Cut(line, space)
	switch string(word) {
	case "":
		if len(line) > 0 {
			a.legacy(line)
		}
	case "OK":
		a.ok(rest)
	case "ERR":
		a.noted("ERR", rest)
	case "BH":
		a.noted("BH", rest)
		a.Kind = Again
	case "TT", "AF", "NA":
		a.authentication(line)
	default:
		a.legacy(line)
	}
	return a.Reply
}

var space = []byte(" ")

// noted keeps the pairs and the text behind a result.
func (a *answer) noted(result string, b []byte) {
	a.result, a.pairs = result, b
	for ok := true; ok; {
		_, b, ok = nextPair(b)
	}
	a.message = b
}

// ok reads what follows OK: url= is a redirect, rewrite-url= a rewrite, of several the first.
func (a *answer) ok(b []byte) {
	a.result, a.pairs = "OK", b
	var location, target, status pair
	for {
		p, rest, ok := nextPair(b)
		if !ok {
			break
		}
		switch {
		case location.key == nil && string(p.key) == "url":
			location = p
		case target.key == nil && string(p.key) == "rewrite-url":
			target = p
		case status.key == nil && string(p.key) == "status":
			status = p
		}
		b = rest
	}
	switch {
	case location.key != nil && status.key != nil:
		a.redirect(leadingNumber(status.unquoted()), location.unquoted())
	case location.key != nil:
		a.redirect(found, location.unquoted())
	case target.key != nil:
		a.rewrite(target.unquoted())
	}
}

// authentication reads the answers that authentication helpers give. Squid lets AF pass for OK
// and NA for ERR; TT makes no sense here.
func (a *answer) authentication(line []byte) {
	word, rest, ok := bytes.Cut(line, space)
	switch {
	case !ok:
		a.legacy(line)
	case string(word) == "TT":
		a.result, a.message = "TT", rest[:wordEnd(rest)]
		a.wrongHelper()
	case string(word) == "AF":
		a.result = "OK"
	default:
		a.result = "ERR"
	}
}

// wrongHelper refuses an answer that has no place in the protocol.
func (a *answer) wrongHelper() {
	a.invalid("URL rewrite helper returned invalid result code. Wrong helper? " + a.String())
}

func (a *answer) invalid(complaint string) {
	a.Kind, a.Complaint = Invalid, "ERROR: "+complaint
}

// redirect sends the client to another URL. The status must be one of a redirect, and the
// location must not end its field.
func (a *answer) redirect(status int, location []byte) {
	if !isRedirect(status) || len(location) > maxLocation || hasControl(location) {
		a.invalid("URL-rewrite produces invalid " + strconv.Itoa(status) + " redirect Location: " + printable(location))
		return
	}
	a.Kind, a.Status, a.Location = Redirect, status, location
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
	b = bytes.TrimPrefix(skipBlanks(b), plus)
	for _, c := range b {
		if c < '0' || c > '9' || n > 1<<20 {
			break
		}
		n = n*10 + int(c-'0')
	}
	return n
}

var plus = []byte("+")
