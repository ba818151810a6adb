package guard

import "net/netip"

// metadata are the addresses at which clouds tell a machine its secrets, where they are not
// link-local: those of Amazon and Google over IPv6, of Alibaba and of Azure.
var metadata = [...]netip.Addr{
	netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("fd20:ce::254"),
	netip.MustParseAddr("100.100.100.200"), netip.MustParseAddr("168.63.129.16"),
}

var (
	nat64     = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052, section 2.1
	sixToFour = netip.MustParsePrefix("2002::/16")    // RFC 3056, section 2
)

// plain is the address that packets to addr come to: the IPv4 address that an IPv6 address may hold,
// without a zone.
func plain(addr netip.Addr) netip.Addr {
	addr = addr.Unmap().WithZone("")
	bytes := addr.As16()
	switch {
	case nat64.Contains(addr):
		return netip.AddrFrom4([4]byte(bytes[12:]))
	case sixToFour.Contains(addr):
		return netip.AddrFrom4([4]byte(bytes[2:6]))
	}
	return addr
}

// isMetadata reports whether a cloud keeps secrets at a plain address.
func isMetadata(addr netip.Addr) bool {
	for _, m := range metadata {
		if addr == m {
			return true
		}
	}
	return false
}
