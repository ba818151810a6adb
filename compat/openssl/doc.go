// Package openssl knows what OpenSSL calls things, for configurations and logs speak its language: names and
// lists of ciphers (ciphers(1)), the options of a port (SSL_CTX_set_options(3)), and the names in certificates
// as it writes them in one line (X509_NAME_oneline(3)).
//
// TLS itself is spoken by crypto/tls. What of a list or an option that cannot do is told, never pretended.
// But for a Protocol, which its owner fills, the package holds nothing.
package openssl
