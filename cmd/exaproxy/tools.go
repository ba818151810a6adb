package main

import (
	"fmt"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"exaproxy/compat"
	"exaproxy/compat/account"
)

// becomeHelpersUser makes the process run as the user that the proxy runs as, for good, so that helpers may what they
// may there.
func becomeHelpersUser(settings *compat.Settings) error {
	who, err := account.Effective(settings.Program.User, settings.Program.Group)
	if err != nil || who == nil {
		return err
	}
	syscall.Umask(settings.Program.Umask)
	if err := setUser(who); err != nil {
		return fmt.Errorf("cannot become user %s: %w", who.Name, err)
	}
	return nil
}

// isTerminal says whether what is written there is seen by somebody at once.
func isTerminal(to io.Writer) bool {
	f, ok := to.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}
