package main

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"exaproxy/cmd/exaproxy/privsep"
	"exaproxy/compat"
	"exaproxy/compat/account"
	"exaproxy/compat/conf"
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

// load reads the configuration; say gets what there is to say about it. What we may not read ourselves
// root is asked for; nil is nobody.
func (o *options) load(root *privsep.Client, say func(int, string)) (*compat.Settings, error) {
	over := compat.Overrides{Service: o.service, Kid: o.kid, Ports: o.ports, Say: say, Open: readWith(root), Glob: matchWith(root)}
	if o.trying {
		return loadTrial(o, over)
	}
	return compat.Load(o.configuration(), over)
}

// readWith opens files, those too that only root may read.
func readWith(root *privsep.Client) conf.Open {
	return func(name string) (io.ReadCloser, error) {
		file, err := account.Open(name)
		if errors.Is(err, fs.ErrPermission) {
			if file, failed := root.Read(name); failed == nil {
				return file, nil
			}
		}
		if err != nil {
			return nil, err
		}
		return file, nil
	}
}

// matchWith finds files, those too in folders that only root may look into.
func matchWith(root *privsep.Client) conf.Glob {
	return func(pattern string) ([]string, error) {
		if names, err := root.Match(pattern); err == nil {
			return names, nil
		}
		return conf.Match(pattern)
	}
}
