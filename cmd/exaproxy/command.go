package main

import (
	"errors"
	"io"
	"os"

	"exaproxy/compat"
)

// runCommand carries out -k: it reads the configuration, which says where the pid file is, and
// signals the running proxy. A configuration that cannot be used is not announced to it; one that the
// running proxy could not follow, with its lesser rights, is an error too.
func runCommand(o *options, stderr io.Writer) int {
	c, _ := findCommand(o.command)
	if c.name == "parse" {
		return parse(o, stderr)
	}
	var messages []string
	settings, err := o.load(nil, func(_ int, text string) { messages = append(messages, text) })
	if err != nil {
		for _, text := range messages {
			say(stderr, text)
		}
		rejected(stderr, err)
		return 1
	}
	switch err := c.send(settings.Program.PIDFile); {
	case errors.Is(err, errNoOutcome):
		say(stderr, "WARNING: "+err.Error())
	case err != nil:
		fatal(stderr, err)
		return 1
	}
	return 0
}

// parse shows each line of the configuration as it is read, and what there is to say about it.
func parse(o *options, stderr io.Writer) int {
	over := compat.Overrides{Service: o.service, Ports: o.ports, Echo: true, Whole: true,
		Say: func(_ int, text string) { say(stderr, text) }}
	if _, err := compat.Load(o.configuration(), over); err != nil {
		rejected(stderr, err)
		return 1
	}
	return 0
}

// rejected ends the messages about a configuration that cannot be used.
func rejected(stderr io.Writer, err error) {
	var r *compat.Rejected
	if errors.As(err, &r) && r.Fatal {
		terminated(stderr)
	}
}

// createSwap carries out -z, which service files call before each start. There is nothing to
// create; it reads the configuration as Squid does, for the sake of its errors.
func createSwap(o *options, stderr io.Writer) int {
	settings, err := o.load(nil, func(_ int, text string) { say(stderr, text) })
	if err != nil {
		rejected(stderr, err)
		return 1
	}
	if err := checkPIDFile(settings.Program.PIDFile, os.Getpid()); err != nil {
		fatal(stderr, err)
		return 1
	}
	say(stderr, "No cache_dir stores are configured.")
	return 0
}
