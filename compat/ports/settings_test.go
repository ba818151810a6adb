package ports

import (
	"strings"
	"testing"

	"exaproxy/compat/acl"
	"exaproxy/compat/compattest"
)

func TestPorts(t *testing.T) {
	for _, row := range []struct {
		value, addr, name string
		queues, ok        bool
	}{
		{"3128", "[::]:3128", "3128", false, true},
		{"127.0.0.1:0 name=inside", "127.0.0.1:0", "inside", false, true},
		{"[::1]:3128 worker-queues", "[::1]:3128", "[::1]:3128", true, true},
		{"*:3128", "[::]:3128", "*:3128", false, true},
		{"3128 intercept accel", "", "", false, false},
		{"3128 intercept tproxy", "", "", false, false},
		{"3128 tproxy transparent", "", "", false, false},
		{"3128 cert=/nonexistent.pem", "", "", false, false},
		{"3128 tls-key=/nonexistent.pem", "", "", false, false},
		{"3128 tls-dh=/a.pem", "[::]:3128", "3128", false, true},
		{"3128 clientca=/a.pem", "", "", false, false},
		{"3128 dynamic_cert_mem_cache_size=4MB generate-host-certificates=on tls-min-version=1.2", "[::]:3128", "3128", false, true},
		{"3128 dynamic_cert_mem_cache_size=4XB", "", "", false, false},
		{"3128 generate-host-certificates=off", "", "", false, false},
		{"3128 tls-min-version=1.4", "", "", false, false},
		{"3128 nonsense", "", "", false, false},
		{"proxy", "", "", false, false},
		{"70000", "", "", false, false},
	} {
		var s Settings
		_, err := compattest.Read(acl.NewSet(), s.Directives(), "http_port "+row.value)
		if (err == nil) != row.ok {
			t.Errorf("http_port %s: %v", row.value, err)
		}
		if !row.ok || len(s) != 1 {
			continue
		}
		if p := s[0]; p.Addr.String() != row.addr || p.Name != row.name || p.WorkerQueues != row.queues {
			t.Errorf("http_port %s is %+v", row.value, p)
		}
	}
}

func TestOnePortOfAnAddressIsOpened(t *testing.T) {
	for _, row := range []struct {
		first, second string
		both          bool
	}{
		{"127.0.0.1:3128", "127.0.0.1:3128 name=again", false},
		{"3128", "127.0.0.1:3128", false},
		{"[::1]:3128", "3128", false},
		{"0.0.0.0:3128", "127.0.0.1:3128", false},
		{"0.0.0.0:3128", "[::1]:3128", true},
		{"127.0.0.1:3128", "127.0.0.2:3128", true},
		{"127.0.0.1:3128", "127.0.0.1:3129", true},
		{"127.0.0.1:0", "127.0.0.1:0", true},
	} {
		var s Settings
		c := compattest.MustRead(t, acl.NewSet(), s.Directives(), "http_port "+row.first+"\nhttp_port "+row.second)
		if both := len(s) == 2; both != row.both || len(c.Messages) == 0 != both {
			t.Errorf("%s and %s: %v, %q", row.first, row.second, s, c.Messages)
		}
	}
}

// TestAPortThatIsNotOpened is told of by its line, and both by what they are.
func TestAPortThatIsNotOpened(t *testing.T) {
	f := newFolder(t)
	f.make("proxy.test", nil, nil)
	secure := strings.ReplaceAll("https_port 127.0.0.1:3128 tls-cert={}/proxy.test.crt tls-key={}/proxy.test.key", "{}", f.dir)
	for lines, want := range map[string]string{
		"http_port 3128\n" + secure:                             "ERROR: squid.conf(2): https_port 127.0.0.1:3128 is not opened: http_port 3128 has its address",
		secure + " name=one\nhttp_port 127.0.0.1:3128 name=two": "ERROR: squid.conf(2): http_port two is not opened: https_port one has its address",
	} {
		var s Settings
		if c := compattest.MustRead(t, acl.NewSet(), s.Directives(), lines); len(c.Messages) != 1 || c.Messages[0] != want {
			t.Errorf("it says %q, want %q", c.Messages, want)
		}
	}
	var s Settings
	c := compattest.MustRead(t, acl.NewSet(), s.Directives(), secure)
	if err := s.Finish(c.Context, []string{"3128"}, "squid.conf"); err != nil || len(c.Messages) != 1 ||
		c.Messages[0] != "ERROR: -a 3128: http_port 3128 is not opened: https_port 127.0.0.1:3128 has its address" {
		t.Errorf("it says %v, %q", err, c.Messages)
	}
}

// TestAPortWithSSLBumpThatIsNotOpened is told of beside the error, since nothing is filtered that was to be.
func TestAPortWithSSLBumpThatIsNotOpened(t *testing.T) {
	f := newFolder(t)
	f.make("ca.test", nil, nil)
	bump := strings.ReplaceAll(" ssl-bump tls-cert={}/ca.test.crt tls-key={}/ca.test.key", "{}", f.dir)
	for _, row := range []struct {
		first, second string
		want          int // messages
	}{{"", bump, 2}, {bump, bump, 1}, {bump, "", 1}} {
		var s Settings
		c := compattest.MustRead(t, acl.NewSet(), s.Directives(), "http_port 3128"+row.first+"\nhttp_port 127.0.0.1:3128"+row.second)
		if len(c.Messages) != row.want || row.want > 1 && !strings.HasPrefix(c.Messages[1], "WARNING: no tunnel through http_port 3128 is looked into") {
			t.Errorf("%q and %q: it says %q", row.first, row.second, c.Messages)
		}
	}
}

func TestFinish(t *testing.T) {
	var s Settings
	c := compattest.MustRead(t, acl.NewSet(), s.Directives(), "")
	if err := s.Finish(c.Context, nil, "squid.conf"); err == nil || err.Error() != "squid.conf has no http_port line" {
		t.Errorf("without a port it says %v", err)
	}
	if err := s.Finish(c.Context, []string{"127.0.0.1:3129"}, "squid.conf"); err != nil || s.First() != 3129 {
		t.Errorf("the command line gives %v, %v", s, err)
	}
	if err := s.Finish(c.Context, []string{"proxy"}, "squid.conf"); err == nil || err.Error() != "-a proxy: FATAL: http_port: missing Port: proxy" {
		t.Errorf("-a without a number says %v", err)
	}
}
