package main

import (
	"fmt"

	"golang.org/x/sys/unix"

	"exaproxy/compat"
)

// mayMark returns why the proxy may not mark packets as a configuration wants it to (SO_MARK, socket(7)); nil if it may, or
// need not. Without the mark they would go ways that are not theirs.
func mayMark(s *compat.Settings) error {
	if !s.Packets.Marks() {
		return nil
	}
	sys, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	defer unix.Close(sys)
	if err := unix.SetsockoptInt(sys, unix.SOL_SOCKET, unix.SO_MARK, 1); err != nil {
		return fmt.Errorf("tcp_outgoing_mark and mark_client_packet: %w: they need CAP_NET_RAW (before Linux 5.17 CAP_NET_ADMIN, which is not kept); it is kept if a mark is configured at the start, by root", err)
	}
	return nil
}
