// Package access decides who may ask for what: the directives acl, http_access and deny_info.
//
// Package compat takes Settings from a configuration, on the goroutine that reads it; they do not
// change afterwards and all workers share them. A Policy is one worker's, and is called on that
// worker's goroutine: Admit for each request, Match for the access lists of other features, Page
// when http_access has refused, Pin when the next hop is chosen.
//
// What is known of one request, such as the names that an acl has looked up, is in a State, which
// whoever calls keeps for the request and gives to Match and Admit each time. Admit and Match may
// answer Pending; they are then called again with the same State.
//
// How acls are read and matched is package acl's business. This one never asks helpers and never
// sees a header field other than those of its own replies.
package access
