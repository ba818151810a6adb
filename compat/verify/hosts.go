package verify

import (
	"crypto/x509"
	"encoding/asn1"
	"net/netip"
	"strings"
)

const (
	// longestName is how long a name is that Squid looks at.
	longestName = 1023
	// mostNames is how many names of a certificate are looked at. Authorities sign for a few hundred at
	// most; each of them is compared with every acl, on the loop.
	mostNames = 2500
)

var commonName = asn1.ObjectIdentifier{2, 5, 4, 3}

// Names are the names of hosts that a certificate has: its common names, then the alternative ones (RFC
// 5280, section 4.2.1.6). Names that cannot be those of a host, with a NUL or too long, are left out. They
// may begin with "*.".
func Names(c *x509.Certificate) func(yield func(name string) bool) {
	return func(yield func(string) bool) {
		for _, attribute := range c.Subject.Names[:min(len(c.Subject.Names), mostNames)] {
			name, ok := attribute.Value.(string)
			if ok && attribute.Type.Equal(commonName) && possible(name) && !yield(name) {
				return
			}
		}
		for _, name := range c.DNSNames[:min(len(c.DNSNames), mostNames)] {
			if possible(name) && !yield(name) {
				return
			}
		}
	}
}

func possible(name string) bool {
	return name != "" && len(name) <= longestName && strings.IndexByte(name, 0) < 0
}

// IsFor says whether a certificate is for a host: a name, or an address with or without brackets. As in
// Squid "*." stands for one label. A common name counts if there are no alternative names at all (RFC 6125,
// section 6.4.4): Squid looks at it always, and browsers never.
func IsFor(c *x509.Certificate, host string) bool {
	host = strings.TrimSuffix(strings.Trim(host, "[]"), ".")
	if addr, err := netip.ParseAddr(host); err == nil {
		for _, ip := range c.IPAddresses {
			if a, ok := netip.AddrFromSlice(ip); ok && a.Unmap() == addr.Unmap() {
				return true
			}
		}
	}
	alone := len(c.DNSNames)+len(c.IPAddresses)+len(c.EmailAddresses)+len(c.URIs) == 0
	for _, name := range c.DNSNames {
		if covers(name, host) {
			return true
		}
	}
	if alone {
		for name := range Names(c) {
			if covers(name, host) {
				return true
			}
		}
	}
	return false
}

// covers says whether a name of a certificate stands for a host.
func covers(name, host string) bool {
	if !possible(name) || host == "" {
		return false
	}
	if above, ok := strings.CutPrefix(name, "*."); ok {
		label, rest, _ := strings.Cut(host, ".")
		_, notAddress := netip.ParseAddr(host)
		return notAddress != nil && label != "" && above != "" && strings.EqualFold(above, rest)
	}
	return strings.EqualFold(name, host)
}
