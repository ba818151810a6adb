package names

import (
	"io"
	"io/fs"
	"log/slog"
	"strings"
	"testing"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/compattest"
	"exaproxy/compat/directive"
	"exaproxy/engine"
)

func TestSettings(t *testing.T) {
	s := Defaults()
	c := compattest.MustRead(t, acl.NewSet(), s.Directives(),
		"dns_nameservers 192.0.2.1 [2001:db8::1]\ndns_nameservers 192.0.2.2:5353\ndns_timeout 3 seconds\nappend_domain .a.test\nhosts_file none")
	if err := s.Finish(c.Context); err != nil {
		t.Fatal(err)
	}
	var config engine.Config
	s.Configure(&config, slog.New(slog.DiscardHandler))
	n := config.Names
	if len(n.Servers) != 3 || n.Servers[1].String() != "[2001:db8::1]:53" || n.Servers[2].String() != "192.0.2.2:5353" ||
		n.Timeout != 3*time.Second || n.AppendDomain != ".a.test" || n.Hosts != nil || n.Log == nil {
		t.Errorf("the resolver's configuration is %+v", n)
	}
}

func TestPacketMax(t *testing.T) {
	for line, want := range map[string]int{"": 0, "dns_packet_max none": -1, "dns_packet_max 0": -1, "dns_packet_max 1400 bytes": 1400, "dns_packet_max 9 GB": 1 << 16} {
		s := Defaults()
		compattest.MustRead(t, acl.NewSet(), s.Directives(), line)
		if s.PacketMax != want {
			t.Errorf("%q sets %d, want %d", line, s.PacketMax, want)
		}
	}
}

func TestWhatCannotBe(t *testing.T) {
	s := Defaults()
	if _, err := compattest.Read(acl.NewSet(), s.Directives(), "append_domain a.test"); err == nil {
		t.Error("a domain without a dot is taken")
	}
	if _, err := compattest.Read(acl.NewSet(), s.Directives(), "prefer_family ipv5"); err == nil || !strings.Contains(err.Error(), "'ipv5' is not any, ipv4 or ipv6") {
		t.Errorf("a family that is none is %v", err)
	}
	_, err := compattest.Read(acl.NewSet(), s.Directives(), "dns_nameservers 192.0.2.1\ndns_nameservers 192.0.2.2 ns.test")
	if err == nil || err.Error() != "FATAL: dns_nameservers: 'ns.test' is not an address" {
		t.Errorf("a name server with a name is %v", err)
	}
}

// TestHostsThatMayNotBeRead is an error, of the line that names them if one does.
func TestHostsThatMayNotBeRead(t *testing.T) {
	for line, want := range map[string]string{
		"hosts_file /hosts": "squid.conf(1): hosts_file /hosts: FATAL: hosts_file /hosts: open /hosts: permission denied",
		"":                  "hosts_file /etc/hosts: open /etc/hosts: permission denied",
	} {
		s := Defaults()
		compattest.MustRead(t, acl.NewSet(), s.Directives(), line)
		forbidden := directive.NewContext(acl.NewSet(), func(name string) (io.ReadCloser, error) {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
		}, func(int, string) {})
		if err := s.Finish(forbidden); err == nil || err.Error() != want {
			t.Errorf("%q: it is %v, want %s", line, err, want)
		}
	}
}
