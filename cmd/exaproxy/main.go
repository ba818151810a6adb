// Command exaproxy is a proxy that takes Squid's place: it reads squid.conf, takes Squid's
// options and signals, and asks the same redirectors.
//
// # Start
//
// Without -N it goes to the background: it starts itself again in a session of its own and ends
// when that one serves, with status 0, or could not, with status 1 and the reason on standard
// error. So whoever started it knows. In the background there are two processes: a parent, which
// has the pid file, keeps its rights and starts the other, which serves, and again if that
// crashes. With --foreground the parent stays in the foreground, with -N there is none.
//
// The configuration file is that of -f, else the first of /etc/squid/squid.conf and
// /etc/exaproxy/squid.conf that is there. It is read, the ports and logs are opened and the pid
// file is written with the rights it was started with; then, if those are root's, the process that
// serves becomes cache_effective_user for good. What only root may, later, it asks its parent for,
// or with -N a process that it has started for that (package privsep).
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
	"strings"
)

func main() {
	end := profile()
	status := run(os.Args, os.Stdout, os.Stderr)
	end()
	os.Exit(status)
}

// run is the program; it returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	if len(args) > 1 {
		switch args[1] {
		case makeCAWord:
			return makeCA(args[2:], stdout, stderr)
		case helperTestWord:
			return tryHelpers(args[2:], os.Stdin, stdout, stderr)
		case checkConfigWord:
			return checkConfig(args[2:], stdout, stderr)
		case explainWord:
			return explainRequest(args[2:], stdout, stderr)
		}
	}
	o, err := parseOptions(args[1:])
	switch {
	case errors.Is(err, errUsage):
		if text, found := strings.CutSuffix(err.Error(), ": "+errUsage.Error()); found {
			fmt.Fprintf(stderr, "%s: %s\n", filepath.Base(args[0]), text)
		}
		usage(stderr, filepath.Base(args[0]))
		return 1
	case err != nil:
		fatal(stderr, err)
		return 1
	case o.help:
		usage(stderr, filepath.Base(args[0]))
		return 1
	case o.version:
		printVersion(stdout, o)
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
	}
	return takeRole().run(o, args, stdout, stderr)
}
