package account

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
)

// A User is whom the proxy becomes. A nil User is whoever it is already.
type User struct {
	Name     string // for messages
	UID, GID uint32 // he is a member of no other group

	// Root, if set, opens what the process itself can open no more once it is this user.
	Root Root `json:"-"`

	// Alone has root open nothing for him that he may not open himself, but his pid file: those who say
	// what is opened are not only root.
	Alone bool
}

// A Root opens files with the rights that the process had before it became a User.
type Root interface {
	Append(path string) (*os.File, error)
	Shift(path string, keep int) error
}

// Effective is whom the proxy becomes once it listens; nil if it was not started by root. A name ""
// is that of the distribution's user for Squid, a group "" the user's own. The error is in Squid's
// words.
func Effective(name, group string) (*User, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	return Lookup(name, group)
}

// defaultUsers are tried in this order where cache_effective_user is not set. Distributions of
// Squid use the first two.
var defaultUsers = [...]string{"proxy", "squid", "nobody"}

// Lookup finds the user called name, or one of the usual ones for "", and the group called
// group, or the user's own. Errors are in Squid's words.
func Lookup(name, group string) (*User, error) {
	found, err := lookupUser(name)
	if err != nil {
		return nil, err
	}
	uid, uidErr := strconv.ParseUint(found.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(found.Gid, 10, 32)
	if uidErr != nil || gidErr != nil {
		return nil, fmt.Errorf("user '%s' has no numeric ids", found.Username)
	}
	if group != "" {
		if gid, err = lookupGroup(group); err != nil {
			return nil, err
		}
	}
	return &User{Name: found.Username, UID: uint32(uid), GID: uint32(gid)}, nil
}

func lookupUser(name string) (*user.User, error) {
	if name != "" {
		found, err := user.Lookup(name)
		if err != nil {
			return nil, fmt.Errorf("getpwnam failed to find userid for effective user '%s'", name)
		}
		return found, nil
	}
	for _, name := range defaultUsers {
		if found, err := user.Lookup(name); err == nil {
			return found, nil
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
