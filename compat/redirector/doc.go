// Package redirector puts requests to Squid's redirectors and does what they answer: the
// url_rewrite_ directives. In their place there may be helpers of ExaProxy 1.x, which speak
// another language: the reqmod_ directives (Kind).
//
// Package compat takes Settings from a configuration, on the goroutine that reads it; they do not
// change afterwards and all workers share them. A Policy is one worker's, and is called on that
// worker's goroutine: Question and Interpret for each request, Steer when the next hop is chosen,
// Edit when the head of the request is about to be sent.
//
// What is known of one request is in a State, which whoever calls keeps for the request from
// Interpret on, if it steers the request (State.Steers) or a reply was made of it.
//
// The pool of helpers is the engine's, and which words a line holds is package rewrite's business, or
// what a block does package reqmod's.
// Nothing here waits, and no file is opened for a request: the pages that helpers may name are read
// with the configuration.
package redirector
