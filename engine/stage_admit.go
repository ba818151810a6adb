package engine

import (
	"bytes"
	"errors"
	"fmt"

	"exaproxy/engine/h1"
)

// admit asks the policy whether this client may ask this.
func (t *transaction) admit() stage {
	d := t.setup.policy.Admit(t.request)
	if d.Action == Pending {
		return admitting
	}
	wrong := misaddressed(t.request)
	if wrong == nil {
		t.client.bear(t.request.Packets)
		t.client.changeMark(t.request.ConnMark)
	}
	switch d.Action {
	case Serve, Redirect, Challenge:
		return t.decide(d)
	case Proceed, Refuse:
	default:
		panic("BUG: an admission that neither admits nor answers")
	}
	// Only pages of our own are served by a path alone: this port is for proxy requests.
	if wrong != nil {
		return t.failWith(wrong)
	}
	if d.Action == Refuse {
		return t.decide(d)
	}
	if hops, counted := maxForwards(t.request); counted && hops == 0 {
		t.localReply = lastHop(t.request)
		return answering
	}
	return asking
}

// lastHop answers a TRACE or OPTIONS that was to go no further than to us (RFC 9110, section
// 7.6.2): a TRACE is sent back, without what nobody else should see (section 9.3.8).
func lastHop(r *Request) LocalReply {
	if r.Method == "OPTIONS" {
		return LocalReply{Status: 200, Fields: []byte("Content-Length: 0\r\n")}
	}
	var shown h1.Header
	shown.CopyFrom(&r.Header)
	shown.Revise(func(name, value []byte) ([]byte, bool) { return value, !h1.IsCredential(name) })
	body := append(withoutUserinfo(r), "\r\n"...)
	body = append(shown.AppendTo(body), "\r\n"...)
	return LocalReply{Status: 200, Fields: fmt.Appendf(nil, "Content-Type: message/http\r\nContent-Length: %d\r\n", len(body)), Body: body}
}

// withoutUserinfo is the request's line, without the identity that a URL may bear (RFC 3986, section
// 3.2.1).
func withoutUserinfo(r *Request) []byte {
	line := bytes.Clone(r.Line)
	user := r.Target.Userinfo
	if len(user) == 0 {
		return line
	}
	return bytes.Replace(line, append(bytes.Clone(user), '@'), nil, 1)
}

// misaddressed says what is wrong with a target that names no next hop; nil if it names one.
func misaddressed(r *Request) *Failure {
	switch r.Target.Form {
	case h1.Origin:
		err := &h1.SyntaxError{Kind: h1.BadURL, What: "a request to a proxy needs a URL with scheme and host"}
		return &Failure{Kind: BadRequest, Side: ClientSide, Err: err}
	case h1.Asterisk:
		return &Failure{Kind: Unsupported, Side: ClientSide, Err: errors.New("* names no server")}
	}
	return nil
}
