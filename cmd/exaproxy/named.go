package main

import (
	"errors"

	"exaproxy/cmd/exaproxy/privsep"
	"exaproxy/compat"
	"exaproxy/compat/logs"
)

// named is what the configuration names now.
func (o *options) named() (*privsep.Named, error) {
	if o.trying {
		return nil, errors.New("nothing is opened for --try")
	}
	written := []string{logs.Defaults().CacheLog, logs.DefaultAccessLog}
	return privsep.NewNamed(o.configuration(), compat.Macros(o.service, o.kidMacros), o.ports, written)
}
