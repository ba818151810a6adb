package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

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
	over := compat.Overrides{Service: o.service, Kid: o.kidMacros, Ports: o.ports, Say: say, Open: readWith(root), Glob: matchWith(root)}
	if o.trying {
		return loadTrial(o, over)
	}
	settings, err := compat.Load(o.configuration(), over)
	if err == nil && o.kidMacros {
		err = o.parentsPIDFile(settings, over)
	}
	return settings, err
}

// parentsPIDFile has the pid file be called as the parent calls it, whose macros are not a kid's: so -k
// looks for it.
func (o *options) parentsPIDFile(settings *compat.Settings, over compat.Overrides) error {
	lines, err := conf.Parse(o.configuration(), conf.Options{Open: over.Open, Glob: over.Glob, Macros: compat.Macros(o.service, false)})
	if err != nil {
		return err
	}
	for i := range lines {
		if l := &lines[i]; l.Type == conf.Setting && l.Name == "pid_filename" && len(l.Tokens) > 0 && l.Tokens[0].Text != "none" {
			settings.Program.PIDFile = l.Tokens[0].Text
		}
	}
	return nil
}

// readWith opens files, those too that only root may read.
func readWith(root *privsep.Client) conf.Open {
	return conf.FromDisk(func(name string) (*os.File, error) {
		file, err := account.Open(name)
		if !errors.Is(err, fs.ErrPermission) || root == nil {
			return file, err
		}
		file, failed := root.Read(name)
		switch {
		case failed == nil:
			return file, nil
		case errors.Is(failed, fs.ErrNotExist):
			return nil, failed // root can see that
		}
		return nil, fmt.Errorf("%w (%w)", err, failed)
	})
}

// matchWith finds files, those too in folders that only root may look into.
func matchWith(root *privsep.Client) conf.Glob {
	return func(pattern string) ([]string, error) {
		if root == nil || listable(filepath.Dir(pattern)) {
			return conf.Match(pattern)
		}
		return root.Match(pattern)
	}
}

// listable says whether we see all that is in a folder ourselves. Of several, which a pattern names, it
// does not.
func listable(dir string) bool {
	if strings.ContainsAny(dir, `*?[\`) {
		return false
	}
	f, err := os.Open(dir)
	if err != nil {
		return false
	}
	defer f.Close()
	_, err = f.Readdirnames(1)
	return err == nil || err == io.EOF
}
