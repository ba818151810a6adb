package engine

import "crypto/x509"

// SeenTLS is what was seen of the TLS that the proxy looks into: of a client's inside a CONNECT (ssl_bump), and
// of the origin's. All requests of a bumped connection share one. It is filled on the loop, and what it
// points to does not change.
type SeenTLS struct {
	// Step is the step of ssl_bump that is being decided, 1 to 3 (at_step); 0 when none is.
	Step int
	// Bumped says that the request came inside: the proxy speaks TLS in the origin's place.
	Bumped bool
	// ServerName is what the client's ClientHello asks for (SNI), "" if it names nobody or was not read.
	ServerName string
	// Server is the chain that the origin has shown, its own certificate first; empty before it has.
	Server []*x509.Certificate
	// Errors are what is wrong with Server: Faults of compat/verify, which have OpenSSL's names.
	Errors []error
}
