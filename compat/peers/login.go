package peers

import (
	"bytes"
	"encoding/base64"
	"strings"

	"exaproxy/engine"
	"exaproxy/engine/h1"
)

// login is what a peer is told of who asks (login=).
type login struct {
	passes   bool   // PASS, PASSTHRU, PROXYPASS: what the client has said
	asUser   bool   // *:password: the user's name with that password
	text     string // user:password, or for asUser what stands behind the name
	renames  bool   // PROXYPASS: to a server, the client's credentials for the proxy are those for it
	answers  bool   // PASS, PASSTHRU: the client is told how the peer wants them
	encoded  []byte // of text, if it is the same for everybody
	complete bool   // there is a login=
}

// login takes login=.
func (o *reader) login(value string) error {
	l := &o.peer.login
	*l = login{complete: value != ""}
	switch {
	case value == "":
	case value == "PASS" || value == "PASSTHRU" || value == "PROXYPASS":
		l.passes, l.renames, l.answers = true, value == "PROXYPASS", value != "PROXYPASS"
	case value == "NEGOTIATE" || strings.HasPrefix(value, "NEGOTIATE:"):
		return o.fatal("cache_peer %s: login=%s cannot be followed: there is no Kerberos client in this proxy; a parent that accepts login=user:password or that knows this machine's address needs none", o.peer.host, value)
	case value[0] == '*':
		l.asUser, l.text = true, value[1:]
	default:
		l.text = unescaped(value)
		l.encoded = basic(l.text)
	}
	return nil
}

// unescaped takes percent-encoding off; what is not well encoded stays as it is.
func unescaped(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && hex(s[i+1]) >= 0 && hex(s[i+2]) >= 0 {
			b.WriteByte(byte(hex(s[i+1])<<4 | hex(s[i+2])))
			i += 2
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// hex is the value of a digit, or -1.
func hex(c byte) int { return strings.IndexByte("0123456789abcdef", lower(c)) }

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// basic is the value of a field with credentials of the scheme Basic (RFC 7617).
func basic(userAndPassword string) []byte {
	return base64.StdEncoding.AppendEncode([]byte("Basic "), []byte(userAndPassword))
}

// give adds to the head of a request what the peer is to know of who asks. It is called with a head that has the client's
// own fields for the peer, if those are passed.
func (l *login) give(r *engine.Request, h *h1.Header, origin bool) {
	field := "Proxy-Authorization"
	if origin {
		field = "Authorization"
	}
	switch {
	case h.Has(field):
	case l.renames && origin:
		if sent := r.Header.Get("Proxy-Authorization"); len(sent) > 6 && bytes.EqualFold(sent[:6], []byte("basic ")) {
			h.Add(field, sent)
		}
	case l.passes || !l.complete:
	case l.asUser:
		h.Add(field, r.Keep(basic(userOf(r)+l.text)))
	default:
		h.Add(field, l.encoded)
	}
}

// userOf is what the client is called towards a peer.
func userOf(r *engine.Request) string {
	switch {
	case r.External.User != "":
		return r.External.User
	case r.User != "":
		return r.User
	}
	return "-"
}
