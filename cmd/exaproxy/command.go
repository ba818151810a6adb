package main

import (
	"errors"
	"io"

	"exaproxy/compat"
)

// command carries out -k: it reads the configuration, which tells where the pid file is, and
// gives the order. A configuration that the running proxy could not use is not announced to it.
func command(o *options, stderr io.Writer) int {
	order, _ := compat.FindOrder(o.order)
	if order.Name == "parse" {
		return parse(o, stderr)
	}
	var said []string
	settings, err := o.load(func(_ int, text string) { said = append(said, text) })
	if err != nil {
		for _, text := range said {
			say(stderr, text)
		}
		rejected(stderr, err)
		return 1
	}
	if err := order.Send(settings.PIDFile); err != nil {
		fatal(stderr, err)
		return 1
	}
	return 0
}

// parse shows each line of the configuration as it is read, and what there is to say about it.
func parse(o *options, stderr io.Writer) int {
	over := compat.Overrides{Service: o.service, Ports: o.ports, Echo: true,
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

// swap carries out -z, which service files call before each start. It reads the configuration
// as Squid does, for the sake of its errors.
func swap(o *options, stderr io.Writer) int {
	var said []string
	settings, err := o.load(func(_ int, text string) { said = append(said, text) })
	for _, text := range said {
		say(stderr, text)
	}
	if err != nil {
		rejected(stderr, err)
		return 1
	}
	if err := compat.CheckPIDFile(settings.PIDFile); err != nil {
		fatal(stderr, err)
		return 1
	}
	say(stderr, "No cache_dir stores are configured.")
	return 0
}
