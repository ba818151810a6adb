package ports

import (
	"fmt"

	"exaproxy/compat/conf"
	"exaproxy/engine"
)

// setMode makes the port one for clients that have never heard of it. Such a port is nothing else besides.
func setMode(port *engine.Port, o *tlsOptions, mode engine.Mode, name string) error {
	if port.Mode != engine.Forward && port.Mode != mode {
		return conf.Invalid{fmt.Sprintf("FATAL: %s: %s mode requires its own interception port. It cannot be shared with other modes.", o.directive, name)}
	}
	port.Mode = mode
	return nil
}

// divert makes an https_port of such clients one whose connections are tunnels: their TLS is with whom they wanted.
func (o *tlsOptions) divert(port *engine.Port) error {
	if !o.bump {
		return o.invalid("clients speak TLS with whom they wanted to reach, not with this port: intercept and tproxy need ssl-bump here")
	}
	port.Tunnels = true
	return nil
}
