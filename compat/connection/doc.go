// Package connection takes from a configuration how connections and messages are treated by the
// engine: the timeouts, the sizes of heads and bodies, how strictly heads are read, whether
// connections are kept, and how the client of a CONNECT learns of a verdict.
//
// Package compat takes Settings from a configuration, on the goroutine that reads it. They are
// parts of the engine's configuration; the engine follows them, and nothing here is asked about a
// request.
package connection
