package names

import (
	"net/netip"
	"testing"

	"exaproxy/compat/compattest"
	"exaproxy/dnsasync"
	"exaproxy/engine"
)

// clientAt is a connection of client number n.
func clientAt(n int) *engine.Connection {
	return &engine.Connection{Client: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}), 1)}
}

func newPolicy(t *testing.T) *Policy {
	services := compattest.Services(t)
	services.Resolver = dnsasync.New(services.Loop, dnsasync.Config{Servers: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.53:53")}})
	t.Cleanup(services.Resolver.Close)
	s := Defaults()
	p := NewPolicy(&s, services)
	t.Cleanup(p.Close)
	return p
}

// TestFewAreLookedUpAtATime bounds what name servers that say nothing cost.
func TestFewAreLookedUpAtATime(t *testing.T) {
	p := newPolicy(t)
	for n := range 3 * mostAsked {
		c := clientAt(n)
		p.Tell(&engine.Request{Client: c.Client, Connection: c})
		p.Tell(&engine.Request{Client: c.Client, Connection: c}) // the same question
		if c.ClientName != "" {
			t.Fatalf("client %d has the name %q", n, c.ClientName)
		}
	}
	if s := p.resolver.Stats().Addrs; len(p.asked) != mostAsked || s.Requests != mostAsked {
		t.Errorf("%d are looked up, of %d questions to the resolver; want %d", len(p.asked), s.Requests, mostAsked)
	}
	p.Close()
	if len(p.asked) != 0 {
		t.Errorf("%d are looked up in the end", len(p.asked))
	}
}

// TestFewAreRemembered bounds what clients with many addresses cost.
func TestFewAreRemembered(t *testing.T) {
	p := newPolicy(t)
	for n := range mostKnown + 100 {
		p.known.Put(clientAt(n).Client.Addr(), clientName{"a.test", p.loop.Now().Add(forever)})
	}
	if n := p.known.Len(); n != mostKnown {
		t.Errorf("%d are remembered, want %d", n, mostKnown)
	}
}

func TestNobodyIsAskedForNames(t *testing.T) {
	c := clientAt(1)
	(*Policy)(nil).Tell(&engine.Request{Client: c.Client, Connection: c})
	(*Policy)(nil).Close()
	if off := (Settings{ClientNames: false}); NewPolicy(&off, compattest.Services(t)) != nil || c.ClientName != "" {
		t.Error("client_names off is not followed")
	}
}

// TestAddressesAreLookedUpAsTheyAre has a client that came over IPv6 to an IPv4 address, or from one of a link, be no other.
func TestAddressesAreLookedUpAsTheyAre(t *testing.T) {
	for _, row := range [][2]string{{"10.0.0.1", "::ffff:10.0.0.1"}, {"fe80::1", "fe80::1%eth0"}} {
		p := newPolicy(t)
		p.known.Put(netip.MustParseAddr(row[0]), clientName{"pc.test", p.loop.Now().Add(forever)})
		c := &engine.Connection{Client: netip.AddrPortFrom(netip.MustParseAddr(row[1]), 1)}
		if p.Tell(&engine.Request{Client: c.Client, Connection: c}); c.ClientName != "pc.test" {
			t.Errorf("a client at %s has the name %q", row[1], c.ClientName)
		}
		if len(p.asked) > 0 {
			t.Errorf("%s is looked up, though %s is known", row[1], row[0])
		}
	}
}
