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
// What is decided of each message, and where it is written that it may be so. Who refuses a request answers with the status
// that stands here, by a page of the policy's; "strict" is relaxed_header_parser off, see [Request.Conforms]. A reply is
// refused with 502 if the client has seen nothing of it, and else cut: its connection ends. What goes on is always composed
// anew of what was understood. Every row has a test of its name (TestTableOfMessages).
//
//	what there is                  | RFC        | what becomes of a request                | what becomes of a reply
//	a length                       | 9112 6.3   | so many bytes                            | so many bytes
//	no length                      | 9112 6.3   | no body                                  | a body to the end of the connection
//	a length repeated              | 9112 6.3   | counts once                              | counts once
//	equal lengths in a list        | 9112 6.3   | count once                               | count once
//	lengths that differ            | 9112 6.3   | 411                                      | 502
//	a length with a sign           | 9110 8.6   | 411                                      | 502
//	a length that is no number     | 9110 8.6   | 411                                      | 502
//	a length beyond 63 bits        | 9110 8.6   | 411                                      | 502
//	a length with leading zeros    | 9110 8.6   | goes on without them                     | goes on without them
//	chunks                         | 9112 7.1   | up to the last chunk                     | up to the last chunk; HTTP/1.0 gets none
//	chunk extensions               | 9112 7.1.1 | dropped; 16 KiB more than payload: 400   | dropped; more: cut
//	trailer fields                 | 9112 7.1.2 | dropped; more than 16 KiB: 400           | dropped; more: cut
//	a trailer that is no field     | 9112 7.1.2 | 400                                      | cut, or 502
//	a chunk size with padding      | 9112 7.1.1 | goes on without it; over 64 bytes: 400   | goes on without it; over: cut
//	a chunk size beyond 63 bits    | 9112 7.1   | 400                                      | cut, or 502
//	a chunk size that is no number | 9112 7.1   | 400                                      | cut, or 502
//	a bare LF between chunks       | 9112 7.1   | 400                                      | cut, or 502
//	no CRLF behind a chunk         | 9112 7.1   | 400                                      | cut, or 502
//	a body that is cut             | 9112 8     | the server sees it cut                   | the client sees it cut
//	chunks and a length            | 9112 6.3   | chunks; both connections end             | chunks; the connection ends
//	chunks in HTTP/1.0             | 9112 6.1   | 411                                      | chunks; the connection ends
//	another coding                 | 9112 6.1   | 501                                      | 502
//	chunked twice                  | 9112 6.1   | 501                                      | 502
//	chunked in quotes              | 9112 7     | 501                                      | 502
//	a reply without a body         | 9110 8.6   |                                          | 204, 1xx: without length; 304, HEAD: with it
//	a body of CONNECT              | 9110 9.3.6 | 411                                      |
//	a folded field                 | 9112 5.2   | 400                                      | joined
//	a space before the colon       | 9112 5.1   | 400                                      | removed
//	a space before the name        | 9112 2.2   | 400                                      | 502
//	a bare CR                      | 9112 2.2   | 400                                      | 502
//	a NUL                          | 9110 5.5   | 400                                      | 502
//	a field without a colon        | 9112 5     | 400                                      | 502
//	a bare LF in a head            | 9112 2.2   | ends a line; strict: 400                 | ends a line; strict: 502
//	a method that is no token      | 9110 9.1   | 400                                      |
//	a method in other letters      | 9110 9.1   | the one that Squid knows; strict: 400    |
//	several Hosts                  | 9112 3.2.2 | the URL's host; strict: 400              |
//	a Host that is not the URL's   | 9112 3.2.2 | the URL's host                           |
//	user information               | 9110 4.2.4 | becomes Authorization; a proxy gets none |
//	user information with an @     | 3986 3.2.1 | 400                                      |
//	a fragment                     | 9110 7.1   | goes on with the path, as in Squid       |
//	percent-encoding               | 3986 2.1   | goes on as it is                         |
//	percent-encoding in a host     | 3986 3.2.2 | 400                                      |
//	a backslash in a host          | 3986 3.2.2 | 400                                      |
//	a blank in a URL               | 9112 3     | uri_whitespace; strict: 400              |
//	a long URL                     | 9112 3     | more than 8191 bytes: 400                |
//	HTTP/0.9                       | 1945 4.1   | GET only; sent as HTTP/1.1               | gets a head; see http09
//	HTTP/0.9 and a blank           | 9112 3     | 400                                      |
//	a blank behind the version     | 9112 3     | 400                                      |
//	HTTP/1.2                       | 9110 6.2   | as HTTP/1.1                              | as HTTP/1.1
//	HTTP/2.0                       | 9110 6.2   | 505                                      | 502
//	the preface of HTTP/2          | 9113 3.4   | 505                                      |
//	empty lines in front           | 9112 2.2   | skipped                                  | HTTP/0.9
//	a huge head                    | 9110 5.4   | 431                                      | 502
//	a status that is none          | 9112 4     |                                          | 502
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
