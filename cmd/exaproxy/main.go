// Command exaproxy is a proxy that takes Squid's place: it reads squid.conf, takes Squid's
// options and signals, and asks the same redirectors.
//
// # Start
//
// Without -N it goes to the background: it starts itself again in a session of its own and ends
// when that one listens, with status 0, or could not, with status 1 and the reason on standard
// error. So whoever started it knows. The configuration file is that of -f, else the first of
// /etc/squid/squid.conf and /etc/exaproxy/squid.conf that is there. It is read, the ports and
// logs are opened and the pid file is written with the rights it was started with; then, if
// those are root's, it becomes cache_effective_user for good.
//
// # Signals
//
//	TERM       no new clients; those there are have shutdown_lifetime; a second one ends them
//	INT        ends at once
//	HUP, TTIN  reads the configuration again; one that cannot be used changes nothing
//	USR1       opens the logs again, renaming the old ones if logfile_rotate says so
//	USR2       debug_options ALL,7, and back
//
// # Exit status
//
// 0: all went well. 1: it did not, and standard error or cache.log say why.
//
// -v prints the version of Squid that it is compatible with where scripts look for it, and its
// own beside it. A text of Squid's after "exception location:" is not printed.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"exaproxy/compat"
)

func main() {
	end := profile()
	status := run(os.Args, os.Stdout, os.Stderr)
	end()
	os.Exit(status)
}

// run is the program; it returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	o, err := parseOptions(args[1:])
	switch {
	case errors.Is(err, errUsage):
		usage(stderr, filepath.Base(args[0]))
		return 1
	case err != nil:
		fatal(stderr, err)
		return 1
	case o.help:
		usage(stderr, filepath.Base(args[0]))
		return 1
	case o.version:
		printVersion(stdout, o.service)
		return 0
	}
	if o.obsolete {
		say(stderr, "WARNING: -D command-line option is obsolete.")
	}
	switch {
	case o.command != "":
		return runCommand(o, stderr)
	case o.swap:
		return createSwap(o, stderr)
	case !o.foreground && !isDaemon():
		return daemonise(args, stdout, stderr)
	}
	return serve(o, stdout, stderr)
}

// say prints a line in the shape of cache.log.
func say(to io.Writer, text string) {
	fmt.Fprintf(to, "%s| %s\n", time.Now().Format("2006/01/02 15:04:05"), text)
}

// fatal prints why it ends.
func fatal(to io.Writer, err error) {
	say(to, "FATAL: "+err.Error())
	var a *abnormal
	if errors.As(err, &a) {
		terminated(to)
	}
}

func terminated(to io.Writer) {
	say(to, fmt.Sprintf("ExaProxy (Version %s): Terminated abnormally.", version))
}

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
		return o.loadTrial(over)
	}
	return compat.Load(o.configuration(), over)
}
