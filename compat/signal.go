package compat

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// An Order is what the command line's -k asks of the running proxy.
type Order struct {
	Name   string
	Signal syscall.Signal // 0 for check, -1 for parse: nothing is sent
}

// orders stand in the order in which Squid compares them: the first that begins with the given
// letters is meant, so that "-k re" is reconfigure and "-k rest" restart.
var orders = [...]Order{
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

// FindOrder returns the order that text abbreviates.
func FindOrder(text string) (Order, bool) {
	if text == "" {
		return Order{}, false
	}
	for _, o := range orders {
		if strings.HasPrefix(o.Name, text) {
			return o, true
		}
	}
	return Order{}, false
}

// Send gives the order to the proxy whose pid file is at path. The error is in Squid's words.
func (o Order) Send(path string) error {
	pid, err := ReadPIDFile(path)
	if err != nil {
		return err
	}
	err = syscall.Kill(pid, o.Signal)
	if err == nil || o.Signal == 0 && errors.Is(err, syscall.EPERM) {
		return nil
	}
	return fmt.Errorf("failed to send signal %d to Squid instance with PID %d: %s", o.Signal, pid, SystemText(err))
}
