package main

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"exaproxy/compat/logs"
)

// effectiveUser is whom the proxy becomes once it listens (cache_effective_user), who also owns
// its logs; nil if it was not started by root. The error is in Squid's words.
func effectiveUser(name, group string) (*logs.Owner, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	return lookupOwner(name, group)
}

// defaultUsers are tried in this order where cache_effective_user is not set. Distributions of
// Squid use the first two.
var defaultUsers = [...]string{"proxy", "squid", "nobody"}

// lookupOwner finds the user called name, or one of the usual ones for "", and the group called
// group, or the user's own. Errors are in Squid's words.
func lookupOwner(name, group string) (*logs.Owner, error) {
	account, err := lookupUser(name)
	if err != nil {
		return nil, err
	}
	uid, uidErr := strconv.ParseUint(account.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(account.Gid, 10, 32)
	if uidErr != nil || gidErr != nil {
		return nil, fmt.Errorf("user '%s' has no numeric ids", account.Username)
	}
	if group != "" {
		if gid, err = lookupGroup(group); err != nil {
			return nil, err
		}
	}
	return &logs.Owner{Name: account.Username, UID: uint32(uid), GID: uint32(gid)}, nil
}

func lookupUser(name string) (*user.User, error) {
	if name != "" {
		account, err := user.Lookup(name)
		if err != nil {
			return nil, fmt.Errorf("getpwnam failed to find userid for effective user '%s'", name)
		}
		return account, nil
	}
	for _, name := range defaultUsers {
		if account, err := user.Lookup(name); err == nil {
			return account, nil
		}
	}
	return nil, fmt.Errorf("getpwnam failed to find userid for effective user '%s'", defaultUsers[0])
}

// lookupGroup takes a name or, as Squid does not, a number.
func lookupGroup(name string) (uint64, error) {
	group, err := user.LookupGroup(name)
	if err != nil {
		if gid, err := strconv.ParseUint(name, 10, 32); err == nil {
			return gid, nil
		}
		return 0, fmt.Errorf("getgrnam failed to find groupid for effective group '%s'", name)
	}
	return strconv.ParseUint(group.Gid, 10, 32)
}

// setUser makes the whole process, all its threads, run as who, for good. Supplementary groups are
// given up but for who's own.
func setUser(who *logs.Owner) error {
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
