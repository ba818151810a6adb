package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"exaproxy/cmd/exaproxy/privsep"
)

// A signal has no answer. Whoever gives the order to reload listens, therefore, on a socket whose name
// the running proxy knows, and is told how it went. Each makes sure who the other is: the proxy
// tells only root and its own user, and is believed only if it is the process that got the signal.

// outcomePatience is how long an outcome is waited for, and then the teller for its hearer.
const outcomePatience = 20 * time.Second

// errNoOutcome is what there is to say if nobody tells.
var errNoOutcome = errors.New("the running proxy has not said whether it follows the new configuration; see cache.log")

// outcomeAddr is where the outcome of a reload of process pid is told. It is no file.
func outcomeAddr(pid int) *net.UnixAddr {
	return &net.UnixAddr{Name: fmt.Sprintf("@exaproxy-reload-%d", pid), Net: "unix"}
}

// hearOutcome gives an order to reload to process pid, and returns why it could not be followed. If
// somebody else has the socket's name just now, nobody tells us.
func hearOutcome(pid int, order func() error) error {
	l, err := listenInTurn(outcomeAddr(pid))
	if err != nil {
		if err := order(); err != nil {
			return err
		}
		return fmt.Errorf("whether the running proxy follows the new configuration cannot be heard: another process has taken the place where it is told (%w); see cache.log", err)
	}
	defer l.Close()
	l.SetDeadline(time.Now().Add(outcomePatience))
	asked := monotonic()
	if err := order(); err != nil {
		return err
	}
	for {
		conn, err := l.AcceptUnix()
		if err != nil {
			return errNoOutcome
		}
		began, outcome, err := readOutcome(conn, pid)
		if err == nil && began >= asked { // an earlier one's is not ours
			return outcome
		}
	}
}

// turnPatience is how long others who wait for an outcome are waited for.
const turnPatience = 10 * time.Second

// listenInTurn listens at a name that somebody else may have: another who gave the same order.
func listenInTurn(at *net.UnixAddr) (l *net.UnixListener, err error) {
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if l, err = net.ListenUnix("unix", at); !errors.Is(err, syscall.EADDRINUSE) || time.Since(began) > turnPatience {
			return l, err
		}
	}
}

// longestOutcome bounds what a teller says, in bytes.
const longestOutcome = 64 << 10

// readOutcome reads when a reload began and how it ended, if it is process pid who tells.
func readOutcome(conn *net.UnixConn, pid int) (began int64, outcome, err error) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Second))
	if peer, err := peerOf(conn); err != nil || int(peer.Pid) != pid {
		return 0, nil, errors.New("a stranger tells")
	}
	line, err := bufio.NewReader(io.LimitReader(conn, longestOutcome)).ReadString('\n')
	if err != nil {
		return 0, nil, err
	}
	stamp, why, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
	if why = privsep.Printable(why); why != "" {
		outcome = errors.New("the running proxy does not follow the new configuration: " + why)
	}
	began, err = strconv.ParseInt(stamp, 10, 64)
	return began, outcome, err
}

// tellOutcome tells whoever ordered a reload, if he listens, how it ended that began then.
func tellOutcome(began int64, outcome error) {
	dialer := net.Dialer{Timeout: time.Second}
	conn, err := dialer.Dial("unix", outcomeAddr(os.Getpid()).Name)
	if err != nil {
		return
	}
	defer conn.Close()
	peer, err := peerOf(conn.(*net.UnixConn))
	if err != nil || peer.Uid != 0 && int(peer.Uid) != os.Geteuid() {
		return
	}
	why := ""
	if outcome != nil {
		why = " " + strings.ReplaceAll(outcome.Error(), "\n", "; ")
	}
	conn.SetDeadline(time.Now().Add(time.Second))
	fmt.Fprintf(conn, "%d%s\n", began, why)
}

// peerOf is who is at the other end.
func peerOf(conn *net.UnixConn) (peer *unix.Ucred, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	failed := raw.Control(func(fd uintptr) { peer, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })
	return peer, errors.Join(failed, err)
}

// monotonic is the time on a clock that all processes share and nobody sets, in nanoseconds.
func monotonic() int64 {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		panic("BUG: there is no monotonic clock: " + err.Error())
	}
	return now.Nano()
}
