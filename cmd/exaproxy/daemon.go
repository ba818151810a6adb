package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// readyVariable is set for the process in the background: its parent waits, on descriptor 3, for the
// word that it listens.
const readyVariable = "EXAPROXY_READY"

const readyDescriptor = 3

// isDaemon says whether this is the process in the background, before it has said that it listens.
func isDaemon() bool { return os.Getenv(readyVariable) != "" }

// daemonise starts the program again in a session of its own, without a terminal, and waits until
// that one says that it listens or has ended. Until then the two share standard error.
func daemonise(args []string, stdout, stderr io.Writer) int {
	// systemd and others start programs by names that mean nothing here
	self, err := os.Executable()
	if err != nil {
		fatal(stderr, err)
		return 1
	}
	listen, ready, err := os.Pipe()
	if err != nil {
		fatal(stderr, err)
		return 1
	}
	defer listen.Close()
	child := exec.Command(self, args[1:]...)
	child.Args[0] = args[0]
	child.Env = append(os.Environ(), readyVariable+"=1")
	child.Stdout, child.Stderr = stdout, stderr
	child.ExtraFiles = []*os.File{ready}
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = child.Start()
	ready.Close()
	if err != nil {
		fatal(stderr, err)
		return 1
	}
	stop := forwardSignals(child.Process)
	defer stop()
	word, _ := bufio.NewReader(listen).ReadString('\n')
	if word == readyWord {
		return 0
	}
	err = child.Wait()
	var status *exec.ExitError
	if errors.As(err, &status) && !status.Exited() {
		fatal(stderr, errors.New("the process in the background was ended: "+status.String()))
	}
	return 1
}

const readyWord = "listening\n"

// forwardSignals passes the signals that end a program on to the process in the background, which
// no terminal does any more.
func forwardSignals(child *os.Process) (stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		for s := range signals {
			child.Signal(s)
		}
	}()
	return func() { signal.Stop(signals); close(signals) }
}

// notifyReady says to whoever waits that the proxy listens: the parent of a process in the
// background, and the service manager of sd_notify(3). keep says that standard error stays open, for -d.
func notifyReady(keep bool) {
	notifySystemd("READY=1")
	if !isDaemon() {
		return
	}
	os.Unsetenv(readyVariable) // no affair of the helpers'
	parent := os.NewFile(readyDescriptor, "parent")
	if null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0); err == nil {
		// The parent's streams may be pipes that somebody reads to their end.
		for fd := range 3 {
			if fd < 2 || !keep {
				syscall.Dup3(int(null.Fd()), fd, 0)
			}
		}
		null.Close()
	}
	io.WriteString(parent, readyWord) // a parent that is gone has stopped waiting
	parent.Close()
}

// notifySystemd sends a line to the socket that the service manager named, if there is one
// (sd_notify(3)). One that does not listen is its own affair.
func notifySystemd(state string) {
	name := os.Getenv("NOTIFY_SOCKET")
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

// notifyReloading says that what was READY is not until the next time (Type=notify-reload).
func notifyReloading(now int64) {
	notifySystemd(fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d", now/1000))
}
