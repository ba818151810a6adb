// Package ports takes from a configuration where clients connect: the directive http_port, and
// option -a of the command line.
//
// Package compat takes Settings from a configuration, on the goroutine that reads it; they are the
// engine's ports as they stand. What would make a port another kind of port, such as an
// intercepting one, is refused.
//
// The package opens no port.
package ports
