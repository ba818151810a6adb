package dnsasync

import (
	"net/netip"
	"strconv"
	"strings"
)

// RFC 1035 section 2.3.4. A name of 255 octets on the wire is written with 253.
const (
	maxName  = 253
	maxLabel = 63
)

// canonical appends name to dst in lower case and without the dot at its end, which
// makes it rooted. ok is false if it can be no host's name: names are labels of 1 to 63
// bytes that may stand there, with dots between them, 253 bytes in all.
func canonical(dst []byte, name string, may *[256]bool) (out []byte, rooted, ok bool) {
	if n := len(name); n > 0 && name[n-1] == '.' {
		name, rooted = name[:n-1], true
	}
	if len(name) > maxName {
		return dst, rooted, false
	}
	label := 0
	for i := range len(name) {
		c := lower(name[i])
		switch {
		case c == '.' && label > 0:
			label = -1
		case c == '.' || !may[c] || label == maxLabel:
			return dst, rooted, false
		}
		label++
		dst = append(dst, c)
	}
	return dst, rooted, label > 0
}

var (
	// inName are the bytes that may stand in the name of a host, in small letters: letters, digits, hyphens, and underscores,
	// which RFC 1123 does not allow, but which are used.
	inName = bytesOf("abcdefghijklmnopqrstuvwxyz0123456789-_", 256)
	// inURL are those that may stand in a name that is looked up: what may stand in the host of a URL (RFC 3986 section
	// 3.2.2), and raw UTF-8, which some put there.
	inURL = bytesOf("abcdefghijklmnopqrstuvwxyz0123456789-_~!$&'()*+,;=", 0x80)
)

// bytesOf marks the bytes of set, and those from some on.
func bytesOf(set string, from int) (marked [256]bool) {
	for i := range marked {
		marked[i] = i >= from || strings.IndexByte(set, byte(i)) >= 0
	}
	return marked
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// hostName returns the canonical form of a host's name in a string of its own.
func hostName(name string) (string, bool) {
	out, _, ok := canonical(make([]byte, 0, len(name)), name, &inName)
	return string(out), ok
}

// literal returns the address that is written in place of a name. IPv4-mapped addresses
// become IPv4. What only looks like a number ("127.1", "1.2.3.04") is a name, and an
// address with a zone is neither: it means nothing outside the machine that wrote it.
func literal(name string) (netip.Addr, bool) {
	if !numeric(name) {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(name)
	return addr.Unmap(), err == nil && addr.Zone() == ""
}

// numeric reports whether a name might be an address. It spares real names the error that
// ParseAddr would make for them.
func numeric(name string) bool {
	if strings.IndexByte(name, ':') >= 0 {
		return true
	}
	for i := range len(name) {
		if c := name[i]; c != '.' && (c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// appendReverse appends the name under which the name of an address is asked for
// (RFC 1035 section 3.5, RFC 3596 section 2.5).
func appendReverse(dst []byte, addr netip.Addr) []byte {
	if addr.Is4() {
		b := addr.As4()
		for i := len(b) - 1; i >= 0; i-- {
			dst = strconv.AppendUint(dst, uint64(b[i]), 10)
			dst = append(dst, '.')
		}
		return append(dst, "in-addr.arpa"...)
	}
	const digits = "0123456789abcdef"
	b := addr.As16()
	for i := len(b) - 1; i >= 0; i-- {
		dst = append(dst, digits[b[i]&15], '.', digits[b[i]>>4], '.')
	}
	return append(dst, "ip6.arpa"...)
}

// candidates returns the names under which a canonical name is asked for, in order: a
// name without a dot gets append_domain, others are searched for as resolv.conf(5)
// says, if that is wanted. Rooted names are asked as they are. Names that would become
// too long are left out.
func (c *Config) candidates(name string, rooted bool) []string {
	dots := strings.Count(name, ".")
	switch {
	case rooted:
		return []string{name}
	case dots == 0 && c.AppendDomain != "":
		if list := fitting(nil, name, []string{strings.TrimPrefix(c.AppendDomain, ".")}); list != nil {
			return list
		}
		return []string{name}
	case !c.Defnames:
		return []string{name}
	case dots >= c.ndots():
		return fitting([]string{name}, name, c.Search)
	}
	return append(fitting(nil, name, c.Search), name)
}

// fitting appends name under each of the domains to list, if that is a name.
func fitting(list []string, name string, domains []string) []string {
	for _, domain := range domains {
		if longer, _, ok := canonical(nil, name+"."+domain, &inURL); ok {
			list = append(list, string(longer))
		}
	}
	return list
}
