// Package bump says what becomes of the tunnels that clients ask for by CONNECT, on ports that have the option
// ssl-bump: the directives ssl_bump and on_unsupported_protocol.
//
// The rules are asked up to three times: when the CONNECT is allowed, when the ClientHello has been read, and
// when the server has shown itself. At each step the first rule counts whose acls match and whose action is
// possible there. The request's TLS (engine.SeenTLS) says which step it is and what has been seen.
//
// Package compat takes Settings from a configuration, on the goroutine that reads it; a Policy belongs to one
// worker's goroutine. How tunnels are looked into is the engine's business; certificates are those of
// package authority.
package bump
