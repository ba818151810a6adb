package loop

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// IsOwn asks for the route to an address (rtnetlink(7)): the kernel answers within the call that asks,
// and since Linux 4.14 without a lock that a change of interfaces could hold. Binding a socket to the
// address would tell less: net.ipv4.ip_nonlocal_bind, which machines with virtual addresses have on,
// lets any be bound.
func (k *linux) IsOwn(addr netip.Addr) (bool, error) {
	sys, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return false, err
	}
	defer unix.Close(sys)
	if err := unix.Sendto(sys, routeRequest(addr), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return false, err
	}
	var reply [4096]byte
	n, _, err := unix.Recvfrom(sys, reply[:], 0)
	if err != nil {
		return false, err
	}
	return isLocalRoute(reply[:n])
}

// Where the fields that count are in struct nlmsghdr, and behind it in struct rtmsg and struct nlmsgerr.
const (
	messageType  = 4
	routeType    = unix.SizeofNlMsghdr + 7
	messageError = unix.SizeofNlMsghdr
)

// routeRequest is the question for the route to one address.
func routeRequest(addr netip.Addr) []byte {
	family, to := byte(unix.AF_INET6), addr.Unmap().AsSlice()
	if len(to) == 4 {
		family = unix.AF_INET
	}
	attribute := unix.SizeofRtAttr + len(to)
	b := make([]byte, 0, unix.SizeofNlMsghdr+unix.SizeofRtMsg+attribute)
	b = binary.NativeEndian.AppendUint32(b, uint32(cap(b)))
	b = binary.NativeEndian.AppendUint16(b, unix.RTM_GETROUTE)
	b = binary.NativeEndian.AppendUint16(b, unix.NLM_F_REQUEST)
	b = append(b, make([]byte, 8)...) // sequence number and port: one question only
	b = append(b, family, byte(8*len(to)))
	b = append(b, make([]byte, unix.SizeofRtMsg-2)...)
	b = binary.NativeEndian.AppendUint16(b, uint16(attribute))
	b = binary.NativeEndian.AppendUint16(b, unix.RTA_DST)
	return append(b, to...)
}

// isLocalRoute reads the answer: the route, or why there is none.
func isLocalRoute(b []byte) (bool, error) {
	if len(b) <= routeType {
		return false, unix.EPROTO
	}
	switch binary.NativeEndian.Uint16(b[messageType:]) {
	case unix.RTM_NEWROUTE:
		return b[routeType] == unix.RTN_LOCAL, nil
	case unix.NLMSG_ERROR:
		return noRoute(unix.Errno(-int32(binary.NativeEndian.Uint32(b[messageError:]))))
	}
	return false, unix.EPROTO
}

// noRoute tells what an error means: that no way leads to the address, or that nothing is known.
func noRoute(errno unix.Errno) (bool, error) {
	switch errno {
	case unix.ENETUNREACH, unix.EHOSTUNREACH, // none, or unreachable
		unix.EACCES, unix.EINVAL, // prohibit, blackhole
		unix.EOPNOTSUPP, unix.EAFNOSUPPORT: // no IPv6 on this machine
		return false, nil
	}
	return false, errno
}
