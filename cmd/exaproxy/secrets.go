package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"exaproxy/compat"
)

// protectKeys has the kernel write no core of the proxy once it has private keys, and let nobody of the same user,
// such as a helper, read its memory (PR_SET_DUMPABLE). After root's rights are given up it is so anyway. Cores of
// helpers are theirs, in coredump_dir. Go writes none of its own without GOTRACEBACK=crash; who sets that wants one.
func (s *server) protectKeys(settings *compat.Settings) {
	if !settings.HasKeys() {
		return
	}
	if os.Getenv("GOTRACEBACK") == "crash" {
		s.log.Say(1, "WARNING: GOTRACEBACK=crash: a core of the proxy has its private keys in it")
		return
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		s.log.Say(1, fmt.Sprintf("WARNING: a core of the proxy may have its private keys in it: prctl: %s", err))
	}
}
