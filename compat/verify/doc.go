// Package verify says what is wrong with the certificates that an origin server shows, in the words of
// OpenSSL and Squid: X509_V_ERR_CERT_HAS_EXPIRED. Acls (ssl_error), sslproxy_cert_error and error pages (%x,
// %D) go by these.
//
// It has what a verdict goes by, too: who is trusted (Authorities) and what was revoked (Revoked), of files that are
// lent to it when a configuration is read.
//
// Its other functions only read what they are given and are safe for concurrent use. Chain computes, for
// milliseconds: it is called on the goroutines of handshakes.
package verify
