package main

import (
	"errors"
	"fmt"
	"io"
	"time"
)

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

// abnormal is an error after which Squid adds that it terminated abnormally.
type abnormal struct{ text string }

func (e *abnormal) Error() string { return e.text }
