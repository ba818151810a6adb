package reqmod

import (
	"bytes"
	"fmt"
	"strconv"

	"exaproxy/compat/rewrite"
	"exaproxy/engine"
	"exaproxy/engine/h1"
)

// An Answer is what a helper answered.
type Answer struct {
	// Answer is what becomes of the request, as an answer of a URL rewriter says it.
	rewrite.Answer
	// Fields are to go on in the place of the request's, but for those that are not a helper's business
	// (rewrite.Reserved). nil: the request's stay.
	Fields *h1.Header
	// Reply is the answer for the client. nil: there is none; else the action is Unchanged.
	Reply *Reply
}

// A Reply is an answer of a helper's own: without what is about the connection or about framing.
type Reply struct {
	Status int // 200 to 599
	Reason string
	Header h1.Header
	Body   []byte
}

// Parse reads what a helper answered about r: a whole answer, as Framing cuts it. ws is uri_whitespace. b must be left
// alone for as long as the Answer is used. What cannot be read, or be done, is Invalid or BadTarget.
func Parse(b []byte, r *engine.Request, ws h1.Whitespace) Answer {
	m, n, err := split(b)
	if err != nil || n == 0 {
		return invalid("it cannot be read: %v", err)
	}
	p := parser{block: m, request: r, whitespace: ws}
	a := p.parse()
	a.SetMessage(m.comment)
	return a
}

// A parser makes an Answer of a block.
type parser struct {
	block
	request    *engine.Request
	whitespace h1.Whitespace
}

func (p *parser) parse() Answer {
	switch p.status {
	case 204:
		return Answer{}
	case 200:
	default:
		return invalid("its status is %d, and only 200 and 204 mean something", p.status)
	}
	if _, listed := p.part("req-body"); listed {
		return invalid("it has another body for the request")
	}
	reply, _ := p.part("res-hdr")
	request, _ := p.part("req-hdr")
	switch {
	case len(reply) > 0 && len(request) > 0:
		return invalid("it has both req-hdr and res-hdr")
	case len(reply) > 0 && bytes.HasPrefix(reply, []byte("HTTP/")):
		return p.reply(reply)
	case len(reply) > 0:
		request = reply // as the first versions had it
	case len(request) == 0:
		return invalid("it is 200, and has neither req-hdr nor res-hdr")
	}
	if len(p.chunks) > 0 {
		return invalid("it has a body that belongs to no reply")
	}
	return p.modify(request)
}

// invalid is an answer that makes no sense, or cannot be followed.
func invalid(format string, args ...any) Answer {
	return Answer{Answer: rewrite.Answer{Action: rewrite.Invalid, Complaint: "ERROR: REQMOD helper returned an invalid answer: " + fmt.Sprintf(format, args...)}}
}

// a head is that of a request that a helper wants made.
type head struct {
	method string
	target []byte
	fields *h1.Header
	rest   []byte // what follows it
}

// readHead reads the head of a request. Its target is not looked at.
func readHead(b []byte) (h head, err error) {
	text, n := cutBlank(b)
	if n == 0 {
		text, n = b, len(b) // some forget the blank line
	}
	line, fields, _ := bytes.Cut(text, lineFeed)
	words := bytes.Fields(line)
	if len(words) != 3 || !bytes.HasPrefix(words[2], []byte("HTTP/")) {
		return h, fmt.Errorf("%s is no request line", strconv.Quote(string(line[:min(len(line), 100)])))
	}
	whole := append([]byte("GET / HTTP/1.1\n"), fields...)
	if len(fields) > 0 && fields[len(fields)-1] != '\n' {
		whole = append(whole, '\n')
	}
	var parsed h1.Request
	if _, err = h1.ParseRequest(append(whole, '\n'), &parsed, h1.Limits{Relaxed: true}); err != nil {
		return h, err
	}
	return head{string(words[0]), words[1], &parsed.Header, b[n:]}, nil
}

// modify reads a request that is to take the place of the client's.
func (p *parser) modify(b []byte) Answer {
	h, err := readHead(b)
	switch {
	case err != nil:
		return invalid("%v", err)
	case h.method == "CONNECT":
		return p.connect(h)
	case len(bytes.TrimSpace(h.rest)) > 0:
		return invalid("something follows the head of its request")
	case p.request.IsConnect():
		return Answer{Answer: p.named(p.url(h))} // a page, to be shown in the place of a tunnel
	}
	return p.replaced(h)
}

// connect reads a CONNECT: the tunnel goes elsewhere, or the request goes to another server.
func (p *parser) connect(h head) Answer {
	more := len(bytes.TrimSpace(h.rest)) > 0
	switch {
	case !more && !p.intercept && p.request.IsConnect():
		return Answer{Answer: p.named(h.target)}
	case !more && !p.intercept:
		return invalid("it wants a CONNECT in the place of a %s", p.request.Method)
	}
	to := p.named(append([]byte("intercept://"), h.target...))
	if to.Action != rewrite.Intercept || !more || p.request.IsConnect() {
		return Answer{Answer: to}
	}
	second, err := readHead(h.rest)
	if err != nil || len(bytes.TrimSpace(second.rest)) > 0 {
		return invalid("what follows its CONNECT is no request: %v", err)
	}
	a := p.replaced(second)
	switch a.Action {
	case rewrite.Unchanged:
		a.Answer = to
	case rewrite.Rewrite:
		a.Host, a.Port = to.Host, to.Port
	}
	return a
}

// replaced is the answer that has h go on in the place of a request that is no CONNECT.
func (p *parser) replaced(h head) Answer {
	if h.method != p.request.Method {
		return invalid("it wants a %s in the place of a %s", h.method, p.request.Method)
	}
	a := Answer{Answer: p.named(p.url(h))}
	if a.Action != rewrite.Unchanged && a.Action != rewrite.Rewrite {
		return a
	}
	if host := h.fields.Get("Host"); len(host) > 0 && !p.fits(host, &a) {
		a.Action, a.Complaint = rewrite.BadTarget, "ERROR: REQMOD helper named one host in its URL and another in its Host field: "+strconv.Quote(string(host))
		return a
	}
	h1.RemoveHopByHop(h.fields)
	a.Fields = h.fields
	return a
}

// fits says whether a Host field is the client's own, or that of the URL.
func (p *parser) fits(host []byte, a *Answer) bool {
	target := p.request.Target
	if a.Action == rewrite.Rewrite {
		target = a.Target
	}
	named, _, err := h1.ParseTarget("CONNECT", host, p.whitespace, nil)
	return bytes.Equal(host, p.request.Header.Get("Host")) || err == nil && bytes.Equal(named.Host, target.Host)
}

// url is where h wants to go: its URL, which may be a path on the host of its Host field, or of the request's.
func (p *parser) url(h head) []byte {
	if len(h.target) == 0 || h.target[0] != '/' {
		return h.target
	}
	t := &p.request.Target
	scheme := t.Scheme
	if scheme == "" {
		scheme = "http" // of a CONNECT
	}
	host := h.fields.Get("Host")
	if len(host) == 0 || bytes.Equal(host, p.request.Header.Get("Host")) {
		host = t.AppendHost(nil)
	}
	url := append(append(append([]byte(scheme), "://"...), host...), h.target...)
	return url
}

// named is the answer of a helper that names a URL, which is never the same as to let pass.
func (p *parser) named(url []byte) rewrite.Answer {
	a := rewrite.ParseURL(url, p.request, p.whitespace)
	if a.Action == rewrite.Invalid {
		a.Action = rewrite.BadTarget
	}
	return a
}
