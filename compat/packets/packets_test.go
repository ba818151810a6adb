package packets

import (
	"net/netip"
	"strings"
	"testing"

	"exaproxy/compat/acl"
	"exaproxy/compat/compattest"
	"exaproxy/engine"
)

func policy(t *testing.T, conf string) *Policy {
	t.Helper()
	acls := acl.NewSet()
	var s Settings
	compattest.MustRead(t, acls, s.Directives(), conf)
	acls.Finish()
	match := func(l *acl.List, r *engine.Request) acl.Answer { return l.Match(r, &r.Target, &acl.Place{}) }
	return NewPolicy(&s, match, match)
}

const two = "acl pupil src 192.0.2.1\nacl teacher src 192.0.2.2\n"

// TestMark has a request of 192.0.2.1, a pupil, that came to 192.0.2.9.
func TestMark(t *testing.T) {
	six, other := netip.MustParseAddr("fd00::1"), netip.MustParseAddr("10.0.0.2")
	for _, row := range []struct {
		conf   string
		hop    engine.Hop
		client engine.Packets
	}{
		{"tcp_outgoing_address 10.0.0.1 teacher\ntcp_outgoing_address 10.0.0.2 pupil\ntcp_outgoing_address 10.0.0.3\n", engine.Hop{Local: other}, engine.Packets{}},
		{"tcp_outgoing_address 10.0.0.2\ntcp_outgoing_address 10.0.0.1 pupil\n", engine.Hop{Local: other}, engine.Packets{}},
		{"tcp_outgoing_address fd00::1\ntcp_outgoing_address 10.0.0.2\ntcp_outgoing_address fd00::2\n", engine.Hop{Local: other, Local6: six}, engine.Packets{}},
		{"tcp_outgoing_address fd00::1\n", engine.Hop{Local: six}, engine.Packets{}},
		{"tcp_outgoing_address 10.0.0.1 teacher\n", engine.Hop{}, engine.Packets{}},
		{"tcp_outgoing_address 10.0.0.2 !teacher\n", engine.Hop{Local: other}, engine.Packets{}},
		{"tcp_outgoing_tos 0x20 teacher\ntcp_outgoing_tos 0x30 pupil\ntcp_outgoing_mark 7\n", engine.Hop{TOS: 0x30, Mark: 7}, engine.Packets{}},
		{"tcp_outgoing_dscp 33\n", engine.Hop{TOS: 32}, engine.Packets{}},
		{"clientside_tos 0x40 pupil\nclientside_mark 0xff\n", engine.Hop{}, engine.Packets{TOS: 0x40, Mark: 255}},
		{"proxy_protocol_out v1 teacher\n", engine.Hop{}, engine.Packets{}},
		{"proxy_protocol_out none pupil\nproxy_protocol_out v1\n", engine.Hop{}, engine.Packets{}},
		{"proxy_protocol_out v1 pupil\n", engine.Hop{ProxyHeader: "PROXY TCP4 192.0.2.1 192.0.2.9 40000 3128\r\n"}, engine.Packets{}},
		{"proxy_protocol_out v2\n", engine.Hop{ProxyHeader: "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x01\xc0\x00\x02\x09\x9c\x40\x0c\x38"}, engine.Packets{}},
	} {
		var hop engine.Hop
		p, r := policy(t, two+row.conf), compattest.NewRequest(t, "GET http://x.test/ HTTP/1.1")
		p.MarkClient(r)
		a, client := p.Mark(r, &hop), r.Packets
		if a != engine.Proceed || hop.Local != row.hop.Local || hop.Local6 != row.hop.Local6 || hop.TOS != row.hop.TOS || hop.Mark != row.hop.Mark || hop.ProxyHeader != row.hop.ProxyHeader || client != row.client {
			t.Errorf("%q gives %+v to the hop and %+v to the client", row.conf, hop, client)
		}
	}
}

// TestAnAddressThatIsChosenStays is the case of TPROXY.
func TestAnAddressThatIsChosenStays(t *testing.T) {
	hop := engine.Hop{Local: netip.MustParseAddr("192.0.2.1")}
	Give(&engine.Hop{Local: netip.MustParseAddr("10.0.0.1"), Local6: netip.MustParseAddr("fd00::1"), TOS: 4}, &hop)
	if hop.Local != netip.MustParseAddr("192.0.2.1") || hop.Local6.IsValid() {
		t.Errorf("it is %s and %s", hop.Local, hop.Local6)
	}
}

// TestPending has an acl that must be looked up.
func TestPending(t *testing.T) {
	p := policy(t, "tcp_outgoing_address 10.0.0.1\nproxy_protocol_out v1")
	waits := 0
	p.match = func(*acl.List, *engine.Request) acl.Answer {
		if waits++; waits == 2 {
			return acl.Pending
		}
		return acl.Allow
	}
	for i, want := range []engine.Action{engine.Pending, engine.Proceed} {
		var hop engine.Hop
		if a := p.Mark(compattest.NewRequest(t, "GET http://x.test/ HTTP/1.1"), &hop); a != want || (hop.ProxyHeader != "") != (want == engine.Proceed) {
			t.Errorf("%d: it says %v, and the hop is %+v", i, a, hop)
		}
	}
}

func TestNothing(t *testing.T) {
	(*Policy)(nil).MarkClient(nil)
	if p := policy(t, two); p != nil || p.Mark(nil, nil) != engine.Proceed {
		t.Error("there is a policy for nothing")
	}
}

func TestWhatIsRefused(t *testing.T) {
	for line, want := range map[string]string{
		"tcp_outgoing_address":                    "a value is missing",
		"tcp_outgoing_address 192.0.2.0/24 pupil": "invalid IP address or domain name '192.0.2.0/24'",
		"tcp_outgoing_address [2001:db8::1]":      "invalid IP address or domain name '[2001:db8::1]'",
		"tcp_outgoing_address 0.0.0.0":            "no address to connect from",
		"tcp_outgoing_address 192.0.2.1 nosuch":   "ACL not found: nosuch",
		"tcp_outgoing_tos 256":                    "'256' is no type of service",
		"tcp_outgoing_tos -1":                     "'-1' is no type of service",
		"clientside_tos":                          "a value is missing",
		"tcp_outgoing_mark 0x100000000":           "invalid value '0x100000000'",
		"tcp_outgoing_mark 0x1/0xf":               "'tcp_outgoing_mark' does not support masked marks",
		"mark_client_packet foo":                  "invalid value 'foo' in 'foo'",
		"proxy_protocol_out v3":                   "'v3' is none of v1, v2 and none",
		"mark_client_connection":                  "a value is missing",
		"mark_client_connection x pupil":          "NfMarkConfig: invalid value 'x' in 'x'",
		"mark_client_connection 1/0x100000000":    "NfMarkConfig: invalid value '0x100000000' in '1/0x100000000'",
	} {
		var s Settings
		if _, err := compattest.Read(acl.NewSet(), s.Directives(), two+line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s gives %v, want %q", line, err, want)
		}
	}
}

func TestMarksNeedARight(t *testing.T) {
	for conf, want := range map[string]bool{"tcp_outgoing_mark 1": true, "mark_client_packet 1": true, "tcp_outgoing_tos 4": false, "qos_flows tos local-hit=0x30 parent-hit=0x20": false,
		"mark_client_connection 1": false, "qos_flows mark disable-preserve-miss local-hit=1": true, "qos_flows mark": true, "qos_flows mark disable-preserve-miss": false} {
		var s Settings
		compattest.MustRead(t, acl.NewSet(), s.Directives(), conf)
		if s.Marks() != want {
			t.Errorf("%s: %v", conf, !want)
		}
	}
}

// TestConnMarks has the marks that the packet filter keeps with connections.
func TestConnMarks(t *testing.T) {
	p, r := policy(t, two+"mark_client_connection 1 teacher\nmark_client_connection 0xab/0xf pupil\n"), compattest.NewRequest(t, "GET http://x.test/ HTTP/1.1")
	if p.MarkClient(r); r.ConnMark != (engine.MarkChange{Mark: 0xab, Mask: 0xf}) || !p.settings.ConnMarks() {
		t.Errorf("it is to be changed by %+v", r.ConnMark)
	}
	var s Settings
	_, err := compattest.Read(acl.NewSet(), s.Directives(), two)
	if err != nil || s.ConnMarks() {
		t.Errorf("without such lines: %v, %v", s.ConnMarks(), err)
	}
}
