package acceptance

import (
	"fmt"
	"strings"
	"testing"
)

// forwarded is a GET on behalf of whom lists, one a field, name.
func forwarded(lists ...string) string {
	head := "GET http://origin.test/ HTTP/1.1\r\nHost: origin.test\r\n"
	for _, l := range lists {
		head += "X-Forwarded-For: " + l + "\r\n"
	}
	return head + "\r\n"
}

const notAnAddress = "an address with parts left out, or with zeroes before a part, has more than one reading"

// forwardedRequests are put to proxies that believe all but 192.0.2.99.
func forwardedRequests() []asked {
	var many []string
	for i := range 70 {
		many = append(many, fmt.Sprintf("192.0.2.%d", i+1))
	}
	return []asked{
		{name: "no field", raw: forwarded()},
		{name: "one", raw: forwarded("192.0.2.1")},
		{name: "two", raw: forwarded("192.0.2.1, 192.0.2.2")},
		{name: "two without a blank", raw: forwarded("192.0.2.1,192.0.2.2")},
		{name: "two without a comma", raw: forwarded("192.0.2.1 192.0.2.2")},
		{name: "two fields", raw: forwarded("192.0.2.1", "192.0.2.2")},
		{name: "three fields", raw: forwarded("192.0.2.1", "192.0.2.99", "192.0.2.2")},
		{name: "behind garbage", raw: forwarded("garbage, 192.0.2.2")},
		{name: "before garbage", raw: forwarded("192.0.2.1, garbage")},
		{name: "on both sides of garbage", raw: forwarded("192.0.2.1, garbage, 192.0.2.2")},
		{name: "with a port", raw: forwarded("192.0.2.1:80")},
		{name: "in brackets", raw: forwarded("[2001:db8::1]")},
		{name: "of IPv6", raw: forwarded("2001:DB8::1")},
		{name: "of both families", raw: forwarded("2001:db8::1, 192.0.2.2")},
		{name: "mapped", raw: forwarded("::ffff:192.0.2.9")},
		{name: "with a zone", raw: forwarded("fe80::1%lo")},
		{name: "commas", raw: forwarded("192.0.2.1,,, ,192.0.2.2, ,")},
		{name: "commas alone", raw: forwarded(", ,")},
		{name: "nothing", raw: forwarded("")},
		{name: "unknown", raw: forwarded("unknown")},
		{name: "before unknown", raw: forwarded("192.0.2.1, unknown")},
		{name: "a name", raw: forwarded("localhost")},
		{name: "quoted", raw: forwarded(`"192.0.2.1"`)},
		{name: "with a tab", raw: forwarded("192.0.2.1\t")},
		{name: "a network", raw: forwarded("192.0.2.1/24")},
		{name: "hexadecimal", raw: forwarded("0x7f.1")},
		{name: "three parts", raw: forwarded("192.0.2"), deliberate: notAnAddress},
		{name: "a number", raw: forwarded("1"), deliberate: notAnAddress},
		{name: "zeroes", raw: forwarded("192.0.2.001"), deliberate: notAnAddress},
		{name: "somebody who is not believed", raw: forwarded("192.0.2.1, 192.0.2.99, 192.0.2.2")},
		{name: "70", raw: forwarded(strings.Join(many, ", "))},
		{name: "forged by a client who is not believed", raw: forwarded("192.0.2.1"), from: "127.0.0.2"},
		{name: "of a CONNECT", raw: "CONNECT origin.test:443 HTTP/1.1\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n"},
	}
}

const believed = "acl stranger src 127.0.0.2 192.0.2.99\nfollow_x_forwarded_for deny stranger\nfollow_x_forwarded_for allow all\n"

// TestXForwardedForIsFollowedAsSquidDoes compares what helpers are asked.
func TestXForwardedForIsFollowedAsSquidDoes(t *testing.T) {
	list := forwardedRequests()
	for _, more := range []string{"", "log_uses_indirect_client off\n"} {
		conf := nameServer(t) + believed + more + recorder("0")
		ours, theirs := comparison{t: t, conf: conf, helper: true, hosts: "127.0.0.5 origin.test\n"}.hold(list)
		for i, a := range list {
			if more != "" {
				a.deliberate = "" // nobody is told
			}
			compareLines(t, a, false, ours[i], theirs[i])
		}
	}
}

// TestIndirectClientsAreJudgedAndLoggedAsSquidDoes compares what the rules and the logs make of them.
func TestIndirectClientsAreJudgedAndLoggedAsSquidDoes(t *testing.T) {
	list := []asked{
		{name: "the client himself", raw: forwarded()},
		{name: "a pupil", raw: forwarded("192.0.2.1")},
		{name: "somebody else", raw: forwarded("192.0.2.2")},
		{name: "a pupil behind a stranger", raw: forwarded("192.0.2.1, 192.0.2.99")},
		{name: "a stranger", raw: forwarded("192.0.2.1"), from: "127.0.0.2"},
	}
	for _, more := range []string{"", "acl_uses_indirect_client off\n", "log_uses_indirect_client off\n", "acl_uses_indirect_client off\nlog_uses_indirect_client off\n"} {
		conf := nameServer(t) + believed + more + "acl pupil src 192.0.2.1\ndeny_info http://school.test/?from=%i pupil\nhttp_access deny pupil\nhttp_access deny all\n"
		ours, theirs := comparison{t: t, conf: conf}.hold(list)
		for i, a := range list {
			a.name += " with " + more
			judge(t, a, aspect{"status line", ours[i].status, theirs[i].status},
				aspect{"head of the reply", ours[i].head(), theirs[i].head()},
				aspect{"log line", ours[i].logLine(), theirs[i].logLine()})
		}
	}
}

// two is a header of version 2 of the PROXY protocol: a byte of version and command, one of family and transport,
// and what follows.
func two(command, family byte, body string) string {
	return "\r\n\r\n\x00\r\nQUIT\n" + string([]byte{command, family, byte(len(body) >> 8), byte(len(body))}) + body
}

// announcedRequests are put to proxies whose ports require a PROXY header.
func announcedRequests() []asked {
	const four = "\xc0\x00\x02\x07\xc0\x00\x02\x09\x04\x57\x08\xae"
	six := "\x20\x01\x0d\xb8" + strings.Repeat("\x00", 11) + "\x07" + "\x20\x01\x0d\xb8" + strings.Repeat("\x00", 11) + "\x09" + "\x04\x57\x08\xae"
	plain := forwarded()
	return []asked{
		{name: "v1", raw: "PROXY TCP4 192.0.2.7 192.0.2.9 1111 2222\r\n" + plain},
		{name: "v1 of IPv6", raw: "PROXY TCP6 2001:db8::7 2001:db8::9 1111 2222\r\n" + plain},
		{name: "v1 unknown", raw: "PROXY UNKNOWN\r\n" + plain},
		{name: "v1 unknown with more", raw: "PROXY UNKNOWN 192.0.2.7 192.0.2.9 1111 2222\r\n" + plain},
		{name: "v1 of the other family", raw: "PROXY TCP6 192.0.2.7 192.0.2.9 1111 2222\r\n" + plain},
		{name: "v1 of two families", raw: "PROXY TCP4 2001:db8::7 192.0.2.9 1111 2222\r\n" + plain},
		{name: "v1 without a port", raw: "PROXY TCP4 192.0.2.7 192.0.2.9 1111\r\n" + plain},
		{name: "v1 with a large port", raw: "PROXY TCP4 192.0.2.7 192.0.2.9 99999 2222\r\n" + plain},
		{name: "v1 with two blanks", raw: "PROXY TCP4  192.0.2.7 192.0.2.9 1111 2222\r\n" + plain},
		{name: "v1 of a name", raw: "PROXY TCP4 host 192.0.2.9 1111 2222\r\n" + plain},
		{name: "v1 in small letters", raw: "PROXY tcp4 192.0.2.7 192.0.2.9 1111 2222\r\n" + plain},
		{name: "v1 too long", raw: "PROXY UNKNOWN " + strings.Repeat("x", 200) + "\r\n" + plain},
		{name: "v1 with a blank behind", raw: "PROXY TCP4 192.0.2.7 192.0.2.9 1111 2222 \r\n" + plain, deliberate: "a header has one form"},
		{name: "v1 with a field", raw: "PROXY TCP4 192.0.2.7 192.0.2.9 1111 2222\r\n" + forwarded("192.0.2.99")},
		{name: "v1 with port 0", raw: "PROXY TCP4 192.0.2.7 192.0.2.9 0 2222\r\n" + plain},
		{name: "v2", raw: two(0x21, 0x11, four) + plain},
		{name: "v2 of IPv6", raw: two(0x21, 0x21, six) + plain},
		{name: "v2 with TLVs", raw: two(0x21, 0x11, four+"\x01\x00\x02h2\x02\x00\x0awww.x.test") + plain},
		{name: "v2 local", raw: two(0x20, 0x11, four) + plain},
		{name: "v2 local without addresses", raw: two(0x20, 0, "") + plain},
		{name: "v2 without a family", raw: two(0x21, 0, "") + plain},
		{name: "v2 of UDP", raw: two(0x21, 0x12, four) + plain},
		{name: "v2 of another version", raw: two(0x11, 0x11, four) + plain},
		{name: "v2 of another command", raw: two(0x22, 0x11, four) + plain},
		{name: "v2 of another family", raw: two(0x21, 0x41, "") + plain},
		{name: "v2 of another transport", raw: two(0x21, 0x13, four) + plain},
		{name: "v2 with half an address", raw: two(0x21, 0x11, four[:4]) + plain},
		{name: "v2 with half a TLV", raw: two(0x21, 0x11, four+"\x01\x00\x05a") + plain},
		{name: "no header", raw: plain},
		{name: "a client who may not", raw: "PROXY TCP4 192.0.2.7 192.0.2.9 1111 2222\r\n" + plain, from: "127.0.0.2"},
	}
}

// TestPROXYHeadersAreSquids compares what helpers are asked, and which connections are closed.
func TestPROXYHeadersAreSquids(t *testing.T) {
	list := announcedRequests()
	standard := `url_rewrite_extras "%>a %un %>rm myip=%la myport=%lp %>la"` + "\n" // but for the client's name, which in Squid is the balancer's
	extras := `url_rewrite_extras "%>a:%>p %la:%lp %{:version}proxy_protocol::>h %{:command}proxy_protocol::>h %{:src_addr}proxy_protocol::>h %{:dst_port}proxy_protocol::>h %{1}proxy_protocol::>h %{2}proxy_protocol::>h %proxy_protocol::>h"` + "\n"
	access := "acl balancer src 127.0.0.1\nproxy_protocol_access allow balancer\n"
	for _, more := range []string{standard, standard + "follow_x_forwarded_for allow all\n", extras} {
		conf := nameServer(t) + access + more + recorder("0")
		ours, theirs := comparison{t: t, conf: conf, helper: true, port: "require-proxy-header"}.hold(list)
		for i, a := range list {
			mine, squids := ours[i], theirs[i]
			if more == extras { // the ports of those who speak for themselves are not the same twice
				mine.lines, squids.lines = withoutClientPort(mine.lines), withoutClientPort(squids.lines)
			}
			judge(t, a, aspect{"line to the helper", mine.lines, squids.lines}, aspect{"status line", closed(mine.status), closed(squids.status)})
		}
	}
}

// withoutClientPort is a line without the port of a client at 127.0.0.1.
func withoutClientPort(line string) string {
	before, after, ok := strings.Cut(line, " 127.0.0.1:")
	if !ok {
		return line
	}
	_, after, _ = strings.Cut(after, " ")
	return before + " 127.0.0.1 " + after
}

// closed is a status for which it does not matter whether what the client has sent was read before its connection ended.
func closed(status string) string {
	return strings.Replace(status, "(reset)", "(closed without a word)", 1)
}
