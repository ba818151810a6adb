package acceptance

import (
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// replyPackets notes what packets with replies bear, of IPv4 and IPv6. Connections to the server get a mark; one is diverted on its way.
const replyPackets = `table inet t {
	set seen {
		typeof ip dscp . meta mark
		flags dynamic
	}
	counter six {}
	chain out {
		type filter hook output priority 0;
		tcp dport 8080 ct state new ct mark set 0x35f
		tcp sport 3128 meta length > 60 add @seen { ip dscp . meta mark }
		tcp sport 3128 ip6 dscp 0x0c counter name six
	}
	chain nat {
		type nat hook output priority -100;
		ip daddr 127.0.0.9 dnat ip to 127.0.0.5
	}
}
`

var elements = regexp.MustCompile(`(?s)elements = \{(.*?)\}`)

// seen is what those packets have borne since it was asked last.
func (n *ownNetwork) seen() string {
	n.t.Helper()
	found := elements.FindStringSubmatch(n.run("nft", "list", "set", "inet", "t", "seen"))
	n.run("nft", "flush", "set", "inet", "t", "seen")
	if found == nil {
		return "none"
	}
	return strings.Join(strings.Fields(found[1]), " ")
}

// TestFlowsAreMarkedAsSquidMarksThem has the packet filter see what packets bear by where a reply comes from (qos_flows).
func TestFlowsAreMarkedAsSquidMarksThem(t *testing.T) {
	n := newOwnNetwork(t)
	var o *origin
	var names string
	n.in(func() { o, names = startOrigin(t, "127.0.0.5:8080", from(), nil), nameServer(t) })
	defer o.Close()
	list := []asked{
		{name: "a reply", raw: get("http://127.0.0.5:8080/")},
		{name: "a reply of a server that is another", raw: get("http://127.0.0.9:8080/")},
		{name: "a page of a refusal", raw: get("http://denied.test/")},
		{name: "a page of a failure", raw: get("http://127.0.0.5:8081/")},
		{name: "a tunnel", raw: request("CONNECT", "127.0.0.5:8080"), then: "GET / HTTP/1.0\r\n\r\n"},
	}
	for conf, want := range map[string][]string{
		"qos_flows tos miss=0x30":                                                           {"af12 . 0x00000000", "af12 . 0x00000000", "af12 . 0x00000000", "af12 . 0x00000000", "cs0 . 0x00000000"},
		"clientside_tos 0x40\nqos_flows tos miss=0x30/0x10":                                 {"0x04 . 0x00000000", "0x04 . 0x00000000", "0x04 . 0x00000000", "0x04 . 0x00000000", "cs2 . 0x00000000"},
		"clientside_tos 0x40\nqos_flows tos":                                                {"cs0 . 0x00000000", "cs0 . 0x00000000", "cs0 . 0x00000000", "cs0 . 0x00000000", "cs2 . 0x00000000"},
		"mark_client_packet 0x18\nqos_flows mark":                                           {"cs0 . 0x0000035f", "cs0 . 0x0000035f", "cs0 . 0x00000000", "cs0 . 0x00000000", "cs0 . 0x00000018"},
		"qos_flows mark miss=0xa7/0xf0 miss-mask=0xff":                                      {"cs0 . 0x000000af", "cs0 . 0x000000af", "cs0 . 0x000000a0", "cs0 . 0x000000a0", "cs0 . 0x00000000"},
		"mark_client_packet 0x18\nqos_flows mark disable-preserve-miss local-hit=1":         {"cs0 . 0x00000000", "cs0 . 0x00000000", "cs0 . 0x00000000", "cs0 . 0x00000000", "cs0 . 0x00000018"},
		"qos_flows miss=0x30\nqos_flows mark miss=7\nmark_client_packet 0x18\n":             {"af12 . 0x00000007", "af12 . 0x00000007", "af12 . 0x00000007", "af12 . 0x00000007", "cs0 . 0x00000018"},
		"clientside_tos 0x40\nqos_flows tos disable-preserve-miss\nmark_client_packet 0x18": {"cs2 . 0x00000018", "cs2 . 0x00000018", "cs2 . 0x00000018", "cs2 . 0x00000018", "cs2 . 0x00000018"},
	} {
		for _, p := range []program{exaproxy(), squid(t)} {
			dir := world(t)
			var x *proxy
			n.in(func() {
				x = start(t, p, dir, names+"acl denied dstdomain -n denied.test\nhttp_access deny denied\n"+conf+"\n"+base+"http_port 127.0.0.1:3128\nhttp_port [::1]:3128\n")
			})
			n.run("nft", "-f", writeFile(t, dir, "rules", replyPackets))
			for i, a := range list {
				n.in(func() { x.exchange(a) })
				if got := n.seen(); got != want[i] {
					t.Errorf("%s through %s, with\n%s: %s, want %s", a.name, p.path, conf, got, want[i])
				}
			}
			n.in(func() { ask6(t) })
			if got, six := n.counted("six"), strings.Contains(want[0], "af12"); got != "six some" && six || got != "six none" && !six {
				t.Errorf("of packets of IPv6 through %s, with\n%s: %s bear 0x30", p.path, conf, got)
			}
			n.run("nft", "delete", "table", "inet", "t")
			x.end()
		}
	}
}

// ask6 asks for something over IPv6.
func ask6(t *testing.T) {
	conn, err := net.DialTimeout("tcp", "[::1]:3128", 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	io.WriteString(conn, get("http://127.0.0.5:8080/"))
	if e := readExchange(conn, "GET", ""); !strings.HasPrefix(e.status, "HTTP/1.1 200") {
		t.Errorf("over IPv6 it answers %q", e.status)
	}
}

// TestRightsForFlows has root's rights kept for marks only, and that of asking the packet filter only where its marks are preserved.
func TestRightsForFlows(t *testing.T) {
	n := newOwnNetwork(t)
	for conf, want := range map[string]uint64{
		"qos_flows tos miss=0x30":                        0,
		"qos_flows mark miss=7":                          1 << unix.CAP_NET_RAW,
		"qos_flows mark miss=7/15 disable-preserve-miss": 1 << unix.CAP_NET_RAW,
		"qos_flows mark":                                 1<<unix.CAP_NET_RAW | 1<<unix.CAP_NET_ADMIN,
	} {
		n.in(func() {
			x := start(t, exaproxy(), world(t), conf+"\n"+base+openPort)
			if rights := capabilities(x.pid()); rights != want {
				t.Errorf("with %s it has the rights %#x, want %#x", conf, rights, want)
			}
			x.end()
		})
	}
}
