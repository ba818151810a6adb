package acceptance

import (
	"syscall"
	"time"
)

// Reloads come several at a time, as of somebody who is impatient.
var reloads = badPeer{"reloads", 1, 3 * time.Second, func(s *storm, number int) {
	for range 5 {
		s.x.cmd.Process.Signal(syscall.SIGHUP)
	}
}}

var rotations = badPeer{"rotations", 1, 4 * time.Second, func(s *storm, number int) {
	s.x.cmd.Process.Signal(syscall.SIGUSR1)
}}
