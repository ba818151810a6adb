package main

import (
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"exaproxy/compat/account"
)

// keeping is setUser for a proxy that keeps some of root's rights, given as bits. CAP_NET_RAW is for one that has a port of
// tproxy, or marks packets: by it each connection to a server may have the client's address (IP_TRANSPARENT, ip(7)) and a mark
// (SO_MARK). CAP_NET_ADMIN, which Squid keeps, would do as well, and lets whoever takes the proxy over change the packet
// filter: only who reads or changes the marks of connections (ctnetlink) keeps that. Helpers do not inherit them.
func keeping(rights uint32) func(*account.User) error {
	return func(who *account.User) error { return keepRights(rights, who) }
}

func keepRights(rights uint32, who *account.User) error {
	if err := allThreads("prctl PR_SET_KEEPCAPS", unix.SYS_PRCTL, unix.PR_SET_KEEPCAPS, 1, 0); err != nil {
		return err
	}
	if err := setUser(who); err != nil {
		return err
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	only := [2]unix.CapUserData{{Effective: rights, Permitted: rights}}
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
