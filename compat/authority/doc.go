// Package authority is the certificate authority of a port (http_port … tls-cert=): it signs, for a
// name that a client asks for, a certificate under which the proxy may show that client a page.
//
// It never looks at the certificate that the real server has: a page of ours is no copy of anything.
// Certificates are of ECDSA P-256 with one key for all of them, valid from two days ago, so that a
// client's clock may be late, for at most a year in all (398 days are what browsers take), and
// never longer than the authority's own.
//
// An Authority is safe for concurrent use: it is asked on the goroutines of handshakes.
package authority
