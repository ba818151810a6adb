package compat

import (
	"fmt"
	"os/user"
	"strconv"
	"syscall"
)

// A Credential is whom the proxy becomes when it was started by root.
type Credential struct {
	Name     string
	UID, GID uint32
}

// defaultUsers are tried in this order where cache_effective_user is not set. Distributions of
// Squid use the first two.
var defaultUsers = [...]string{"proxy", "squid", "nobody"}

// LookupCredential finds the user called name, or one of the usual ones for "", and the group
// called group, or the user's own. Errors are in Squid's words.
func LookupCredential(name, group string) (*Credential, error) {
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
	return &Credential{Name: account.Username, UID: uint32(uid), GID: uint32(gid)}, nil
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

// Assume makes the whole process, all its threads, run as c, for good. Supplementary groups are
// given up but for c's own.
func (c *Credential) Assume() error {
	if err := syscall.Setgroups([]int{int(c.GID)}); err != nil {
		return fmt.Errorf("setgroups %d: %w", c.GID, err)
	}
	if err := syscall.Setgid(int(c.GID)); err != nil {
		return fmt.Errorf("setgid %d: %w", c.GID, err)
	}
	if err := syscall.Setuid(int(c.UID)); err != nil {
		return fmt.Errorf("setuid %d: %w", c.UID, err)
	}
	return nil
}
