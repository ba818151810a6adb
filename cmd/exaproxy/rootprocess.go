package main

import (
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"exaproxy/cmd/exaproxy/privsep"
	"exaproxy/compat/account"
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
	k := &rootProcess{proxy: os.Getppid()}
	server, err := privsep.NewServer(inherited(), k, o.named)
	if err != nil {
		return 1
	}
	k.attend(server, func() { awaitEnd(k.proxy) })
	return 0
}

// attend does what the proxy asks for until ended returns, since it has.
func (k *rootProcess) attend(server *privsep.Server, ended func()) {
	served := make(chan struct{})
	go func() { server.Serve(); close(served) }()
	ended()
	server.Close() // somebody else may have the other end
	<-served
	k.RemovePIDFile() // of a proxy that could not do it itself any more
}

// awaitEnd waits for the end of a process. One that is our parent no more has ended already.
func awaitEnd(pid int) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	for os.Getppid() == pid {
		if _, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1); err != unix.EINTR {
			return
		}
	}
}

// A rootProcess is the process that has root's rights for a proxy without a parent.
type rootProcess struct {
	proxy int // its process
	who   *account.User
	path  string // of the pid file
}

// Starting implements privsep.Owner.
func (k *rootProcess) Starting(who *account.User, pidFile string) error {
	k.who, k.path = who, pidFile
	return nil
}

// RemovePIDFile implements privsep.Owner.
func (k *rootProcess) RemovePIDFile() error {
	if pid, err := readPIDFile(k.path); err != nil || pid != k.proxy {
		return nil // somebody else's by now
	}
	return withRoot(k.who).Remove(k.path)
}

// A proxy without a parent has its streams, its service manager and whoever waits for a reload itself.

// Ready implements privsep.Owner.
func (k *rootProcess) Ready(bool) {}

// Reloaded implements privsep.Owner.
func (k *rootProcess) Reloaded(int64, string) {}

// Notify implements privsep.Owner.
func (k *rootProcess) Notify(string) {}

// CacheLog implements privsep.Owner.
func (k *rootProcess) CacheLog(file *os.File) {
	if file != nil {
		file.Close()
	}
}
