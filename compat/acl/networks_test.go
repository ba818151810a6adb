package acl

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

// readNetworks reads values as a line of src does.
func readNetworks(values ...string) (n *networks, warnings []string, err error) {
	n = new(networks)
	r := networkReader{into: n, warn: func(lines ...string) { warnings = append(warnings, lines...) }}
	r.resolve = func(name string) ([]netip.Addr, error) {
		if name != "host.example" {
			return nil, errors.New("no such name")
		}
		return []netip.Addr{netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::7"), netip.MustParseAddr("192.0.2.7")}, nil
	}
	for _, value := range values {
		if err := r.read(value); err != nil {
			return n, warnings, err
		}
	}
	return n, append(warnings, n.finish("a")...), nil
}

func TestNetworks(t *testing.T) {
	const maskedAway = "aclIpParseIpData: WARNING: Netmask masks away part of the specified IP in '%s'"
	tests := []struct {
		name     string
		values   string
		yes, no  string
		warnings []string
	}{
		{name: "an address", values: "192.0.2.1", yes: "192.0.2.1 ::ffff:192.0.2.1", no: "192.0.2.0 192.0.2.2 ::1"},
		{name: "a network", values: "192.0.2.0/24", yes: "192.0.2.0 192.0.2.255", no: "192.0.1.255 192.0.3.0"},
		{name: "an IPv6 address and a network", values: "::1 2001:db8::/32", yes: "::1 2001:db8:ffff::", no: "::2 2001:db9:: 0.0.0.1"},
		{name: "a network that holds IPv4", values: "::ffff:10.0.0.0/104", yes: "10.255.0.1", no: "11.0.0.0 ::ffff"},
		{name: "an IPv6 network is not about IPv4", values: "::/1", yes: "::1", no: "10.0.0.1 8000::"},
		{name: "a range", values: "10.0.0.1-10.0.0.9", yes: "10.0.0.1 10.0.0.5 10.0.0.9", no: "10.0.0.0 10.0.0.10"},
		{name: "an IPv6 range", values: "fe80::1-fe80::f", yes: "fe80::8", no: "fe80::10"},
		{name: "a range of networks", values: "10.0.0.0-10.0.3.0/24", yes: "10.0.0.0 10.0.3.255", no: "10.0.4.0"},
		{name: "all", values: "all", yes: "0.0.0.0 255.255.255.255 :: ffff::"},
		{name: "ipv4", values: "ipv4", yes: "10.0.0.1", no: "2000::"},
		{name: "ipv6 is unicast", values: "ipv6", yes: "1000:: 2001:db8:: fc00::1 fe80::1", no: "10.0.0.1 ::1 ff02::1"},
		{name: "a host name", values: "host.example", yes: "192.0.2.7 2001:db8::7", no: "192.0.2.6"},
		{name: "short and odd forms of an address", values: "127.1 0x0a000001 0300.1", yes: "127.0.0.1 10.0.0.1 192.0.0.1"},
		{name: "the short form is not a network's beginning", values: "192.168.1/24", yes: "192.168.0.9", no: "192.168.1.9",
			warnings: []string{fmt.Sprintf(maskedAway, "192.168.1/24")}},
		{name: "bits beyond the mask", values: "10.0.0.1/8", yes: "10.9.9.9", warnings: []string{fmt.Sprintf(maskedAway, "10.0.0.1/8")}},
		{name: "a dotted netmask", values: "10.0.0.0/255.255.0.0", yes: "10.0.255.255", no: "10.1.0.0", warnings: []string{
			"WARNING: Netmasks are deprecated. Please use CIDR masks instead.",
			"WARNING: IPv4 netmasks are particularly nasty when used to compare IPv6 to IPv4 ranges.",
			"WARNING: For now we will assume you meant to write /16"}},
		{name: "what should be all", values: "0.0.0.0/0.0.0.0", yes: "10.0.0.1 ::1", warnings: []string{
			"ERROR: '0.0.0.0/0.0.0.0' needs to be replaced by the term 'all'.",
			"SECURITY NOTICE: Overriding config setting. Using 'all' instead."}},
		{name: "a reversed range is its first address", values: "10.0.0.9-10.0.0.1", yes: "10.0.0.9", no: "10.0.0.5 10.0.0.1", warnings: []string{
			"WARNING: the range '10.0.0.9-10.0.0.1' is reversed: only its first address matches"}},
		{name: "a network within an earlier one", values: "10.0.0.0/8 10.1.0.0/16", yes: "10.1.0.1 10.2.0.1", warnings: []string{
			"WARNING: (A) '10.1.0.0/16' is a subnetwork of (B) '10.0.0.0/8'",
			"WARNING: You should probably remove '10.1.0.0/16' from the ACL named 'a'"}},
		{name: "a network within a later one", values: "10.1.0.0/16 10.0.0.0/8", yes: "10.1.0.1 10.2.0.1", warnings: []string{
			"WARNING: (B) '10.1.0.0/16' is a subnetwork of (A) '10.0.0.0/8'",
			"WARNING: You should probably remove '10.1.0.0/16' from the ACL named 'a'"}},
		{name: "an address in a range", values: "10.0.0.1-10.0.0.9 10.0.0.3", warnings: []string{
			"WARNING: (A) '10.0.0.3' is a subnetwork of (B) '10.0.0.1-10.0.0.9'",
			"WARNING: You should probably remove '10.0.0.3' from the ACL named 'a'"}},
		{name: "the same twice", values: "127.0.0.1 127.0.0.1/255.255.255.255", warnings: []string{
			"WARNING: Netmasks are deprecated. Please use CIDR masks instead.",
			"WARNING: IPv4 netmasks are particularly nasty when used to compare IPv6 to IPv4 ranges.",
			"WARNING: For now we will assume you meant to write /32",
			"WARNING: (B) '127.0.0.1' is a subnetwork of (A) '127.0.0.1'",
			"WARNING: You should probably remove '127.0.0.1' from the ACL named 'a'"}},
		{name: "all twice is one warning", values: "all all", warnings: []string{
			"WARNING: (B) '::/0' is a subnetwork of (A) '::/0'",
			"WARNING: You should probably remove '::/0' from the ACL named 'a'"}},
		{name: "ranges that overlap without one in the other", values: "10.0.0.1-10.0.0.9 10.0.0.5-10.0.0.20", yes: "10.0.0.1 10.0.0.20", no: "10.0.0.21"},
		{name: "nothing", no: "10.0.0.1 ::1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, warnings, err := readNetworks(strings.Fields(tt.values)...)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(warnings, tt.warnings) {
				t.Errorf("warnings\n%q, want\n%q", warnings, tt.warnings)
			}
			for _, addr := range strings.Fields(tt.yes) {
				if !n.contains(netip.MustParseAddr(addr)) {
					t.Errorf("%s is not in %s", addr, tt.values)
				}
			}
			for _, addr := range strings.Fields(tt.no) {
				if n.contains(netip.MustParseAddr(addr)) {
					t.Errorf("%s is in %s", addr, tt.values)
				}
			}
			if n.contains(netip.Addr{}) {
				t.Error("the invalid address is in the set")
			}
		})
	}
}

func TestBadNetworks(t *testing.T) {
	tests := map[string]string{
		"999.1.1.1":          "aclIpParseIpData: Bad host/IP: '999.1.1.1' in '999.1.1.1', flags=0 : (-2) Name or service not known",
		"nosuch.example":     "aclIpParseIpData: Bad host/IP: 'nosuch.example' in 'nosuch.example', flags=0 : (-2) Name or service not known",
		"my-host":            "aclIpParseIpData: Bad host/IP: 'my-host' in 'my-host', flags=0 : (-2) Name or service not known",
		"999.1.1.1/8":        "aclIpParseIpData: unknown first address in '999.1.1.1/8'",
		"host.example/24":    "aclIpParseIpData: unknown first address in 'host.example/24'",
		"10.0.0.1-10.0.0.x":  "aclIpParseIpData: Bad host/IP: '10.0.0.1-10.0.0.x' in '10.0.0.1-10.0.0.x', flags=0 : (-2) Name or service not known",
		"10.0.0.1-999":       "",
		"10.0.0.1-10.0.0":    "",
		"10.0.0.1-9.9.9.999": "aclIpParseIpData: unknown second address in '10.0.0.1-9.9.9.999'",
		"::1-10/8":           "aclIpParseIpData: unknown second address in '::1-10/8'",
		"1.2.3.4/33":         "aclParseIpData: unknown netmask '33' in '1.2.3.4/33'",
		"1.2.3.4/":           "aclParseIpData: unknown netmask '' in '1.2.3.4/'",
		"1.2.3.4/x":          "aclParseIpData: unknown netmask 'x' in '1.2.3.4/x'",
		"::1/129":            "aclParseIpData: unknown netmask '129' in '::1/129'",
		"::1/255.0.0.0":      "aclParseIpData: unknown netmask '255.0.0.0' in '::1/255.0.0.0'",
		"::ffff:1.2.3.4/95":  "aclParseIpData: unknown netmask '95' in '::ffff:1.2.3.4/95'",
	}
	for value, want := range tests {
		_, _, err := readNetworks(value)
		if got := fmt.Sprint(err); want == "" && err != nil || want != "" && got != want {
			t.Errorf("%s: got error %q, want %q", value, got, want)
		}
	}
}

func TestThousandsOfNeedlessNetworksAreCounted(t *testing.T) {
	values := []string{"10.0.0.0/8"}
	for i := range 100 {
		values = append(values, fmt.Sprintf("10.0.0.%d", i))
	}
	_, warnings, err := readNetworks(values...)
	if want := "WARNING: 90 more networks of the ACL named 'a' are subnetworks of others in it"; err != nil || len(warnings) != 21 || warnings[20] != want {
		t.Errorf("got %d warnings, the last %q, error %v; want 21 and %q", len(warnings), warnings[len(warnings)-1], err, want)
	}
}

func FuzzNetworks(f *testing.F) {
	f.Add([]byte{10, 0, 0, 0, 8, 10, 1, 0, 0, 16}, []byte{10, 1, 2, 3}, false)
	f.Add([]byte{0, 0, 0, 0, 0, 255, 255, 255, 255, 32}, []byte{255, 255, 255, 255}, true)
	f.Fuzz(func(t *testing.T, seed, host []byte, wide bool) {
		address := func(b []byte) netip.Addr {
			var four [4]byte
			copy(four[:], b)
			if !wide {
				return netip.AddrFrom4(four)
			}
			var sixteen [16]byte
			copy(sixteen[6:], four[:]) // on both sides of the middle of 128 bits
			sixteen[0] = 0x20
			return netip.AddrFrom16(sixteen)
		}
		var prefixes []netip.Prefix
		var values []string
		for ; len(seed) >= 5; seed = seed[5:] {
			addr := address(seed)
			bits := int(seed[4]) % (addr.BitLen() + 1)
			if bits == 0 {
				continue // 0.0.0.0/0 is a word of its own
			}
			p := netip.PrefixFrom(addr, bits).Masked()
			prefixes, values = append(prefixes, p), append(values, p.String())
		}
		n, _, err := readNetworks(values...)
		if err != nil {
			t.Fatal(err)
		}
		addr, want := address(host), false
		for _, p := range prefixes {
			want = want || p.Contains(addr)
		}
		if got := n.contains(addr); got != want {
			t.Errorf("%v in %v: got %v, want %v", addr, prefixes, got, want)
		}
	})
}

func TestAddressesInAnyForm(t *testing.T) {
	tests := map[string]string{
		"127.0.0.1": "127.0.0.1", "127.1": "127.0.0.1", "2130706433": "127.0.0.1", "0x7f.0.1": "127.0.0.1",
		"0177.0.0.01": "127.0.0.1", "0X7F000001": "127.0.0.1", "0": "0.0.0.0", "255.255.65535": "255.255.255.255",
		"::1": "::1", "::ffff:127.0.0.1": "127.0.0.1", "fe80::1%eth0": "fe80::1",
		"": "", "1.2.3.4.5": "", "256.1.1.1": "", "1.2.3.256": "", "1.2.65536": "", "4294967296": "", "08": "", "0x": "",
		"1..2": "", "1.2.": "", ".1": "", "a.b": "", "1.2.3.4a": "", "::g": "", "example.com": "", "0xg": "",
		"99999999999999999999999999": "",
	}
	for text, want := range tests {
		addr, ok := parseAddr([]byte(text))
		if got := addr.String(); ok != (want != "") || ok && got != want {
			t.Errorf("%q: got %s, %v, want %q", text, got, ok, want)
		}
	}
}
