package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

// notifyVariable names the socket of the service manager (sd_notify(3)).
const notifyVariable = "NOTIFY_SOCKET"

// notifySystemd sends a line to the socket that the service manager named, if there is one
// (sd_notify(3)). One that does not listen is its own affair.
func notifySystemd(state string) {
	name := os.Getenv(notifyVariable)
	if name == "" {
		return
	}
	if strings.HasPrefix(name, "@") {
		name = "\x00" + name[1:]
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Second)) // its queue may be full
	io.WriteString(conn, state)
}

// notify tells the service manager, by the parent if there is one: it listens to the main process.
func (s *server) notify(state string) {
	if s.role.kid() {
		s.root.Notify(state)
	} else {
		notifySystemd(state)
	}
}

// notifyReady says to whoever waits that the proxy serves. keep says that standard error stays open,
// for -d.
func (s *server) notifyReady(keep bool) {
	s.notify("READY=1")
	if s.role == roleDaemon {
		silence(keep)
	}
	if s.role.kid() {
		s.root.Ready(keep)
	}
}

// notifyReloading says that what was READY is not until the next time (Type=notify-reload).
func (s *server) notifyReloading(now int64) {
	s.notify(fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d", now/1000))
}
