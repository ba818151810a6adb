package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"exaproxy/compat/helpertest"
)

// say prints a line in the shape of cache.log. What a configuration has in it steers no terminal.
func say(to io.Writer, text string) {
	fmt.Fprintf(to, "%s| %s\n", time.Now().Format("2006/01/02 15:04:05"), harmless(text))
}

// harmless is a line for a terminal: control characters as \xNN, but for tabs.
func harmless(line string) string {
	parts := strings.Split(line, "\t")
	for i, part := range parts {
		parts[i] = helpertest.Printable([]byte(part), math.MaxInt)
	}
	return strings.Join(parts, "\t")
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

// abnormal is an error after which Squid adds that it terminated abnormally.
type abnormal struct{ text string }

func (e *abnormal) Error() string { return e.text }
