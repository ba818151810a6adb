package main

import (
	"errors"
	"fmt"
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

// send signals the proxy whose pid file is at path. The error is in Squid's words.
func (c command) send(path string) error {
	pid, err := readPIDFile(path)
	if err != nil {
		return err
	}
	err = syscall.Kill(pid, c.signal)
	if err == nil || c.signal == 0 && errors.Is(err, syscall.EPERM) {
		return nil
	}
	return fmt.Errorf("failed to send signal %d to Squid instance with PID %d: %s", c.signal, pid, conf.SystemText(err))
}
