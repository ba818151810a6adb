package main

import (
	"io"
	"os"
	"syscall"
)

// A role is which of the program's processes this one is.
//
//	exaproxy               starts the parent in the background, and waits until it serves
//	└ parent               keeps its rights; starts the proxy, again if it crashes  (--foreground: the first process)
//	  └ proxy              serves, as cache_effective_user
//	    └ helpers
//
//	exaproxy -N            serves, as cache_effective_user
//	├ root process         keeps root's rights, if there are any to keep
//	└ helpers
type role string

// roleVariable tells a process its role.
const roleVariable = "EXAPROXY_ROLE"

const (
	roleFirst  role = ""       // it was started by a user
	roleParent role = "parent" // in the background; descriptor 3 is a pipe to who waits for it to serve
	roleProxy  role = "proxy"  // a parent's; descriptor 3 is its socket to it
	roleDaemon role = "daemon" // the same of a parent in the background
	roleRoot   role = "root"   // of a proxy with -N; descriptor 3 is its socket to it
)

// inheritedDescriptor is where a process finds what its role says.
const inheritedDescriptor = 3

// takeRole is the role of this process. It is no affair of those that it starts.
func takeRole() role {
	r := role(os.Getenv(roleVariable))
	os.Unsetenv(roleVariable)
	if r != roleFirst {
		syscall.CloseOnExec(inheritedDescriptor)
	}
	return r
}

// environment is that of a process in another role.
func (r role) environment() []string { return append(os.Environ(), roleVariable+"="+string(r)) }

// kid says whether it is the proxy of a parent, which Squid calls kid1.
func (r role) kid() bool { return r == roleProxy || r == roleDaemon }

// inherited is what the process found at the descriptor of its role.
func inherited() *os.File { return os.NewFile(inheritedDescriptor, "inherited") }

// socketPair makes the two ends of a socket between the proxy and the process with root's rights.
func socketPair() (ours, theirs *os.File, err error) {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	return os.NewFile(uintptr(pair[0]), "socket"), os.NewFile(uintptr(pair[1]), "socket"), nil
}

// silence has standard streams go to /dev/null, but for standard error if it is to be kept: they may
// be pipes that somebody reads to their end.
func silence(keepStderr bool) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return
	}
	defer null.Close()
	for fd := range 3 {
		if fd < 2 || !keepStderr {
			syscall.Dup3(int(null.Fd()), fd, 0)
		}
	}
}

// run does what the role is for; it returns the exit status.
func (r role) run(o *options, args []string, stdout, stderr io.Writer) int {
	o.kidMacros = r != roleRoot && !o.alone
	switch {
	case r == roleRoot:
		return keepRoot(o)
	case r == roleParent:
		return watch(o, args, inherited(), stdout, stderr)
	case r.kid() || o.alone:
		return serve(o, args, r, stdout, stderr)
	case o.foreground:
		return watch(o, args, nil, stdout, stderr)
	}
	return daemonise(args, stdout, stderr)
}
