// Package explain tells what the proxy would do with a request, and why: which access list decides by which acls, what a
// helper is asked and answers, where the request would go, and what page its client would see.
//
// It is the proxy itself that is asked: an engine with one worker, the configuration's helpers and resolver, and its
// policy. Two things are different. The worker's kernel opens no port: its only client is the one end of a
// socketpair, at whose other end the request is written. And each question to the policy is put through an observer, which
// notes it with its answer, permits no address to be connected to, and has nothing logged.
//
// Command exaproxy calls Run, by way of compat's Settings, on its main goroutine. When it returns, the helpers have ended.
package explain
