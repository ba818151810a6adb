// Package reqmod speaks the language of ExaProxy 1.x's "ICAP (REQMOD) like" helpers (reqmod_program): it writes the
// block that puts a request to a helper on its standard input, and reads the block that comes back. Both look like
// ICAP (RFC 3507), but there is one program and no network, nobody negotiates, and bodies of requests are never sent.
//
//	REQMOD icap://localhost/reqmod ICAP/1.0
//	Host: localhost
//	Pragma: transport=http
//	…
//	Encapsulated: req-hdr=0, null-body=36
//
//	GET http://a.example/ HTTP/1.1
//	…
//
// The answers, with line feeds or CRLF in all heads:
//
//	204                              Unchanged
//	200, req-hdr: a request          Unchanged, Rewrite, Redirect, File (GET file://NAME); its fields in Answer.Fields
//	200, req-hdr: CONNECT host:port  of a CONNECT: Rewrite
//	     the same, and a request behind it, or X-Intercept: active      Intercept
//	200, res-hdr: a reply, with or without a res-body in chunks         Answer.Reply
//
// All else is Invalid. A request in res-hdr counts as one in req-hdr, since the first versions took nothing else.
//
// Its functions have no state and are called on the worker's goroutine: Append and Parse by the policy, Length by the
// helpers' pool. Nothing of an answer goes on as it was written: Parse gives what was understood, and fields that are
// about a connection or about framing, and Host, stay the request's.
package reqmod
