package loop

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Numbers of ctnetlink (linux/netfilter/nfnetlink.h, nfnetlink_conntrack.h).
const (
	conntrackNew = 1 << 8   // NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW
	conntrackGet = 1<<8 | 1 // IPCTNL_MSG_CT_GET

	tupleOriginal = 1 // CTA_TUPLE_ORIG
	tupleIP       = 1 // CTA_TUPLE_IP
	tupleProto    = 2 // CTA_TUPLE_PROTO
	conntrackMark = 8 // CTA_MARK

	conntrackHeader = unix.SizeofNlMsghdr + 4 // struct nfgenmsg
)

// ConnMark asks the kernel's table of connections. As with IsOwn the answer is there when the question was put.
func (k *linux) ConnMark(sys int, ours bool) (uint32, error) {
	from, to, err := endsOf(sys, ours)
	if err != nil {
		return 0, err
	}
	reply, err := askConntrack(conntrackMessage(conntrackGet, 0, from, to, nil))
	if err != nil {
		return 0, err
	}
	if len(reply) < conntrackHeader {
		return 0, unix.EPROTO
	}
	for rest := reply[conntrackHeader:]; len(rest) >= unix.SizeofRtAttr; {
		size, kind := int(binary.NativeEndian.Uint16(rest)), binary.NativeEndian.Uint16(rest[2:])
		if size < unix.SizeofRtAttr || size > len(rest) {
			return 0, unix.EPROTO
		}
		if kind == conntrackMark && size == unix.SizeofRtAttr+4 {
			return binary.BigEndian.Uint32(rest[unix.SizeofRtAttr:]), nil
		}
		rest = rest[min(align(size), len(rest)):]
	}
	return 0, nil // a kernel without marks says none
}

// SetConnMark changes an entry of that table.
func (k *linux) SetConnMark(sys int, mark uint32) error {
	from, to, err := endsOf(sys, false)
	if err != nil {
		return err
	}
	change := attribute(nil, conntrackMark, binary.BigEndian.AppendUint32(nil, mark))
	_, err = askConntrack(conntrackMessage(conntrackNew, unix.NLM_F_ACK, from, to, change))
	return err
}

// askConntrack sends one message about a connection, and returns the answer.
func askConntrack(message []byte) ([]byte, error) {
	netlink, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err != nil {
		return nil, err
	}
	defer unix.Close(netlink)
	if err := unix.Sendto(netlink, message, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, err
	}
	var reply [4096]byte
	n, _, err := unix.Recvfrom(netlink, reply[:], 0)
	switch {
	case err != nil:
		return nil, err
	case n < unix.SizeofNlMsghdr+4:
		return nil, unix.EPROTO
	case binary.NativeEndian.Uint16(reply[messageType:]) != unix.NLMSG_ERROR:
		return append([]byte(nil), reply[:n]...), nil
	}
	if errno := unix.Errno(-int32(binary.NativeEndian.Uint32(reply[messageError:]))); errno != 0 {
		return nil, errno
	}
	return nil, nil
}

// endsOf is who has connected to whom, before the packet filter has changed either. ours says that the socket has.
func endsOf(sys int, ours bool) (from, to netip.AddrPort, err error) {
	var raw unix.RawSockaddrInet6
	size := uint32(unsafe.Sizeof(raw))
	_, _, errno := unix.RawSyscall(unix.SYS_GETPEERNAME, uintptr(sys), uintptr(unsafe.Pointer(&raw)), uintptr(unsafe.Pointer(&size)))
	if errno != 0 {
		return from, to, errno
	}
	local, original, err := (*linux)(nil).Names(sys)
	switch {
	case ours:
		return local, fromRaw(&raw), err
	case original.IsValid():
		local = original
	}
	return fromRaw(&raw), local, err
}

// conntrackMessage is a message about a TCP connection, with its attributes.
func conntrackMessage(kind, flags uint16, from, to netip.AddrPort, more []byte) []byte {
	family, source, destination := byte(unix.AF_INET6), uint16(3), uint16(4) // CTA_IP_V6_SRC, CTA_IP_V6_DST
	if from.Addr().Is4() {
		family, source, destination = unix.AF_INET, 1, 2
	}
	addresses := attribute(attribute(nil, source, from.Addr().AsSlice()), destination, to.Addr().AsSlice())
	ports := attribute(nil, 1, []byte{unix.IPPROTO_TCP}) // CTA_PROTO_NUM, and then CTA_PROTO_SRC_PORT and DST
	ports = attribute(ports, 2, binary.BigEndian.AppendUint16(nil, from.Port()))
	ports = attribute(ports, 3, binary.BigEndian.AppendUint16(nil, to.Port()))
	tuple := attribute(attribute(nil, unix.NLA_F_NESTED|tupleIP, addresses), unix.NLA_F_NESTED|tupleProto, ports)
	body := append(attribute(nil, unix.NLA_F_NESTED|tupleOriginal, tuple), more...)

	b := binary.NativeEndian.AppendUint32(nil, uint32(conntrackHeader+len(body)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = binary.NativeEndian.AppendUint16(b, unix.NLM_F_REQUEST|flags)
	b = append(b, make([]byte, 8)...) // sequence number and port: one question only
	b = append(b, family, 0, 0, 0)
	return append(b, body...)
}

// attribute appends an attribute (netlink(7)), with what makes its length a multiple of four.
func attribute(b []byte, kind uint16, value []byte) []byte {
	size := unix.SizeofRtAttr + len(value)
	b = binary.NativeEndian.AppendUint16(b, uint16(size))
	b = binary.NativeEndian.AppendUint16(b, kind)
	return append(append(b, value...), make([]byte, align(size)-size)...)
}

func align(n int) int { return (n + 3) &^ 3 }
