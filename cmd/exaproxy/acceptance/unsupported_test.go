package acceptance

import (
	"slices"
	"strings"
	"testing"
)

const (
	neverHTTP = "what a server might take for a request never becomes a tunnel"
	neverTLS  = "nor does what it might take for TLS"
)

// strangers are clients that were diverted from port 80, and speak other protocols. What origins answer is of net/http.
var strangers = []diverted{
	{asked: asked{name: "SSH", raw: "SSH-2.0-OpenSSH_9.2\r\n\r\n"}, to: at4},
	{asked: asked{name: "SSH by IPv6", raw: "SSH-2.0-OpenSSH_9.2\r\n\r\n"}, to: at6},
	{asked: asked{name: "BitTorrent", raw: "\x13BitTorrent protocol\r\n\r\n"}, to: at4},
	{asked: asked{name: "bytes", raw: "\x00\x01\x02\x03\r\n\r\n"}, to: at4},
	{asked: asked{name: "one word", raw: "FOO\r\n\r\n"}, to: at4},
	{asked: asked{name: "two words", raw: "HELO there\r\n\r\n"}, to: at4},
	{asked: asked{name: "to a denied address", raw: "SSH-2.0-OpenSSH_9.2\r\n\r\n"}, to: at4b},
	{asked: asked{name: "a second request", raw: plainly("/p", "site.test") + "SSH-2.0-OpenSSH_9.2\r\n\r\n"}, to: at4},
	{asked: asked{name: "another method", raw: "FOO / HTTP/1.1\r\nHost: site.test\r\n\r\n"}, to: at4},
	{asked: asked{name: "HTTP/0.9", raw: "GET /x\r\n\r\n"}, to: at4},
	{asked: asked{name: "TLS", raw: "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03\r\n\r\n", deliberate: neverTLS}, to: at4},
	{asked: asked{name: "version 7", raw: "GET / HTTP/7.0\r\nHost: site.test\r\n\r\n", deliberate: neverHTTP}, to: at4},
	{asked: asked{name: "version 2", raw: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", deliberate: neverHTTP}, to: at4},
	{asked: asked{name: "a line that is no field", raw: "GET / HTTP/1.1\r\nHost: site.test\r\nbad header\r\n\r\n", deliberate: neverHTTP}, to: at4},
	{asked: asked{name: "nothing", raw: ""}, to: at4},
	{asked: asked{name: "half a request", raw: "GET", deliberate: neverHTTP}, to: at4},
}

// whoAnswers is how a stranger's conversation is compared: by who has answered, and whether the helper was asked about the address.
// Squid calls the method of such a tunnel NONE, and logs it in two lines.
func whoAnswers(e exchange) (by, line string) {
	by = "an origin: " + e.status
	if e.fault != "" || !strings.HasPrefix(e.status, "HTTP/") {
		by = e.fault + " " + e.status
	}
	return by, strings.Replace(e.lines, " NONE ", " CONNECT ", 1)
}

// TestUnsupportedProtocolBesideSquid has them by a port of intercept.
func TestUnsupportedProtocolBesideSquid(t *testing.T) {
	n, _ := divertedWorld(t)
	n.divert("redirect.nft")
	const port = "http_port 3129 intercept\nrequest_start_timeout 2 seconds\nrequest_timeout 3 seconds\nacl elsewhere dst " + otherIPv4 + "\nhttp_access deny elsewhere\n"
	for _, conf := range []string{
		"on_unsupported_protocol tunnel all\n",
		"acl foreign squid_error ERR_PROTOCOL_UNKNOWN\non_unsupported_protocol tunnel foreign\non_unsupported_protocol respond all\n",
		"acl six localip " + originIPv6 + "\non_unsupported_protocol tunnel six\n",
	} {
		list := slices.Clone(strangers)
		for i := range list {
			switch d := &list[i]; {
			case strings.Contains(conf, "tunnel all"), d.name == "TLS" && strings.Contains(conf, "UNKNOWN"):
			case d.name == "version 2":
				d.deliberate = "its version is what is wrong with it"
			default:
				d.deliberate = ""
			}
		}
		a, b := n.hold(t, exaproxy(), port+conf, list), n.hold(t, squid(t), port+conf, list)
		for i, d := range list {
			d.name += " with " + conf
			ours, asked := whoAnswers(a[i])
			theirs, askedToo := whoAnswers(b[i])
			judge(t, d.asked, aspect{"answer", ours, theirs}, aspect{"line to the helper", asked, askedToo})
		}
	}
}
