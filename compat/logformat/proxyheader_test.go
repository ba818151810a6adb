package logformat

import (
	"strings"
	"testing"

	"exaproxy/engine"
	"exaproxy/engine/proxyheader"
)

// TestProxyHeader has the values that Squid 5.7 gives for the same headers.
func TestProxyHeader(t *testing.T) {
	two := "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x1d\xc0\x00\x02\x07\xc0\x00\x02\x09\x04\x57\x08\xae\x01\x00\x01a\x01\x00\x01b\x05\x00\x06x=1;y2"
	const ends = "%{:src_addr}proxy_protocol::>h %{:dst_addr}proxy_protocol::>h %{:src_port}proxy_protocol::>h %{:dst_port}proxy_protocol::>h"
	for _, row := range []struct{ header, format, want string }{
		{"", "%proxy_protocol::>h", "-"},
		{"PROXY UNKNOWN\r\n", "%{:version}proxy_protocol::>h %{:command}proxy_protocol::>h " + ends, "1.0 1 - - - -"},
		{"PROXY UNKNOWN\r\n", "%proxy_protocol::>h", ":version:%201.0%0D%0A:command:%201%0D%0A"},
		{two, "%{:version}proxy_protocol::>h " + ends, "2.0 192.0.2.7 192.0.2.9 1111 2222"},
		{two, "%{1}proxy_protocol::>h %{2}proxy_protocol::>h %{5:;x}proxy_protocol::>h", "a,b - 1"},
		{two, "%proxy_protocol::>h", ":version:%202.0%0D%0A:command:%201%0D%0A:src_addr:%20192.0.2.7%0D%0A:dst_addr:%20192.0.2.9%0D%0A:src_port:%201111%0D%0A:dst_port:%202222%0D%0A1:%20a%0D%0A1:%20b%0D%0A5:%20x=1;y2%0D%0A"},
	} {
		rec := fetched(t)
		rec.Request.Connection = &engine.Connection{}
		if row.header != "" {
			h, _, err := proxyheader.Parse([]byte(row.header))
			if err != nil {
				t.Fatal(err)
			}
			rec.Request.Connection.ProxyHeader = h
		}
		if got := line(t, row.format, rec); got != row.want {
			t.Errorf("%q gives\n%s, want\n%s", row.format, got, row.want)
		}
	}
	for arg, want := range map[string]string{":all": "Unsupported PROXY protocol pseudo header: :all", "0": "TLV type", "256": "TLV type", "alpn": "TLV type"} {
		if _, err := Compile("%{" + arg + "}proxy_protocol::>h"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is taken: %v", arg, err)
		}
	}
}
