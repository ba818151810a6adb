package rewrite

import (
	"net/netip"
	"testing"

	"exaproxy/compat/logformat"
	"exaproxy/engine"
)

func endpoint(t *testing.T, addr []byte, port string) netip.AddrPort {
	t.Helper()
	a, err := netip.ParseAddr(string(addr))
	if err != nil {
		t.Fatal(err)
	}
	p, err := netip.ParseAddrPort("0.0.0.0:" + port)
	if err != nil {
		t.Fatal(err)
	}
	return netip.AddrPortFrom(a, p.Port())
}

// What a client sends and what the helper is asked: pairs seen with Squid 5.7.
func TestAppend(t *testing.T) {
	const tail = " 127.0.0.1/127.0.0.1 - GET myip=127.0.0.1 myport=21128"
	for _, tt := range []struct{ name, method, url, want string }{
		{"host in capitals", "GET", "HTTP://ORIGIN.test:21080/UpperHost/Path", "http://origin.test:21080/UpperHost/Path" + tail},
		{"default port", "GET", "http://origin.test:80/port80-explicit", "http://origin.test/port80-explicit" + tail},
		{"no path", "GET", "http://origin.test:21080", "http://origin.test:21080/" + tail},
		{"query without path", "GET", "http://origin.test:21080?q", "http://origin.test:21080/?q" + tail},
		{"user information", "GET", "http://me:pw@origin.test:21080/userinfo", "http://origin.test:21080/userinfo" + tail},
		{"final dot", "GET", "http://origin.test.:21080/traildot", "http://origin.test:21080/traildot" + tail},
		{"space", "GET", "http://origin.test:21080/space in url", "http://origin.test:21080/spaceinurl" + tail},
		{"CONNECT without port", "CONNECT", "Origin.test", "origin.test:443 127.0.0.1/127.0.0.1 - CONNECT myip=127.0.0.1 myport=21128"},
		{"CONNECT to an IPv6 address", "CONNECT", "[::1]:21080", "[::1]:21080 127.0.0.1/127.0.0.1 - CONNECT myip=127.0.0.1 myport=21128"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := question(asked(t, tt.method, tt.url)); got != tt.want {
				t.Errorf("Squid asks\n%s, we ask\n%s", tt.want, got)
			}
		})
	}
}

func TestAppendExtras(t *testing.T) {
	r := asked(t, "GET", "http://origin.test/?q=1")
	r.User, r.Connection = "j doe", &engine.Connection{Client: r.Client, ClientName: "client.test"}
	r.AddNote([]byte("raw"), []byte("two\nlines\r\x00"))
	rec := &engine.Record{Request: r}
	for _, tt := range []struct{ name, extras, want string }{
		{"Squid's default", "%>a/%>A %un %>rm myip=%la myport=%lp",
			"http://origin.test/?q=1 127.0.0.1/client.test j%20doe GET myip=127.0.0.1 myport=21128"},
		{"none", "", "http://origin.test/?q=1 -"},
		{"a value that would end the line", "%'note{raw} %>a", "http://origin.test/?q=1 two lines   127.0.0.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := logformat.CompileExtras(tt.extras)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(Append(nil, f, rec)); got != tt.want {
				t.Errorf("with the extras %q the question should be\n%q, it is\n%q", tt.extras, tt.want, got)
			}
		})
	}
	compiled, _ := logformat.CompileExtras("%>a/%>A %un %>rm myip=%la myport=%lp")
	if fast, slow := Append(nil, nil, rec), Append(nil, compiled, rec); string(fast) != string(slow) {
		t.Errorf("the default extras and the same ones compiled should give the same question:\n%s\n%s", fast, slow)
	}
}

func TestAppendAppends(t *testing.T) {
	r := asked(t, "CONNECT", "h2:443")
	if got := string(Append([]byte("7 "), nil, &engine.Record{Request: r})); got[:9] != "7 h2:443 " {
		t.Errorf("what was there should stay, got %q", got)
	}
}
