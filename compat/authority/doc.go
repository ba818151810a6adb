// Package authority is the certificate authority of a port (http_port … tls-cert=): it signs, for a
// name that a client asks for, a certificate under which the proxy may show that client a page; and for
// bumped connections (ssl_bump) imitations of the certificates that real servers have.
//
// A page of ours is no copy of anything: its certificate never depends on what the real server has.
// Such certificates are of ECDSA P-256 with one key for all of them, valid from two days ago, so that a
// client's clock may be late, for at most a year in all (398 days are what browsers take), and
// never longer than the authority's own.
//
// An Authority is safe for concurrent use: it is asked on the goroutines of handshakes.
package authority
