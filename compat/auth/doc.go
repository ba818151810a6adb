// Package auth is who clients prove to be (auth_param). The acls proxy_auth and proxy_auth_regex ask for it, and with it
// for credentials.
//
// A scheme is two types: settings (scheme), which all workers read, and who judges credentials by them for one worker
// (prover). A Policy finds it by the first word of Proxy-Authorization (of Authorization, on an accelerator's port), and has each that is configured ask for
// credentials, in the order of the configuration. A scheme that proves connections instead of requests keeps a session
// with the connection; that is asked about all its requests then.
//
// Basic (RFC 7617) asks a helper, one line for a user and password:
//
//	j%20doe s%25cret     OK, ERR or BH, each with pairs
//
// What it has said is remembered for credentialsttl, and only if it was OK. Nothing of a password is kept but a hash.
//
// Digest (RFC 7616, with MD5 as in Squid 5) asks a helper for what it judges responses by:
//
//	"bob":"the realm"    OK ha1="…", ERR or BH; before Squid 3.4 the bare HA1
//
// What it has said is remembered for authenticate_ttl. A response that does not fit that is put to the helper once, as
// the password may have been changed. Nonces and the counts of them that were used are shared by all workers, without a
// lock (nonces), so that no request is let through twice.
//
// Requests with the same credentials that come meanwhile share a question. Neither passwords nor HA1s are logged. What
// goes wrong with helpers is told in cache.log and is an ERR to the client, as in Squid: it is asked for other
// credentials.
//
// NTLM and Negotiate (RFC 4559) prove connections. A helper is asked in turn about the tokens of one client, which is a
// conversation of package helper:
//
//	YR token     TT token: the client is to come again with another, which is asked as KK token
//	             AF user, AF token user; NA why; BH why; or OK, ERR and BH with pairs
//
// The handshake is a session of its connection, and then who the client is: all its requests are, whatever credentials
// they have. Nothing of it goes to another connection, nor to the policy of a configuration that comes later. No token
// is kept or logged.
//
// From where users come is counted for the acl max_user_ip (addresses). Workers tell one another by their mailboxes.
package auth
