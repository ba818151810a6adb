package engine

import "exaproxy/engine/h1"

// headless is the head that a reply gets which has none, as a server of HTTP/0.9 sends it: Squid's.
var headless = []byte("HTTP/1.1 200 OK\r\nX-Transformed-From: HTTP/0.9\r\nMime-Version: 1.0\r\nExpires: -1\r\n\r\n")

// mayBeHeadless says whether a reply may be of HTTP/0.9, or of Shoutcast (ICY). On a connection on which the server has
// spoken HTTP/1.x before, what does not begin like that may be the rest of a reply to somebody else. A tunnel is opened by
// a proxy, which has a head.
func (t *transaction) mayBeHeadless() bool {
	return t.stage == relaying && !t.setup.config.NoHTTP09 && !t.record.Reused && t.interims == 0 && !t.request.IsConnect()
}

// answeredHeadless says whether a server that has closed has answered so little that it cannot be the beginning of a head.
func (t *transaction) answeredHeadless(err error) bool {
	n := len(t.down.buf.bytes())
	return eof(err) && 0 < n && n < len("HTTP/") && t.mayBeHeadless()
}

// relayHeadless relays a reply that has no head.
func (t *transaction) relayHeadless() stage {
	if _, err := h1.ParseReply(headless, &t.client.worker.head, h1.Limits{}); err != nil {
		panic("BUG: the head of those that have none cannot be read: " + err.Error())
	}
	next, _ := t.gotReplyHead(headless, 0)
	return next
}
