// Package decision holds what an engine.Decision points to: the failure that a request is refused
// for, and the reply of our own that it is answered with.
//
// A Memory is part of what package compat keeps of a request. It is lent to the features that
// decide about the request, one after the other, on the worker's goroutine; the last to decide
// has the say. It is used again for other requests, so that a reply costs no memory.
//
// The package decides nothing, and knows no header field: features fill Memory.Reply.
package decision
