package ports

import (
	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/engine"
)

// divert makes the port one for clients that have never heard of it, for which options have this name, and Squid the other.
// Such a port is nothing else besides, and nobody can prove there who he is.
func divert(c *directive.Context, port *engine.Port, mode engine.Mode, o *tlsOptions, kind, enabled string) error {
	if port.Mode != engine.Forward && port.Mode != mode {
		return conf.Invalid{"FATAL: " + o.directive + ": " + kind + " requires its own interception port. It cannot be shared with other modes."}
	}
	port.Mode = mode
	c.Say(1, "Disabling Authentication on port %s (%s enabled)", port.Addr, enabled)
	return nil
}

// divert makes an https_port of such clients one whose connections are tunnels: their TLS is with whom they wanted.
func (o *tlsOptions) divert(port *engine.Port) error {
	if !o.bump {
		return conf.Invalid{"FATAL: tproxy/intercept on https_port requires ssl-bump which is missing."}
	}
	port.Tunnels = true
	return nil
}
