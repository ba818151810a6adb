package names

import (
	"log/slog"
	"testing"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/compattest"
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

func TestWhatCannotBe(t *testing.T) {
	s := Defaults()
	if _, err := compattest.Read(acl.NewSet(), s.Directives(), "append_domain a.test"); err == nil {
		t.Error("a domain without a dot is taken")
	}
	s = Defaults()
	c := compattest.MustRead(t, acl.NewSet(), s.Directives(), "dns_nameservers ns.test")
	if err := s.Finish(c.Context); err == nil || err.Error() != "dns_nameservers: 'ns.test' is not an address" {
		t.Errorf("a name server with a name is %v", err)
	}
}
