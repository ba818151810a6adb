package access

import (
	"testing"
	"time"

	"exaproxy/compat/compattest"
	"exaproxy/compat/errpage"
)

func TestParseDenial(t *testing.T) {
	for _, row := range []struct {
		word string
		want Denial
		ok   bool
	}{
		{"ERR_X", Denial{Page: "ERR_X"}, true},
		{"404:ERR_X", Denial{Page: "404:ERR_X", Status: 404}, true},
		{"http://block.test/", Denial{URL: "http://block.test/"}, true},
		{"307:http://block.test/", Denial{URL: "http://block.test/", Status: 307}, true},
		{"TCP_RESET", Denial{Reset: true}, true},
		{"403:http://block.test/", Denial{}, false},
		{"199:ERR_X", Denial{}, false},
		{"600:ERR_X", Denial{}, false},
	} {
		d, err := parseDenial(row.word)
		if (err == nil) != row.ok || err == nil && *d != row.want {
			t.Errorf("deny_info %s is %+v, %v", row.word, d, err)
		}
	}
}

func TestDenialURL(t *testing.T) {
	pages := &errpage.Policy{Settings: &errpage.Settings{}, Identity: &errpage.Identity{Host: "proxy.test", Product: "squid/5.7"},
		Now: func() time.Time { return time.Unix(1795341430, 0).UTC() }}
	r := compattest.NewRequest(t, "GET http://user@a.test:81/p?q=1&r=%20\" HTTP/1.1")
	for _, row := range []struct{ url, want string }{
		{"http://b/?u=%u", "http://b/?u=http%3A%2F%2Fa.test%3A81%2Fp%3Fq%3D1%26r%3D%2520%22"},
		{"http://b/%H/%p/%M/%i/%a/%h", "http://b/a.test/81/GET/192.0.2.1/-/proxy.test"},
		{"http://b/100%%", "http://b/100%"},
		{"http://b/?x=%20y%", "http://b/?x=%20y%"},
		{"http://b/%E2%80%94%A0/%A/", "http://b/%E2%80%94%A0/192.0.2.9/"},
		{"http://b/?o=%o.", "http://b/?o=."},
		{"http://b/?%e%D%E%x%S%U%B%c%W%Z%I.", "http://b/?0%5BNo%20Error%20Detail%5D%5BNo%20Error%5Dsquid%2F5.7http%3A%2F%2Fa.test%3A81%2Fp%3F."},
		{"http://b/?T=%T", "http://b/?T=Sun%2C%2022%20Nov%202026%2009%3A57%3A10%20GMT"},
	} {
		d := Denial{URL: row.url}
		if got := string(d.appendURL(nil, r, pages)); got != row.want {
			t.Errorf("%s becomes %s, want %s", row.url, got, row.want)
		}
	}
}
