package proxyheader

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// two makes a header of version 2: a byte of version and command, one of family and transport, and the body.
func two(command, family byte, body ...[]byte) string {
	all := bytes.Join(body, nil)
	return string(magic2) + string([]byte{command, family, byte(len(all) >> 8), byte(len(all))}) + string(all)
}

func tlv(kind byte, value string) []byte {
	return append([]byte{kind, byte(len(value) >> 8), byte(len(value))}, value...)
}

var (
	four = []byte{192, 0, 2, 7, 192, 0, 2, 9, 4, 87, 8, 174}
	six  = append(append(netip.MustParseAddr("2001:db8::7").AsSlice(), netip.MustParseAddr("2001:db8::9").AsSlice()...), 4, 87, 8, 174)
)

const (
	ends4 = "192.0.2.7:1111>192.0.2.9:2222"
	ends6 = "[2001:db8::7]:1111>[2001:db8::9]:2222"
	none  = "invalid AddrPort>invalid AddrPort"
)

// headers are what was put to Squid 5.7, which reads all the same but where a row says so.
var headers = []struct{ header, want string }{
	{"PROXY TCP4 192.0.2.7 192.0.2.9 1111 2222\r\n", "1 PROXY " + ends4},
	{"PROXY TCP6 2001:db8::7 2001:db8::9 1111 2222\r\n", "1 PROXY " + ends6},
	{"PROXY UNKNOWN\r\n", "1 PROXY " + none},
	{"PROXY UNKNOWN 192.0.2.7 192.0.2.9 1111 2222\r\n", "1 PROXY " + none},
	{"PROXY UNKNOWN " + strings.Repeat("x", 90) + "\r\n", "1 PROXY " + none},
	{"PROXY UNKNOWN " + strings.Repeat("x", 200) + "\r\n", "PROXY/1.0 error: malformed header"},
	{"PROXY TCP4 192.0.2.7 192.0.2.9 0 0\r\n", "1 PROXY 192.0.2.7:0>192.0.2.9:0"},
	{"PROXY TCP4 192.0.2.7 192.0.2.9 01111 2222\r\n", "1 PROXY " + ends4},
	{"PROXY TCP4 2001:db8::7 192.0.2.9 1111 2222\r\n", "PROXY/1.0 error: declared and/or actual IP address families mismatch"},
	{"PROXY TCP6 192.0.2.7 192.0.2.9 1111 2222\r\n", "PROXY/1.0 error: declared and/or actual IP address families mismatch"},
	{"PROXY TCP4 192.0.2.7 192.0.2.9 99999 2222\r\n", "PROXY/1.0 error: invalid port"},
	{"PROXY  TCP4 192.0.2.7 192.0.2.9 1111 2222\r\n", "PROXY/1.0 error: invalid INET protocol or family"},
	{"PROXY tcp4 192.0.2.7 192.0.2.9 1111 2222\r\n", "PROXY/1.0 error: invalid INET protocol or family"},
	{"PROXY UDP4 192.0.2.7 192.0.2.9 1111 2222\r\n", "PROXY/1.0 error: invalid INET protocol or family"},
	{"PROXY TCP4  192.0.2.7 192.0.2.9 1111 2222\r\n", "PROXY/1.0 error: malformed IP address"},
	{"PROXY TCP4 host 192.0.2.9 1111 2222\r\n", "PROXY/1.0 error: malformed IP address"},
	{"PROXY TCP6 fe80::1%eth0 fe80::2 1111 2222\r\n", "PROXY/1.0 error: malformed IP address"},
	{"PROXY TCP4 192.0.2.7 192.0.2.9 1111\r\n", "PROXY/1.0 error: invalid port"}, // Squid: garbage after port
	// Squid takes these.
	{"PROXY TCP4 192.0.2.7 192.0.2.9 1111 2222\n", "PROXY/1.0 error: malformed header"},
	{"PROXY TCP4 192.0.2.7 192.0.2.9 1111 2222 \r\n", "PROXY/1.0 error: garbage after port"},

	{"GET http://x.test/ HTTP/1.1\r\n\r\n", "PROXY protocol error: invalid magic"},
	{"PROXX TCP4\r\n", "PROXY protocol error: invalid magic"},
	{"\r\n\r\n\x00\r\nQUIX", "PROXY protocol error: invalid magic"},
	{"", ErrShort.Error()},
	{"PROXY TCP4 192.0.2.7 192.0.2.9 1111 2222\r", ErrShort.Error()},

	{two(0x21, 0x11, four), "2 PROXY " + ends4},
	{two(0x21, 0x21, six), "2 PROXY " + ends6},
	{two(0x21, 0x12, four), "2 PROXY " + ends4}, // UDP
	{two(0x20, 0x11, four), "2 LOCAL " + ends4},
	{two(0x20, 0x11), "2 LOCAL " + none},
	{two(0x20, 0), "2 LOCAL " + none},
	{two(0x20, 0, []byte("abc")), "2 LOCAL " + none},
	{two(0x21, 0), "2 PROXY " + none},
	{two(0x21, 0x31, bytes.Repeat([]byte("a"), 216)), "2 PROXY " + none}, // Squid: the address ::
	{two(0x22, 0x11, four), "PROXY/2.0 error: invalid command 2"},
	{two(0x11, 0x11, four), "PROXY/2.0 error: invalid version 1"},
	{two(0x21, 0x41), "PROXY/2.0 error: invalid address family 4"},
	{two(0x21, 0x13, four), "PROXY/2.0 error: invalid transport protocol 3"},
	{two(0x21, 0x11, four[:4]), "PROXY/2.0 error: the addresses are not complete"}, // Squid: check failed: expectMore_
	{two(0x21, 0x11, four, []byte{1, 0, 5, 'a'}), "PROXY/2.0 error: a TLV is not complete"},
	{two(0x21, 0x11, four, []byte{1}), "PROXY/2.0 error: a TLV is not complete"},
	{two(0x21, 0x11, four, tlv(1, "h2"), tlv(2, "")), "2 PROXY " + ends4 + " 1=h2 2="},
	{two(0x21, 0x11, four, tlv(4, strings.Repeat("n", Most-head2-12-3))), "2 PROXY " + ends4 + " 4=" + strings.Repeat("n", Most-head2-12-3)},
	{two(0x21, 0x11, four, tlv(4, strings.Repeat("n", Most)))[:head2], "PROXY/2.0 error: header is too long"},
}

// told is what came of reading a header.
func told(h *Header, err error) string {
	if err != nil {
		return err.Error()
	}
	command := "PROXY"
	if h.Local {
		command = "LOCAL"
	}
	s := fmt.Sprintf("%d %s %s>%s", h.Version, command, h.Source, h.Destination)
	h.EachExtension(func(kind byte, value []byte) bool {
		s += fmt.Sprintf(" %d=%s", kind, value)
		return true
	})
	return s
}

// TestParse reads each header alone, before a request, and in every piece.
func TestParse(t *testing.T) {
	for _, row := range headers {
		h, n, err := Parse([]byte(row.header))
		if got := told(h, err); got != row.want || err == nil && n != len(row.header) {
			t.Errorf("%.80q: %.100s (%d bytes), want %.100s", row.header, got, n, row.want)
		}
		if err != nil {
			continue
		}
		if behind, n, err := Parse([]byte(row.header + "GET / HTTP/1.1\r\n")); told(behind, err) != row.want || n != len(row.header) {
			t.Errorf("%.80q before a request: %.100s (%d bytes)", row.header, told(behind, err), n)
		}
		for i := range row.header {
			if _, _, err := Parse([]byte(row.header[:i])); err != ErrShort {
				t.Fatalf("%.80q: of %d bytes it says %v", row.header, i, err)
			}
		}
	}
}

func TestAppend(t *testing.T) {
	for _, row := range []struct{ source, destination, one string }{
		{"192.0.2.7:1111", "192.0.2.9:2222", "PROXY TCP4 192.0.2.7 192.0.2.9 1111 2222\r\n"},
		{"[::ffff:192.0.2.7]:1111", "192.0.2.9:2222", "PROXY TCP4 192.0.2.7 192.0.2.9 1111 2222\r\n"},
		{"[2001:db8::7]:1", "[2001:db8::9]:65535", "PROXY TCP6 2001:db8::7 2001:db8::9 1 65535\r\n"},
		{"[2001:db8::7]:1", "192.0.2.9:2222", "PROXY TCP6 2001:db8::7 ::ffff:192.0.2.9 1 2222\r\n"},
		{"[fe80::1%eth0]:1", "[2001:db8::9]:2", "PROXY TCP6 fe80::1 2001:db8::9 1 2\r\n"},
		{"", "192.0.2.9:2222", "PROXY UNKNOWN\r\n"},
	} {
		source, _ := netip.ParseAddrPort(row.source)
		destination := netip.MustParseAddrPort(row.destination)
		one := AppendV1([]byte("x"), source, destination)
		if string(one) != "x"+row.one {
			t.Errorf("%s>%s is %q", row.source, row.destination, one)
		}
		for _, header := range [][]byte{one[1:], AppendV2(nil, source, destination)} {
			h, n, err := Parse(header)
			if err != nil || n != len(header) || h.Source.IsValid() != source.IsValid() || source.IsValid() && h.Source.Addr() != source.Addr().Unmap().WithZone("") {
				t.Errorf("%q is read as %s", header, told(h, err))
			}
		}
	}
}

// FuzzParse holds every header against what may be said of any.
func FuzzParse(f *testing.F) {
	for _, row := range headers {
		f.Add([]byte(row.header))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, n, err := Parse(b)
		for size := range min(len(b), 600) {
			if _, _, early := Parse(b[:size]); early != ErrShort && (err == nil && size < n || err == ErrShort || (early == nil) != (err == nil)) {
				t.Fatalf("of %d bytes it says %v, of all %v", size, early, err)
			}
		}
		var e *Error
		switch {
		case err == ErrShort:
			if len(b) >= Most {
				t.Errorf("%d bytes are not enough", len(b))
			}
		case errors.As(err, &e):
		case err != nil:
			t.Errorf("an error of another kind: %v", err)
		case n < 15 || n > Most || n > len(b):
			t.Errorf("a header of %d bytes in %d", n, len(b))
		default:
			if again, m, err := Parse(b[:n]); err != nil || m != n || told(again, nil) != told(h, nil) {
				t.Errorf("without what follows it is another: %s, %s", told(h, nil), told(again, err))
			}
			if _, _, err := Parse(b[:n-1]); err != ErrShort {
				t.Errorf("a byte less is %v", err)
			}
		}
	})
}
