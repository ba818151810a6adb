// Package auth is who clients prove to be (auth_param). The acls proxy_auth and proxy_auth_regex ask for it, and with it
// for credentials.
//
// A scheme is two types: settings (scheme), which all workers read, and who judges credentials by them for one worker
// (prover). A Policy finds it by the first word of Proxy-Authorization, and has each that is configured ask for
// credentials, in the order of the configuration. A scheme that proves connections instead of requests keeps a session
// with the connection; that is asked about all its requests then.
//
// Basic (RFC 7617) asks a helper, one line for a user and password:
//
//	j%20doe s%25cret     OK, ERR or BH, each with pairs
//
// What it has said is remembered for credentialsttl, and only if it was OK. Requests with the same credentials that
// come meanwhile share a question. Nothing of a password is kept but a hash, and none is logged. What goes wrong
// with helpers is told in cache.log and is an ERR to the client, as in Squid: it is asked for other credentials.
package auth
