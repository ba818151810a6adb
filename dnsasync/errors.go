package dnsasync

import (
	"fmt"
	"net/netip"
)

// An ErrorKind is why a name has no addresses.
type ErrorKind uint8

const (
	// NoSuchName: the name does not exist (RFC 1035 section 4.1.1, RCODE 3).
	NoSuchName ErrorKind = iota + 1
	// NoAddress: the name exists, but has no record of the type that was asked for.
	NoAddress
	// ServerFailure: every name server failed, refused, or could not be reached.
	ServerFailure
	// Timeout: no name server answered in time.
	Timeout
	// BadName: this cannot be a name (RFC 1035 section 2.3.4), and no server was asked.
	BadName
	// Closed: the resolver was closed meanwhile.
	Closed
)

var kinds = [...]string{
	NoSuchName:    "no such name",
	NoAddress:     "no address for this name",
	ServerFailure: "name server failure",
	Timeout:       "no name server answered in time",
	BadName:       "not a valid name",
	Closed:        "resolver closed",
}

// String describes the kind in a few words.
func (k ErrorKind) String() string {
	if k == 0 || int(k) >= len(kinds) {
		return fmt.Sprintf("kind %d", uint8(k))
	}
	return kinds[k]
}

// An Error says why a Lookup has no answer. All errors of Lookups are of this type.
type Error struct {
	Name   string         // what was looked up
	Kind   ErrorKind      // why there is no answer
	Server netip.AddrPort // that said so last; zero if none did
}

// Error returns "look up NAME: KIND" and, if a server said so, which.
func (e *Error) Error() string {
	if !e.Server.IsValid() {
		return fmt.Sprintf("look up %q: %v", e.Name, e.Kind)
	}
	return fmt.Sprintf("look up %q: %v (asked %v)", e.Name, e.Kind, e.Server)
}
