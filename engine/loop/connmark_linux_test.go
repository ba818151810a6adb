package loop

import (
	"encoding/hex"
	"net"
	"net/netip"
	"testing"
)

// TestConntrackMessage has the message that libnetfilter_conntrack would send (on a little-endian machine, by its order of attributes).
func TestConntrackMessage(t *testing.T) {
	from, to := netip.MustParseAddrPort("192.0.2.1:40000"), netip.MustParseAddrPort("192.0.2.7:80")
	got := conntrackMessage(conntrackGet, 0, from, to, nil)
	const tuple = "3400" + "0180" + "1400" + "0180" + "0800" + "0100" + "c0000201" + "0800" + "0200" + "c0000207" +
		"1c00" + "0280" + "0500" + "0100" + "06000000" + "0600" + "0200" + "9c400000" + "0600" + "0300" + "00500000"
	if want := "48000000" + "0101" + "0100" + "0000000000000000" + "02000000" + tuple; hex.EncodeToString(got) != want {
		t.Errorf("it is\n%x, want\n%s", got, want)
	}
	six := conntrackMessage(conntrackNew, 4, netip.MustParseAddrPort("[2001:db8::1]:1"), netip.MustParseAddrPort("[2001:db8::2]:2"), attribute(nil, conntrackMark, []byte{0, 0, 0, 7}))
	if int(six[0]) != len(six) || six[16] != 10 || hex.EncodeToString(six[len(six)-8:]) != "0800080000000007" {
		t.Errorf("of IPv6 it is %x", six)
	}
}

// TestConnMarkOfAStranger fails without waiting: the connection is not tracked, or we may not ask.
func TestConnMarkOfAStranger(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(sys uintptr) {
		if mark, err := (*linux)(nil).ConnMark(int(sys), false); err == nil && mark != 0 {
			t.Errorf("its mark is %#x", mark)
		}
		for _, ours := range []bool{false, true} { // had we connected it, it would be from here to there
			from, to, err := endsOf(int(sys), ours)
			if ours {
				from, to = to, from
			}
			if err != nil || from.String() != client.LocalAddr().String() || to.String() != l.Addr().String() {
				t.Errorf("it is from %s to %s: %v", from, to, err)
			}
		}
	})
	if _, _, err := endsOf(-1, true); err == nil {
		t.Error("nothing is connected")
	}
}
