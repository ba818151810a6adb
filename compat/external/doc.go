// Package external has helper programs decide acls: external_acl_type, and the acls of the type external.
//
// A helper is put a line that its external_acl_type describes, and the values of the acl behind that:
//
//	192.0.2.1 joe group%20a     OK, ERR or BH, each with pairs
//
// OK is a match and is remembered for ttl, ERR is none and is remembered for negative_ttl. A helper that cannot tell
// (BH) is asked three times; then, and if a question is lost or the queue is full, the acl does not match, as in Squid,
// and cache.log says so. Requests that lead to the same line share a question. What is remembered is bounded by cache=.
//
// The pairs user=, tag=, log= and message= are the request's (engine.External); all of them are notes.
package external
