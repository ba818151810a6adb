// Package ports takes from a configuration where clients connect: the directives http_port and https_port, and
// option -a of the command line; with the certificates of a port, which TLS is spoken there, and which
// certificates of clients are trusted.
//
// Package compat takes Settings from a configuration, on the goroutine that reads it; they are the
// engine's ports as they stand. What would make a port another kind of port, such as an
// accelerator's, is refused.
//
// The package opens no port.
package ports
