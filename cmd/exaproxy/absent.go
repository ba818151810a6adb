package main

import (
	"fmt"
	"net"
	"net/netip"

	"exaproxy/compat/logs"
)

// sayAbsent logs that nobody can reach a port yet, because no interface has its address. From when one has it
// connections are accepted (IP_FREEBIND, ip(7)).
func sayAbsent(log *logs.CacheLog, port netip.AddrPort) {
	addr := port.Addr().Unmap().WithZone("")
	if addr.IsUnspecified() || addr.IsLoopback() {
		return
	}
	have, err := net.InterfaceAddrs()
	if err != nil {
		return // it is only a word of help
	}
	for _, a := range have {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil && prefix.Addr() == addr {
			return
		}
	}
	log.Say(1, fmt.Sprintf("WARNING: no interface has the address of local=%s yet: connections are accepted when one has", port))
}
