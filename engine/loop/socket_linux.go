package loop

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// backlog is how many connections may wait to be accepted. The kernel cuts it to net.core.somaxconn.
const backlog = 65535

func (k *linux) OpenListener(s ListenSpec) (int, error) {
	sys, err := listen(s)
	if err == unix.EAFNOSUPPORT && s.Addr.Addr() == netip.IPv6Unspecified() { // no IPv6 on this machine
		s.Addr = netip.AddrPortFrom(netip.IPv4Unspecified(), s.Addr.Port())
		sys, err = listen(s)
	}
	return sys, err
}

// Bind gives a socket an address (bind(2)).
func Bind(sys int, addr netip.AddrPort) error { return unix.Bind(sys, sockaddr(addr)) }

func listen(s ListenSpec) (sys int, err error) {
	sys, err = open(s.Addr.Addr(), unix.SOCK_STREAM)
	if err != nil {
		return -1, err
	}
	six := s.Addr.Addr().Is6()
	err = setAll(sys,
		setting{true, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1},
		setting{s.ReusePort, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1},
		setting{six, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0},
		setting{s.Transparent && six, unix.IPPROTO_IPV6, unix.IPV6_TRANSPARENT, 1},
		setting{s.Transparent && !six, unix.IPPROTO_IP, unix.IP_TRANSPARENT, 1},
		setting{true, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1}, // which accepted sockets inherit
	)
	if err == nil {
		err = bind(sys, s)
	}
	if errors.Is(err, unix.EADDRNOTAVAIL) { // its interface may come
		err = setAll(sys,
			setting{six, unix.IPPROTO_IPV6, unix.IPV6_FREEBIND, 1},
			setting{!six, unix.IPPROTO_IP, unix.IP_FREEBIND, 1},
		)
		if err == nil {
			err = bind(sys, s)
		}
	}
	if err == nil {
		err = unix.Listen(sys, backlog)
	}
	if err != nil {
		unix.Close(sys)
		return -1, err
	}
	return sys, nil
}

// bind gives a listener its address, or asks who may.
func bind(sys int, s ListenSpec) error {
	err := Bind(sys, s.Addr)
	if err == unix.EACCES && s.Bind != nil {
		return s.Bind(sys, s.Addr)
	}
	return err
}

func (k *linux) Accept(sys int) (int, Peer, error) {
	for {
		var from unix.RawSockaddrInet6 // room for either family
		size := uint32(unsafe.Sizeof(from))
		conn, _, errno := unix.RawSyscall6(unix.SYS_ACCEPT4, uintptr(sys), uintptr(unsafe.Pointer(&from)),
			uintptr(unsafe.Pointer(&size)), unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			return -1, Peer{}, errnoError(errno)
		}
		return int(conn), Peer{Remote: fromRaw(&from)}, nil
	}
}

// datagramBuffer is how many bytes of datagrams may wait to be read, with what the kernel needs for each: a server that
// was stuck answers all that it was asked at once.
const datagramBuffer = 4 << 20

func (k *linux) Connect(s DialSpec) (sys int, err error) {
	socketType := unix.SOCK_STREAM
	if s.Type == Datagram {
		socketType = unix.SOCK_DGRAM
	}
	if sys, err = open(s.Remote.Addr(), socketType); err != nil {
		return -1, err
	}
	six := s.Remote.Addr().Is6()
	local := s.Local.IsValid()
	err = setAll(sys,
		setting{s.Type == Stream, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
		setting{s.Type == Datagram, unix.SOL_SOCKET, unix.SO_RCVBUF, datagramBuffer}, // as much of it as net.core.rmem_max lets
		setting{s.Mark != 0, unix.SOL_SOCKET, unix.SO_MARK, s.Mark},
		setting{s.TOS != 0 && six, unix.IPPROTO_IPV6, unix.IPV6_TCLASS, s.TOS},
		setting{s.TOS != 0 && !six, unix.IPPROTO_IP, unix.IP_TOS, s.TOS},
		setting{s.Transparent && six, unix.IPPROTO_IPV6, unix.IPV6_TRANSPARENT, 1},
		setting{s.Transparent && !six, unix.IPPROTO_IP, unix.IP_TRANSPARENT, 1},
		// The port is chosen on connecting, when one that is used towards another
		// destination will do: ip(7).
		setting{local && s.Local.Port() == 0, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1},
	)
	if err == nil && local {
		err = unix.Bind(sys, sockaddr(s.Local))
	}
	if err == nil {
		err = connect(sys, s.Remote)
	}
	if err != nil {
		unix.Close(sys)
		return -1, err
	}
	return sys, nil
}

func connect(sys int, to netip.AddrPort) error {
	raw, size := toRaw(to)
	_, _, errno := unix.RawSyscall(unix.SYS_CONNECT, uintptr(sys), uintptr(unsafe.Pointer(&raw)), size)
	if errno == 0 || errno == unix.EINPROGRESS || errno == unix.EINTR { // which does not end it: connect(2)
		return nil
	}
	return errno
}

func open(a netip.Addr, socketType int) (int, error) {
	family := unix.AF_INET
	switch {
	case a.Is6():
		family = unix.AF_INET6
	case !a.Is4():
		return -1, unix.EDESTADDRREQ
	}
	sys, _, errno := unix.RawSyscall(unix.SYS_SOCKET, uintptr(family), uintptr(socketType|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC), 0)
	if errno != 0 {
		return -1, errno
	}
	return int(sys), nil
}

// A setting is a socket option, if it is wanted.
type setting struct {
	wanted               bool
	level, option, value int
}

func setAll(sys int, all ...setting) error {
	for _, s := range all {
		if !s.wanted {
			continue
		}
		v := int32(s.value)
		_, _, errno := unix.RawSyscall6(unix.SYS_SETSOCKOPT, uintptr(sys), uintptr(s.level), uintptr(s.option),
			uintptr(unsafe.Pointer(&v)), unsafe.Sizeof(v), 0)
		if errno != 0 {
			return errno
		}
	}
	return nil
}

func (k *linux) Bear(sys int, tos, mark int) error {
	four, err := ofIPv4(sys)
	if err != nil {
		return err
	}
	return setAll(sys,
		setting{tos >= 0 && !four, unix.IPPROTO_IPV6, unix.IPV6_TCLASS, tos},
		setting{tos >= 0 && four, unix.IPPROTO_IP, unix.IP_TOS, tos},
		setting{mark >= 0, unix.SOL_SOCKET, unix.SO_MARK, mark},
	)
}

// ofIPv4 says whether packets of a socket are of IPv4, which those of an IPv6 one may be too.
func ofIPv4(sys int) (bool, error) {
	var raw unix.RawSockaddrInet6
	size := uint32(unsafe.Sizeof(raw))
	_, _, errno := unix.RawSyscall(unix.SYS_GETSOCKNAME, uintptr(sys), uintptr(unsafe.Pointer(&raw)), uintptr(unsafe.Pointer(&size)))
	if errno != 0 {
		return false, errno
	}
	return fromRaw(&raw).Addr().Is4(), nil
}

func (k *linux) SocketError(sys int) error {
	var pending int32
	size := uint32(unsafe.Sizeof(pending))
	_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(sys), unix.SOL_SOCKET, unix.SO_ERROR,
		uintptr(unsafe.Pointer(&pending)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return errno
	}
	return errnoError(unix.Errno(pending))
}

func (k *linux) CloseWrite(sys int) error {
	_, _, errno := unix.RawSyscall(unix.SYS_SHUTDOWN, uintptr(sys), unix.SHUT_WR, 0)
	return errnoError(errno)
}

func (k *linux) Reset(sys int) error {
	// A socket that does not linger at all is reset: socket(7). Anything else is closed.
	_ = unix.SetsockoptLinger(sys, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	return k.Close(sys)
}

func (k *linux) Names(sys int) (local, original netip.AddrPort, err error) {
	var raw unix.RawSockaddrInet6
	size := uint32(unsafe.Sizeof(raw))
	_, _, errno := unix.RawSyscall(unix.SYS_GETSOCKNAME, uintptr(sys), uintptr(unsafe.Pointer(&raw)), uintptr(unsafe.Pointer(&size)))
	if errno != 0 {
		return local, original, errno
	}
	local = fromRaw(&raw)
	if original = originalDestination(sys, local.Addr().Is4()); original == local {
		original = netip.AddrPort{} // not diverted
	}
	return local, original, nil
}

// originalDestination is what connection tracking remembers (SO_ORIGINAL_DST); zero if it does not.
func originalDestination(sys int, four bool) netip.AddrPort {
	level, option := unix.IPPROTO_IPV6, 80 // IP6T_SO_ORIGINAL_DST
	if four {
		level, option = unix.IPPROTO_IP, unix.SO_ORIGINAL_DST
	}
	var raw unix.RawSockaddrInet6
	size := uint32(unsafe.Sizeof(raw))
	_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(sys), uintptr(level), uintptr(option),
		uintptr(unsafe.Pointer(&raw)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return netip.AddrPort{}
	}
	return fromRaw(&raw)
}

// fromRaw reads a socket address of either family, unmapped; zero if it is of another.
func fromRaw(raw *unix.RawSockaddrInet6) netip.AddrPort {
	port := func(p *uint16) uint16 { return binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(p))[:]) }
	switch raw.Family {
	case unix.AF_INET:
		four := (*unix.RawSockaddrInet4)(unsafe.Pointer(raw))
		return netip.AddrPortFrom(netip.AddrFrom4(four.Addr), port(&four.Port))
	case unix.AF_INET6:
		a := netip.AddrFrom16(raw.Addr).Unmap()
		if raw.Scope_id != 0 && a.Is6() {
			a = a.WithZone(fmt.Sprint(raw.Scope_id))
		}
		return netip.AddrPortFrom(a, port(&raw.Port))
	}
	return netip.AddrPort{}
}

// toRaw is the opposite of fromRaw.
func toRaw(a netip.AddrPort) (raw unix.RawSockaddrInet6, size uintptr) {
	port := func(p *uint16) { binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(p))[:], a.Port()) }
	if a.Addr().Is4() {
		four := (*unix.RawSockaddrInet4)(unsafe.Pointer(&raw))
		four.Family, four.Addr = unix.AF_INET, a.Addr().As4()
		port(&four.Port)
		return raw, unsafe.Sizeof(*four)
	}
	raw.Family, raw.Addr, raw.Scope_id = unix.AF_INET6, a.Addr().As16(), zoneIndex(a.Addr())
	port(&raw.Port)
	return raw, unsafe.Sizeof(raw)
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16(), ZoneId: zoneIndex(a.Addr())}
}

// zoneIndex is the interface of a link-local address, whose zone is its name or its number.
func zoneIndex(a netip.Addr) uint32 {
	if n, err := strconv.ParseUint(a.Zone(), 10, 32); err == nil || a.Zone() == "" {
		return uint32(n)
	}
	request, err := unix.NewIfreq(a.Zone())
	if err != nil {
		return 0
	}
	sys, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0
	}
	defer unix.Close(sys)
	if unix.IoctlIfreq(sys, unix.SIOCGIFINDEX, request) != nil {
		return 0 // no such interface: connect or bind will say EINVAL
	}
	return request.Uint32()
}
