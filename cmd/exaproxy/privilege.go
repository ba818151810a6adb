package main

import (
	"fmt"
	"syscall"

	"exaproxy/compat/account"
)

// setUser makes the whole process, all its threads, run as who, for good. Supplementary groups are
// given up but for who's own.
func setUser(who *account.User) error {
	if err := syscall.Setgroups([]int{int(who.GID)}); err != nil {
		return fmt.Errorf("setgroups %d: %w", who.GID, err)
	}
	if err := syscall.Setgid(int(who.GID)); err != nil {
		return fmt.Errorf("setgid %d: %w", who.GID, err)
	}
	if err := syscall.Setuid(int(who.UID)); err != nil {
		return fmt.Errorf("setuid %d: %w", who.UID, err)
	}
	return nil
}
