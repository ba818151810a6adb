// Package guard keeps clients from addresses that are the business of the proxy's own machine: its
// listening ports, link-local addresses, and those where clouds keep the secrets of their machines.
// The directive is guard, which Squid does not have.
//
// Package compat takes Settings from a configuration, on the goroutine that reads it; they do not
// change afterwards. A Policy is one worker's and is called on that worker's goroutine.
//
// Guarded is what a client named. Where a helper or the configuration sends a request is their
// business, and what an http_access line allows by a dst acl was meant.
package guard
