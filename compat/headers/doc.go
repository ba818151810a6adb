// Package headers makes the changes of Squid's to messages that pass, and names the proxy in them:
// the directives via, forwarded_for, visible_hostname, unique_hostname and
// httpd_suppress_version_string.
//
// Package compat takes Settings from a configuration, on the goroutine that reads it; they do not
// change afterwards. A Policy is one worker's and is called on that worker's goroutine: Admit
// refuses what has come back to us, Edit changes a head that is about to be sent.
//
// The package touches no hop-by-hop field, no framing and no Host: those are the engine's, and
// the header fields of our own replies are made by errpage.Identity.
package headers
