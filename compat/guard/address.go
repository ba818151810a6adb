package guard

import "net/netip"

// metadata are the addresses at which clouds tell a machine its secrets, where they are not
// link-local, each with the document that names it.
var metadata = [...]netip.Addr{
	netip.MustParseAddr("fd00:ec2::254"),      // Amazon EC2, "Access instance metadata"
	netip.MustParseAddr("fd00:ec2::23"),       // Amazon EKS, "Set up the EKS Pod Identity Agent": credentials
	netip.MustParseAddr("fd20:ce::254"),       // Google Compute Engine, "View and query VM metadata"
	netip.MustParseAddr("168.63.129.16"),      // Azure, "What is IP address 168.63.129.16?": the WireServer
	netip.MustParseAddr("100.100.100.200"),    // Alibaba ECS, "Instance metadata"
	netip.MustParseAddr("fd00:100::100:200"),  // Alibaba ECS over IPv6: cloud-init, DataSourceAliYun
	netip.MustParseAddr("192.0.0.192"),        // Oracle Cloud Classic, "Retrieve Predefined Instance Metadata"
	netip.MustParseAddr("fd00:c1::a9fe:a9fe"), // Oracle Cloud over IPv6: its Python SDK, instance principals
	netip.MustParseAddr("fd00:42::42"),        // Scaleway: cloud-init, "Datasources: Scaleway"
	netip.MustParseAddr("fd00:a9fe:a9fe::1"),  // Akamai (Linode), "Use the Metadata service API"
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
