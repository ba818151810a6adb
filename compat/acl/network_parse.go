package acl

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// networkReader reads the values of the acl types src, dst and localip, as Squid does:
//
//	192.0.2.1   192.0.2.0/24   192.0.2.0/255.255.255.0   192.0.2.1-192.0.2.9
//	192.0.2.0-192.0.9.0/24   2001:db8::/32   all   ipv4   ipv6   host.example
type networkReader struct {
	into    *networks
	resolve func(name string) ([]netip.Addr, error) // nil: host names are refused
	warn    func(lines ...string)
}

// read reads one value. The error is what Squid prints before it refuses the line.
func (r *networkReader) read(text string) error {
	switch text {
	case "all":
		r.all()
		return nil
	case "0/0", "0.0.0.0/0", "0.0.0.0/0.0.0.0", "0.0.0.0-255.255.255.255", "0.0.0.0-0.0.0.0/0":
		r.warn("ERROR: '" + text + "' needs to be replaced by the term 'all'.")
		r.warn("SECURITY NOTICE: Overriding config setting. Using 'all' instead.")
		r.all()
		return nil
	case "ipv4":
		r.prefix("0.0.0.0/0")
		return nil
	case "ipv6":
		for _, p := range unicast6 {
			r.prefix(p)
		}
		return nil
	}
	if addr, ok := parseAddr(text); ok {
		r.into.add(network{first: addr, last: addr, text: addr.String()})
		return nil
	}
	if strings.Contains(text, "/") || looksLikeRange(text) {
		return r.network(text)
	}
	return r.host(text)
}

// unicast6 is what Squid means by ipv6: the unicast addresses.
var unicast6 = [...]string{
	"1000::/4", "2000::/3", "4000::/2", "8000::/2", "c000::/3", "e000::/4", "fc00::/7", "fe80::/10",
}

// all is every address of both families; Squid shows it as one network.
func (r *networkReader) all() {
	r.prefix("0.0.0.0/0")
	r.into.added[len(r.into.added)-1].text = "::/0"
	r.into.added[len(r.into.added)-1].noWarning = true
	r.prefix("::/0")
}

func (r *networkReader) prefix(text string) {
	p := netip.MustParsePrefix(text)
	r.into.add(network{first: p.Addr(), last: lastOf(p.Addr(), p.Bits()), text: text})
}

// looksLikeRange distinguishes 192.0.2.1-192.0.2.9 from a host name with a hyphen.
func looksLikeRange(text string) bool {
	return strings.Contains(text, "-") &&
		(strings.Trim(text, "0123456789.-") == "" || strings.Trim(text, "0123456789abcdefABCDEF:-") == "" && strings.Contains(text, ":"))
}

// network reads an address or a range, with or without a mask.
func (r *networkReader) network(text string) error {
	addresses, mask, masked := strings.Cut(text, "/")
	from, to, ranged := strings.Cut(addresses, "-")
	first, ok := parseAddr(from)
	if !ok {
		return fmt.Errorf("aclIpParseIpData: unknown first address in '%s'", text)
	}
	last := first
	if ranged {
		if last, ok = parseAddr(to); !ok || last.BitLen() != first.BitLen() {
			return fmt.Errorf("aclIpParseIpData: unknown second address in '%s'", text)
		}
	}
	bits := first.BitLen()
	if masked {
		mapped := first.Is4() && strings.Contains(from, ":")
		if bits, ok = r.mask(mask, bits, mapped); !ok {
			return fmt.Errorf("aclParseIpData: unknown netmask '%s' in '%s'", mask, text)
		}
	}
	if firstOf(first, bits) != first || firstOf(last, bits) != last {
		r.warn("aclIpParseIpData: WARNING: Netmask masks away part of the specified IP in '" + text + "'")
	}
	w := network{first: firstOf(first, bits), last: firstOf(last, bits)}
	w.text = formatNetwork(w, bits, ranged)
	if w.last.Less(w.first) {
		r.warn("WARNING: the range '" + text + "' is reversed: only its first address matches")
		w.last = w.first
	}
	w.last = lastOf(w.last, bits)
	r.into.add(w)
	return nil
}

// mask reads what follows the slash: a number of bits, or a dotted netmask.
func (r *networkReader) mask(text string, most int, mapped bool) (bits int, ok bool) {
	if n, err := strconv.ParseUint(text, 10, 8); err == nil {
		bits = int(n)
		if mapped { // the mask of an IPv6 address, on the IPv4 address that it holds
			bits -= 96
		}
		return bits, bits >= 0 && bits <= most
	}
	mask, err := netip.ParseAddr(text)
	if err != nil || !mask.Is4() || most != 32 {
		return 0, false
	}
	for n := number4(mask); n&(1<<31) != 0; n <<= 1 {
		bits++
	}
	r.warn("WARNING: Netmasks are deprecated. Please use CIDR masks instead.")
	r.warn("WARNING: IPv4 netmasks are particularly nasty when used to compare IPv6 to IPv4 ranges.")
	r.warn("WARNING: For now we will assume you meant to write /" + strconv.Itoa(bits))
	return bits, true
}

func formatNetwork(w network, bits int, ranged bool) string {
	text := w.first.String()
	if ranged {
		text += "-" + w.last.String()
	}
	if bits < w.first.BitLen() {
		text += "/" + strconv.Itoa(bits)
	}
	return text
}

// host adds the addresses that a name has now; later changes are not noticed.
func (r *networkReader) host(name string) error {
	const wording = "aclIpParseIpData: Bad host/IP: '%s' in '%s', flags=0 : (-2) Name or service not known"
	if r.resolve == nil {
		return fmt.Errorf(wording, name, name)
	}
	addrs, err := r.resolve(name)
	if err != nil || len(addrs) == 0 {
		return fmt.Errorf(wording, name, name)
	}
	for _, addr := range addrs {
		addr = addr.Unmap().WithZone("")
		if !r.into.has(addr) {
			r.into.add(network{first: addr, last: addr, text: addr.String()})
		}
	}
	return nil
}

// firstOf and lastOf are the ends of the network of so many bits round addr.
func firstOf(addr netip.Addr, bits int) netip.Addr {
	p, err := addr.Prefix(bits)
	if err != nil {
		panic("BUG: a network of " + strconv.Itoa(bits) + " bits round " + addr.String())
	}
	return p.Addr()
}

func lastOf(addr netip.Addr, bits int) netip.Addr {
	b := addr.AsSlice()
	for i := bits; i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	last, _ := netip.AddrFromSlice(b)
	return last
}

// parseAddr reads an address in any form that inet_aton(3) and inet_pton(3) know: 127.1,
// 0x7f000001, 2130706433 and 0177.0.0.1 are 127.0.0.1, and so is ::ffff:127.0.0.1. A zone is
// dropped. Resolvers know these forms, so an acl must not miss them. It does not allocate.
func parseAddr[T string | []byte](text T) (netip.Addr, bool) {
	if len(text) == 0 || len(text) > 64 {
		return netip.Addr{}, false
	}
	for i := range len(text) {
		if text[i] == ':' {
			addr, err := netip.ParseAddr(string(text))
			return addr.Unmap().WithZone(""), err == nil
		}
	}
	return parseAton(text)
}

// parseAton reads one to four numbers with dots between them; the last fills what is left.
func parseAton[T string | []byte](text T) (netip.Addr, bool) {
	var parts [4]uint64
	n := 0
	for rest := text; ; n++ {
		end := 0
		for end < len(rest) && rest[end] != '.' {
			end++
		}
		v, ok := atonPart(rest[:end])
		if !ok || n == len(parts) {
			return netip.Addr{}, false
		}
		parts[n] = v
		if end == len(rest) {
			break
		}
		rest = rest[end+1:]
	}
	value := parts[n]
	if value >= 1<<(8*(4-n)) {
		return netip.Addr{}, false
	}
	for i, v := range parts[:n] {
		if v > 255 {
			return netip.Addr{}, false
		}
		value |= v << (24 - 8*i)
	}
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], uint32(value))
	return netip.AddrFrom4(b), true
}

// atonPart reads a number as C writes it: decimal, 0 octal, 0x hexadecimal.
func atonPart[T string | []byte](text T) (v uint64, ok bool) {
	base := uint64(10)
	if len(text) > 1 && text[0] == '0' {
		base, text = 8, text[1:]
		if lower(text[0]) == 'x' {
			base, text = 16, text[1:]
		}
	}
	for i := range len(text) {
		d, ok := hex(text[i])
		if v = v*base + uint64(d); !ok || uint64(d) >= base || v > 1<<32-1 {
			return 0, false
		}
	}
	return v, len(text) > 0
}
