package main

import (
	"fmt"

	"golang.org/x/sys/unix"

	"exaproxy/compat"
)

// rightsFor are those of root's that the proxy needs for as long as it serves, as bits (capabilities(7)).
func rightsFor(s *compat.Settings) (rights uint32) {
	if s.NeedsNetRaw() {
		rights |= 1 << unix.CAP_NET_RAW
	}
	if s.Packets.ConnMarks() {
		rights |= 1 << unix.CAP_NET_ADMIN
	}
	return rights
}

// mayMark returns why the proxy may not mark packets as a configuration wants it to (SO_MARK, socket(7)); nil if it may, or
// need not. Without the mark they would go ways that are not theirs.
func mayMark(s *compat.Settings) error {
	if err := mayAskOfConnections(s); err != nil {
		return err
	}
	if !s.Packets.Marks() {
		return nil
	}
	sys, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	defer unix.Close(sys)
	if err := unix.SetsockoptInt(sys, unix.SOL_SOCKET, unix.SO_MARK, 1); err != nil {
		return fmt.Errorf("tcp_outgoing_mark, mark_client_packet and qos_flows mark: %w: they need CAP_NET_RAW (before Linux 5.17 CAP_NET_ADMIN, which is not kept); it is kept if a mark is configured at the start, by root", err)
	}
	return nil
}

// mayAskOfConnections returns why the proxy may not read and change the marks of connections as a configuration wants it to
// (ctnetlink); nil if it may, or need not.
func mayAskOfConnections(s *compat.Settings) error {
	if !s.Packets.ConnMarks() {
		return nil
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return fmt.Errorf("capget: %w", err)
	}
	if data[0].Effective&(1<<unix.CAP_NET_ADMIN) == 0 {
		return fmt.Errorf("mark_client_connection, acls of the type client_connection_mark and marks that qos_flows preserves: %w: they need CAP_NET_ADMIN; it is kept if one is configured at the start, by root", unix.EPERM)
	}
	return nil
}
