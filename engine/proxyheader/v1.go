package proxyheader

import (
	"bytes"
	"net/netip"
	"strconv"
)

// longest1 is how many bytes a header of version 1 has at most, its line end included.
const longest1 = 107

func malformed(text string) error { return &Error{Version: 1, Text: text} }

// parse1 reads a header of version 1, a line. b begins with its magic.
func parse1(b []byte) (*Header, int, error) {
	end := bytes.IndexByte(b[:min(len(b), longest1)], '\n')
	switch {
	case end < 0 && len(b) >= longest1:
		return nil, 0, malformed("malformed header")
	case end < 0:
		return nil, 0, ErrShort
	case b[end-1] != '\r':
		return nil, 0, malformed("malformed header")
	}
	h, err := line(string(b[len(magic1) : end-1]))
	return h, end + 1, err
}

// line reads what stands behind the magic.
func line(s string) (*Header, error) {
	h := &Header{Version: 1}
	family, s := word(s)
	switch {
	case family == "UNKNOWN": // what follows counts for nothing
		return h, nil
	case family != "TCP4" && family != "TCP6":
		return nil, malformed("invalid INET protocol or family")
	}
	var ends [2]netip.Addr
	for i := range ends {
		var text string
		text, s = word(s)
		addr, err := netip.ParseAddr(text)
		if err != nil || addr.Zone() != "" {
			return nil, malformed("malformed IP address")
		}
		ends[i] = addr
	}
	var ports [2]uint16
	for i := range ports {
		var text string
		text, s = word(s)
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			return nil, malformed("invalid port")
		}
		ports[i] = uint16(n)
	}
	if s != "" {
		return nil, malformed("garbage after port")
	}
	if four := family == "TCP4"; ends[0].Is4() != four || ends[1].Is4() != four {
		return nil, malformed("declared and/or actual IP address families mismatch")
	}
	h.Source, h.Destination = netip.AddrPortFrom(ends[0].Unmap(), ports[0]), netip.AddrPortFrom(ends[1].Unmap(), ports[1])
	return h, nil
}

// word takes a blank and the word behind it off s; "" if there is none.
func word(s string) (first, rest string) {
	if s == "" || s[0] != ' ' {
		return "", s
	}
	for i := 1; i < len(s); i++ {
		if s[i] == ' ' {
			return s[1:i], s[i:]
		}
	}
	return s[1:], ""
}

// AppendV1 appends a header of version 1 that says who has connected to whom. Addresses of two families, or none, are
// UNKNOWN.
func AppendV1(dst []byte, source, destination netip.AddrPort) []byte {
	from, to, four, ok := sameFamily(source, destination)
	if !ok {
		return append(dst, "PROXY UNKNOWN\r\n"...)
	}
	if dst = append(dst, "PROXY TCP6 "...); four {
		dst[len(dst)-2] = '4'
	}
	dst = append(from.AppendTo(dst), ' ')
	dst = append(to.AppendTo(dst), ' ')
	dst = append(strconv.AppendUint(dst, uint64(source.Port()), 10), ' ')
	dst = strconv.AppendUint(dst, uint64(destination.Port()), 10)
	return append(dst, "\r\n"...)
}

// sameFamily are the two addresses as ones of IPv4, if both are, or else of IPv6, an IPv4 one being mapped.
func sameFamily(source, destination netip.AddrPort) (from, to netip.Addr, four, ok bool) {
	from, to = source.Addr().Unmap().WithZone(""), destination.Addr().Unmap().WithZone("")
	if !from.IsValid() || !to.IsValid() {
		return from, to, false, false
	}
	if four = from.Is4() && to.Is4(); !four {
		from, to = netip.AddrFrom16(from.As16()), netip.AddrFrom16(to.As16())
	}
	return from, to, four, true
}
