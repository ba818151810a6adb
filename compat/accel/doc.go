// Package accel is for ports where clients take the proxy for the server: http_port and https_port with the option
// accel. It makes the URL that a request there is for, and says which of them may go straight to the server that
// their URL names.
//
// The options of a port are read by package ports, which makes an engine.Site of them. Package compat asks a Policy,
// which is one worker's, on that worker's goroutine.
//
// The package never sees a reply, and chooses no server: that is for cache_peer lines and for helpers.
package accel
