package guard

import (
	"net"
	"net/netip"

	"exaproxy/compat/directive"
	"exaproxy/engine"
)

// Settings are what a configuration says of the guard.
type Settings struct {
	On bool // guard

	ports      []netip.AddrPort // where the proxy listens
	interfaces []netip.Addr     // the machine's own addresses
}

// Defaults have the guard on.
func Defaults() Settings { return Settings{On: true} }

// Directives are the setters.
func (s *Settings) Directives() directive.Set {
	return directive.Set{"guard": directive.OnOff(&s.On)}
}

// Finish finds out which addresses are the proxy's own.
func (s *Settings) Finish(c *directive.Context, ports []engine.Port) {
	for i := range ports {
		s.ports = append(s.ports, ports[i].Addr)
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		c.Say(1, "WARNING: guard: cannot find out the machine's own addresses: %s; loops to them are seen by their Via field", err)
	}
	for _, a := range addrs {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			s.interfaces = append(s.interfaces, prefix.Addr().Unmap())
		}
	}
}
