// Package h1 reads and writes HTTP/1.x as bytes: heads, request targets, message framing.
//
// Every function is a pure function of its arguments, keeps nothing and does no I/O, so that it may be
// called on any goroutine.
//
// A [Request] or [Reply] is made once, filled by [ParseRequest] or [ParseReply], and filled again
// for the next message. Everything in it is a view of the bytes that were parsed (or, where a
// canonical form differs from what was sent, of a small buffer inside it), so those bytes must stay
// where they are, unchanged, for as long as the message is looked at. Nothing is allocated for an
// ordinary message once the Request has held one of its size. [RequestBody] and [ReplyBody] then
// return where the message ends: the [Body] scans the bytes that follow, in any portions.
//
// The package is strict wherever two readers could disagree, because a filter that reads a message
// differently from the server behind it is a way around the filter: lengths that differ, bare line
// feeds in chunk lines, obsolete folding, a space before the colon. It refuses such a message with
// a [SyntaxError]. Equal lengths that are repeated count as one (RFC 9112, section 6.3). It has no
// policy: it accepts an origin-form request or an FTP URL, whether or not its caller does. It never
// decodes percent-escapes, and it does not read HTTP/2.
//
// Reading a request from bytes that arrive bit by bit:
//
//	n, err := h1.ParseRequest(buf, &req, h1.Limits{Relaxed: true})
//	if err == h1.ErrShort {
//		return // come back with more
//	}
//	if err != nil {
//		return refuse(err) // req.Method and req.RawTarget are what was understood
//	}
//	body, err := h1.RequestBody(&req)
//	…
//	out, m, err := body.Pass(buf[n:]) // m more bytes belong to this request; out of them go on
package h1
