package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"exaproxy/compat/conf"
)

// A command is what -k asks of the running proxy.
type command struct {
	name   string
	signal syscall.Signal // 0 for check, -1 for parse: nothing is sent
}

// commands stand in the order in which Squid compares them: the first that begins with the given
// letters is meant, so that "-k re" is reconfigure and "-k rest" restart.
var commands = [...]command{
	{"reconfigure", syscall.SIGHUP},
	{"rotate", syscall.SIGUSR1},
	{"debug", syscall.SIGUSR2},
	{"shutdown", syscall.SIGTERM},
	{"interrupt", syscall.SIGINT},
	{"kill", syscall.SIGKILL},
	{"restart", syscall.SIGTTIN},
	{"check", 0},
	{"parse", -1},
}

// findCommand returns the command that text abbreviates.
func findCommand(text string) (command, bool) {
	if text == "" {
		return command{}, false
	}
	for _, c := range commands {
		if strings.HasPrefix(c.name, text) {
			return c, true
		}
	}
	return command{}, false
}

// reloads says whether the command has the configuration read again.
func (c command) reloads() bool { return c.signal == syscall.SIGHUP || c.signal == syscall.SIGTTIN }

// send signals the proxy whose pid file is at path, and has it say how a reload went. The error is in
// Squid's words where it has any.
func (c command) send(path string) error {
	pid, err := readPIDFile(path)
	if err != nil {
		return err
	}
	if c.reloads() {
		return hearOutcome(pid, func() error { return c.kill(pid) })
	}
	return c.kill(pid)
}

func (c command) kill(pid int) error {
	if c.signal != 0 && !isProxy(pid) {
		return fmt.Errorf("process %d, which the pid file names, is no proxy: the file is a leftover", pid)
	}
	err := syscall.Kill(pid, c.signal)
	if err == nil || c.signal == 0 && errors.Is(err, syscall.EPERM) {
		return nil
	}
	return fmt.Errorf("failed to send signal %d to Squid instance with PID %d: %s", c.signal, pid, conf.SystemText(err))
}

// caught are the signals that the running program gets. Those that end it have a channel of their own:
// package signal drops what finds a channel full, and nobody is to fill this one.
type caught struct{ end, other chan os.Signal }

func catchSignals() *caught {
	c := &caught{end: make(chan os.Signal, 8), other: make(chan os.Signal, 8)}
	signal.Notify(c.end, syscall.SIGTERM, syscall.SIGINT)
	signal.Notify(c.other, syscall.SIGHUP, syscall.SIGTTIN, syscall.SIGUSR1, syscall.SIGUSR2)
	signal.Ignore(syscall.SIGPIPE)
	return c
}
