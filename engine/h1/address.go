package h1

import (
	"bytes"
	"net/netip"
)

// ipv6 reads an address in brackets. An IPv4-mapped one is that IPv4 address.
func (p *targetParser) ipv6(h []byte) error {
	if h[len(h)-1] != ']' || bytes.IndexByte(h, '%') >= 0 {
		return p.fault("bad IPv6 address")
	}
	inner := h[1 : len(h)-1]
	addr, err := netip.ParseAddr(stringView(inner))
	if err != nil || !addr.Is6() {
		return p.fault("bad IPv6 address")
	}
	p.address(addr.Unmap(), inner)
	return nil
}

// ipv4 reads a host whose last label is a number: an address in one of the forms of inet_aton(3), all
// of which Squid's resolver understands. Anything else is refused and not looked up as a name, since
// other readers take it for an address: 127.0.0.08, 4294967297.
func (p *targetParser) ipv4(h []byte) error {
	addr, ok := parseIPv4(h)
	if !ok {
		return p.fault("bad IPv4 address")
	}
	p.address(addr, h)
	return nil
}

// address makes addr the host, in its shortest form as Squid does, so that it has one name only.
func (p *targetParser) address(addr netip.Addr, raw []byte) {
	var room [48]byte
	text := addr.AppendTo(room[:0])
	if p.t.IPv6 = addr.Is6(); bytes.Equal(text, raw) {
		p.t.Host = raw
		return
	}
	start := len(p.out)
	p.out = append(p.out, text...)
	p.t.Host = p.out[start:]
}

// endsInNumber reports whether the last label is digits, or hexadecimal with 0x.
func endsInNumber(h []byte) bool {
	last := h[bytes.LastIndexByte(h, '.')+1:]
	if digits, ok := cutHexPrefix(last); ok {
		return len(digits) == 0 || all(digits, hexChar)
	}
	return allDigits(last)
}

// parseIPv4 reads one to four numbers; the last fills the bytes that are left.
func parseIPv4(h []byte) (netip.Addr, bool) {
	var value uint64
	for n := 0; n < 4; n++ {
		label, rest, more := bytes.Cut(h, dot)
		v, ok := parseNumber(label)
		if !ok {
			return netip.Addr{}, false
		}
		if !more {
			left := 32 - 8*n
			if v >= 1<<left {
				return netip.Addr{}, false
			}
			value = value<<left | v
			return netip.AddrFrom4([4]byte{byte(value >> 24), byte(value >> 16), byte(value >> 8), byte(value)}), true
		}
		if v > 255 {
			return netip.Addr{}, false
		}
		value, h = value<<8|v, rest
	}
	return netip.Addr{}, false
}

var dot = []byte{'.'}

// parseNumber reads a number below 2^32 as C writes it: 0x… hexadecimal, 0… octal, else decimal.
func parseNumber(s []byte) (v uint64, ok bool) {
	base := uint64(10)
	if digits, hex := cutHexPrefix(s); hex {
		s, base = digits, 16
	} else if len(s) > 1 && s[0] == '0' {
		s, base = s[1:], 8
	}
	for _, c := range s {
		if !is(c, hexChar) {
			return 0, false
		}
		d := uint64(hexValue(c))
		if v = v*base + d; d >= base || v >= 1<<32 {
			return 0, false
		}
	}
	return v, len(s) > 0
}

func cutHexPrefix(s []byte) (digits []byte, ok bool) {
	if len(s) < 2 || s[0] != '0' || lower[s[1]] != 'x' {
		return s, false
	}
	return s[2:], true
}

func allDigits(s []byte) bool {
	for _, c := range s {
		if !isDigit(c) {
			return false
		}
	}
	return len(s) > 0
}
