// Package external has helper programs decide acls: external_acl_type, and the acls of the type external.
//
// A helper is put a line that its external_acl_type describes, and the values of the acl behind that:
//
//	192.0.2.1 joe group%20a     OK, ERR or BH, each with pairs
//
// OK is a match and is remembered for ttl, ERR is none and is remembered for negative_ttl. A helper that cannot tell
// (BH) is asked three times; then, and if a question is lost or the queue is full, nobody can tell: as in Squid that ends
// the check of the access list, and nothing is allowed. cache.log says so. Requests that lead to the same line share a
// question. What is remembered is bounded by cache=, for each worker; what a helper has said to one worker the others hear
// of (Exchange), so that two of them ask twice only what they ask at the same moment.
//
// The pairs user=, tag=, log= and message= are the request's (engine.External); all of them but password= are notes.
package external
