package main

import (
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"exaproxy/cmd/exaproxy/privsep"
	"exaproxy/compat"
	"exaproxy/compat/account"
	"exaproxy/compat/logs"
)

// startRoot starts the process that keeps root's rights for a proxy without a parent (-N). It ends when
// the proxy does.
func startRoot(args []string) (*privsep.Client, error) {
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	keeper, err := again(args, "("+filepath.Base(args[0])+"-root)", roleRoot, theirs)
	if err == nil {
		err = keeper.Start() // with standard streams that go nowhere
	}
	if err != nil {
		ours.Close()
		return nil, err
	}
	go keeper.Wait()
	return privsep.NewClient(ours)
}

// keepRoot is that process's whole life; it returns the exit status. Signals to all of a terminal's or a
// service's processes are the proxy's affair.
func keepRoot(o *options) int {
	signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGTTIN, syscall.SIGUSR1, syscall.SIGUSR2)
	k := &rootKeeper{proxy: os.Getppid()}
	if err := privsep.Serve(inherited(), k, o.named); err != nil {
		return 1
	}
	k.RemovePIDFile() // of a proxy that could not do it itself any more
	return 0
}

// A rootKeeper owns the process that has root's rights for a proxy without a parent.
type rootKeeper struct {
	proxy int // its process
	who   *account.User
	path  string // of the pid file
}

// Starting implements privsep.Owner.
func (k *rootKeeper) Starting(who *account.User, pidFile string) error {
	k.who, k.path = who, pidFile
	return nil
}

// RemovePIDFile implements privsep.Owner.
func (k *rootKeeper) RemovePIDFile() error {
	if pid, err := readPIDFile(k.path); err != nil || pid != k.proxy {
		return nil // somebody else's by now
	}
	return k.who.Remove(k.path)
}

// A proxy without a parent has its streams, its service manager and whoever waits for a reload itself.

// Ready implements privsep.Owner.
func (k *rootKeeper) Ready(bool) {}

// Reloaded implements privsep.Owner.
func (k *rootKeeper) Reloaded(int64, string) {}

// Notify implements privsep.Owner.
func (k *rootKeeper) Notify(string) {}

// CacheLog implements privsep.Owner.
func (k *rootKeeper) CacheLog(file *os.File) {
	if file != nil {
		file.Close()
	}
}

// named is what the configuration names now.
func (o *options) named() (*privsep.Named, error) {
	if o.trying {
		return nil, errors.New("nothing is opened for --try")
	}
	written := []string{logs.Defaults().CacheLog, logs.DefaultAccessLog}
	return privsep.NewNamed(o.configuration(), compat.Macros(o.service, o.kid), o.ports, written)
}
