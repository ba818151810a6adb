package proxyheader

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
)

// head2 is how many bytes of a header of version 2 stand before the addresses.
const head2 = 16

func wrong(format string, a ...any) error {
	return &Error{Version: 2, Text: fmt.Sprintf(format, a...)}
}

// parse2 reads a header of version 2. b begins with its magic.
func parse2(b []byte) (*Header, int, error) {
	if len(b) < head2 {
		return nil, 0, ErrShort
	}
	version, command := b[12]>>4, b[12]&15
	family, transport := b[13]>>4, b[13]&15
	n := head2 + int(binary.BigEndian.Uint16(b[14:]))
	switch {
	case version != 2:
		return nil, 0, wrong("invalid version %d", version)
	case command > 1:
		return nil, 0, wrong("invalid command %d", command)
	case family > 3:
		return nil, 0, wrong("invalid address family %d", family)
	case transport > 2:
		return nil, 0, wrong("invalid transport protocol %d", transport)
	case n > Most:
		return nil, 0, errTooLong
	case len(b) < n:
		return nil, 0, ErrShort
	}
	h := &Header{Version: 2, Local: command == 0}
	if b[13] == 0 || h.Local && family == 0 { // what follows counts for nothing
		return h, n, nil
	}
	return h, n, h.parseBody(family, b[head2:n])
}

// parseBody reads the addresses, of which there may be none in a LOCAL header, and the TLVs behind.
func (h *Header) parseBody(family byte, b []byte) error {
	size := [...]int{0, 12, 36, 216}[family]
	if h.Local && len(b) < size {
		return nil
	}
	if len(b) < size {
		return wrong("the addresses are not complete")
	}
	switch family {
	case 1:
		h.Source, h.Destination = ends(netip.AddrFrom4([4]byte(b)), netip.AddrFrom4([4]byte(b[4:])), b[8:])
	case 2:
		h.Source, h.Destination = ends(netip.AddrFrom16([16]byte(b)), netip.AddrFrom16([16]byte(b[16:])), b[32:])
	}
	for rest := b[size:]; len(rest) > 0; {
		var ok bool
		if _, _, rest, ok = extension(rest); !ok {
			return wrong("a TLV is not complete")
		}
	}
	if len(b) > size {
		h.extensions = bytes.Clone(b[size:])
	}
	return nil
}

func ends(from, to netip.Addr, ports []byte) (source, destination netip.AddrPort) {
	return netip.AddrPortFrom(from.Unmap(), binary.BigEndian.Uint16(ports)), netip.AddrPortFrom(to.Unmap(), binary.BigEndian.Uint16(ports[2:]))
}

// AppendV2 appends a header of version 2 that says who has connected to whom over TCP; without addresses it is UNSPEC.
func AppendV2(dst []byte, source, destination netip.AddrPort) []byte {
	dst = append(dst, magic2...)
	from, to, four, ok := sameFamily(source, destination)
	switch {
	case !ok:
		return append(dst, 0x21, 0, 0, 0)
	case four:
		dst = append(dst, 0x21, 0x11, 0, 12)
	default:
		dst = append(dst, 0x21, 0x21, 0, 36)
	}
	dst = append(append(dst, from.AsSlice()...), to.AsSlice()...)
	dst = binary.BigEndian.AppendUint16(dst, source.Port())
	return binary.BigEndian.AppendUint16(dst, destination.Port())
}
