package reqmod

import (
	"bytes"

	"exaproxy/compat/rewrite"
	"exaproxy/engine/h1"
)

// reply reads an answer for the client. Its body is in the chunks of res-body, or behind the head in res-hdr, where
// many helpers have it. To a CONNECT a helper may say itself that the tunnel is there, and put the reply behind that.
func (p *parser) reply(b []byte) Answer {
	reply, rest, err := readReply(b)
	if err == nil && p.request.IsConnect() && reply.Status == 200 && bytes.HasPrefix(rest, []byte("HTTP/")) {
		reply, rest, err = readReply(rest)
	}
	switch {
	case err != nil:
		return invalid("%v", err)
	case reply.Status < 200 || reply.Status > 599:
		return invalid("its reply has the status %d", reply.Status)
	}
	a := Answer{Reply: &Reply{Status: reply.Status, Reason: string(reply.Reason)}}
	if !bodiless(reply.Status) {
		a.Reply.Body = bytes.Clone(rest)
		eachChunk(p.chunks, func(data []byte) { a.Reply.Body = append(a.Reply.Body, data...) }) // it was whole before
	}
	h1.RemoveHopByHop(&reply.Header)
	reply.Header.Each(func(name, value []byte) bool {
		if !rewrite.Reserved(name) || isChallenge(name) {
			a.Reply.Header.Add(string(name), value)
		}
		return true
	})
	return a
}

// bodiless says whether replies of that status have no body (RFC 9110, section 6.4.1).
func bodiless(status int) bool { return status == 204 || status == 304 }

// isChallenge says whether a field asks for credentials: it is about one connection, and in a reply of our own it is
// about ours.
func isChallenge(name []byte) bool { return isName(name, "Proxy-Authenticate") }

// readReply reads the head of a reply, and what follows it.
func readReply(b []byte) (r *h1.Reply, rest []byte, err error) {
	text, n := cutBlank(b)
	if n == 0 {
		text, n = b, len(b) // some forget the blank line
	}
	whole := bytes.Clone(text)
	if len(whole) > 0 && whole[len(whole)-1] != '\n' {
		whole = append(whole, '\n')
	}
	r = &h1.Reply{}
	_, err = h1.ParseReply(append(whole, '\n'), r, h1.Limits{Relaxed: true})
	return r, b[n:], err
}
