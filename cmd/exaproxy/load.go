package main

import (
	"os"

	"exaproxy/compat"
)

// configPaths are where the configuration is looked for.
var configPaths = [...]string{"/etc/squid/squid.conf", "/etc/exaproxy/squid.conf"}

// configuration is the file to read. If there is none anywhere, it is the first path, so that
// the message names it as Squid's does.
func (o *options) configuration() string {
	if o.file != "" {
		return o.file
	}
	for _, path := range configPaths {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return configPaths[0]
}

// load reads the configuration; say gets what there is to say about it.
func (o *options) load(say func(int, string)) (*compat.Settings, error) {
	over := compat.Overrides{Service: o.service, Ports: o.ports, Say: say}
	if o.trying {
		return loadTrial(o, over)
	}
	return compat.Load(o.configuration(), over)
}
