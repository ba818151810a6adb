package dnsasync

import (
	"net/netip"
	"testing"
	"time"
)

// TestInherit has a resolver know what the one before it has found, and each what the other finds, unless it would have
// asked otherwise.
func TestInherit(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*Config)
		keeps  bool
	}{
		{"nothing has changed", func(*Config) {}, true},
		{"the same, said otherwise", func(c *Config) {
			c.Servers = []netip.AddrPort{netip.AddrPortFrom(at(1).Addr(), 0)}
			c.MaxTTL = 6 * time.Hour
		}, true},
		{"what is not about answers", func(c *Config) { c.Timeout, c.Retransmit, c.Hosts = time.Second, time.Second, &Hosts{} }, true},
		{"another server", func(c *Config) { c.Servers = []netip.AddrPort{at(1), at(2)} }, false},
		{"another search list", func(c *Config) { c.Search = []string{"a.test"} }, false},
		{"other ndots", func(c *Config) { c.Ndots = 2 }, false},
		{"dns_defnames", func(c *Config) { c.Defnames = true }, false},
		{"append_domain", func(c *Config) { c.AppendDomain = ".a.test" }, false},
		{"one family", func(c *Config) { c.IPv4Only = true }, false},
		{"another family first", func(c *Config) { c.Prefer = IPv6 }, false},
		{"positive_dns_ttl", func(c *Config) { c.MaxTTL = time.Minute }, false},
		{"negative_dns_ttl", func(c *Config) { c.NegativeTTL = time.Second }, false},
		{"another lower limit", func(c *Config) { c.MinTTL = time.Second }, false},
		{"another size", func(c *Config) { c.CacheSize = 1 }, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, Config{})
			server := w.nameServer(1)
			w.looks("www.example")
			server.both("the first resolver", "www.example", []string{"192.0.2.1"}, nil)
			old := w.resolver
			w.looks("late.example") // while the second is made
			config := Config{Servers: []netip.AddrPort{at(1)}, Random: newChance()}
			row.change(&config)
			w.resolver = New(w.loop, config)
			w.resolver.Inherit(old)
			c := w.looks("www.example")
			if !row.keeps {
				c.waits("it begins with nothing")
				old.Close()
				return
			}
			c.gets("what the first has found", "192.0.2.1")
			server.both("the first still asks", "late.example", []string{"192.0.2.2"}, nil)
			w.looks("late.example").gets("what the first found later", "192.0.2.2")
			old.Close()
			w.settle()
			w.looks("www.example").gets("when the first is closed", "192.0.2.1")
			w.passes(6 * time.Minute)
			w.looks("www.example").waits("it has expired")
		})
	}
}
