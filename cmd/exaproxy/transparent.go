package main

import (
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"exaproxy/compat/account"
)

// setTransparentUser is setUser for a proxy that has a port of tproxy, or marks packets: it keeps CAP_NET_RAW, by which each
// connection to a server may have the client's address (IP_TRANSPARENT, ip(7)) and a mark (SO_MARK). CAP_NET_ADMIN, which Squid keeps, would do as well, and
// would let whoever takes the proxy over change the packet filter. Helpers do not inherit it.
func setTransparentUser(who *account.User) error {
	if err := allThreads("prctl PR_SET_KEEPCAPS", unix.SYS_PRCTL, unix.PR_SET_KEEPCAPS, 1, 0); err != nil {
		return err
	}
	if err := setUser(who); err != nil {
		return err
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	only := [2]unix.CapUserData{{Effective: 1 << unix.CAP_NET_RAW, Permitted: 1 << unix.CAP_NET_RAW}}
	err := allThreads("capset", unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&only)), 0)
	if err != nil {
		return err
	}
	return allThreads("prctl PR_SET_KEEPCAPS", unix.SYS_PRCTL, unix.PR_SET_KEEPCAPS, 0, 0)
}

// allThreads makes a system call on all threads of the process, for rights are each thread's own.
func allThreads(name string, call, a, b, c uintptr) error {
	if _, _, errno := syscall.AllThreadsSyscall(call, a, b, c); errno == syscall.ENOTSUP {
		return fmt.Errorf("%s: this program was built with cgo, which cannot change the rights of all threads (build it with CGO_ENABLED=0)", name)
	} else if errno != 0 {
		return fmt.Errorf("%s: %w", name, errno)
	}
	return nil
}
