package main

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

// daemonise starts the program again in a session of its own, without a terminal, and waits until
// that one says that it serves or has ended. Until then the two share standard error.
func daemonise(args []string, stdout, stderr io.Writer) int {
	listen, ready, err := os.Pipe()
	if err != nil {
		fatal(stderr, err)
		return 1
	}
	defer listen.Close()
	child, err := again(args, args[0], roleParent, ready)
	if err == nil {
		child.Stdout, child.Stderr = stdout, stderr
		child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		err = child.Start()
	}
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

const readyWord = "serving\n"

// again is the program with the same arguments in another role, and under a name that ps(1) shows.
func again(args []string, name string, r role, inherits *os.File) (*exec.Cmd, error) {
	// systemd and others start programs by names that mean nothing here
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, args[1:]...)
	cmd.Args[0] = name
	cmd.Env = r.environment()
	cmd.ExtraFiles = []*os.File{inherits}
	return cmd, nil
}

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
