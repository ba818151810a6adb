// Package h1 reads and writes HTTP/1.x as bytes: heads, request targets, message framing.
//
// It is called by the engine and by Squid's world around it, on whatever goroutine they run on:
// every function is a pure function of its arguments, keeps nothing behind and does no I/O.
//
// A [Request] or [Reply] is made once, filled by [ParseRequest] or [ParseReply], and filled again
// for the next message. Everything in it is a view of the bytes that were parsed (or, where a
// canonical form differs from what was sent, of a small buffer inside it), so those bytes must stay
// where they are, unchanged, for as long as the message is looked at. Nothing is allocated for an
// ordinary message once the Request has seen one of its size. [RequestBody] and [ReplyBody] then
// say where the message ends, and the [Body] is shown the bytes that follow, in any portions.
//
// The package is strict wherever two readers could disagree, because a filter that reads a message
// differently from the server behind it is a way around the filter: repeated lengths, bare line
// feeds in chunk lines, obsolete folding, a space before the colon, hosts that need guessing. It
// never repairs such a message silently; it refuses it with a [SyntaxError]. It knows nothing of
// policy: that an origin-form request reached a forward proxy, or that FTP is not served, is for
// others to mind. It never decodes percent-escapes, and it does not read HTTP/2.
//
// Reading a request from bytes that arrive bit by bit:
//
//	n, err := h1.ParseRequest(buf, &req, h1.Limits{Relaxed: true})
//	if err == h1.ErrShort {
//		return // come back with more
//	}
//	if err != nil {
//		return refuse(err) // req.Method and req.RawTarget say what was understood
//	}
//	body, err := h1.RequestBody(&req)
//	…
//	m, err := body.Scan(buf[n:]) // m more bytes belong to this request
package h1
