package main

import (
	"strings"
	"testing"
)

func TestTargets(t *testing.T) {
	for _, test := range []struct{ url, host, port, path, query string }{
		{"http://A.example", "a.example", "", "/", ""},
		{"https://u:p@a.example:8443/B/c/?Q=%41#x?y", "a.example", "8443", "/b/c", "?q=a"},
		{"a.example:443", "a.example", "443", "", ""},
		{"[::1]:443", "::1", "443", "", ""},
		{"http://[fe80::1%25eth0]/", "fe80::1", "", "/", ""},
		{"http://0x7f.1/", "127.0.0.1", "", "/", ""},
		{"http://1.2.3.256.example/", "1.2.3.256.example", "", "/", ""},
		{"http://a.3com/", "a.3com", "", "/", ""},
		{"http://a.example/x//../.././%2e%2E/y/./z/", "a.example", "", "/y/z", ""},
		{`http://a.example/x\y%`, "a.example", "", "/x/y%", ""},
		{"ftp://a.example/%zz%4", "a.example", "", "/%zz%4", ""},
		{"cache_object://a.example/info", "a.example", "", "/info", ""},
	} {
		got, err := parseTarget(test.url)
		if err != nil || got.host != test.host || got.port != test.port || got.path != test.path || got.query != test.query {
			t.Errorf("%s is read as %+v (%v)", test.url, got, err)
		}
	}
	for _, url := range []string{
		"", "http://", "http://@/", "http://./", "http://a b/", "http://%00/", "http://a%2fb/", "http://[::1", "http://[::1]x/",
		"http://[1.2.3]/", "http://256.1.1.1/", "http://1.2.3.4.5/", "http://4294967296/", "http://a.1/",
		"urn:isbn:1", "a.example:443/x", "::1:443", "http://" + strings.Repeat("a", 254) + "/", "a:b@c:d@e:f",
	} {
		if got, err := parseTarget(url); err == nil {
			t.Errorf("%q is read as %+v", url, got)
		}
	}
}

// FuzzTarget: what was read is in its usual form, and is read again as what it is.
func FuzzTarget(f *testing.F) {
	for _, url := range []string{"http://A.example./x/../y?z", "[::1]:443", "http://0x7f.1/%2e/", "u@h:1", `\`, "http://%"} {
		f.Add(url)
	}
	f.Fuzz(func(t *testing.T, url string) {
		got, err := parseTarget(url)
		if err != nil {
			return
		}
		if got.host == "" || got.host != strings.ToLower(got.host) || strings.HasSuffix(got.host, ".") {
			t.Fatalf("%q has the host %q", url, got.host)
		}
		if !got.connect && (got.path == "" || got.path[0] != '/' || strings.Contains(got.path, "//") || strings.Contains(got.path+"/", "/../")) {
			t.Fatalf("%q has the path %q", url, got.path)
		}
		host := got.host
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		again, err := parseTarget("http://" + host + "/")
		if strings.Contains(host, "%") {
			t.Fatalf("%q has the host %q", url, host)
		}
		if err != nil || again.host != got.host || again.literal != got.literal {
			t.Fatalf("%q has the host %q, which is read as %+v (%v)", url, got.host, again, err)
		}
	})
}
